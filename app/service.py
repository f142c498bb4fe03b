"""One session's life, whatever protocol it is reached by: open, reset, step, state, detach, close.

The journal is the session. An environment may be gone at any time, with its worker or because its
socket was; the next call makes it anew from the record first. A call is acknowledged once it is in the
record. A call that ends in any other way leaves the record as it was, and its environment is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from prometheus_client.core import Metric

from app import logs
from app.engine import Engine
from app.errors import (
    CallCrashed,
    CapacityReached,
    EnvironmentLost,
    Overloaded,
    ServerError,
    SessionBusy,
    SessionNotFound,
)
from app.hosting import Entry, Reply
from app.journal import Journal
from app.metrics import Metrics, Read, counter, gauge
from app.sessions import Origin, Session, SessionTable, Turns
from molforge.actions import Action
from molforge.contract import Step
from molforge.errors import AgentError, CallerError

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_CRASHES = 5
"""A call that its worker did not survive so often is not tried again."""


class Service:
    """Sessions, their environments and their journal, kept in step."""

    def __init__(
        self, *, engine: Engine, sessions: SessionTable, journal: Journal, call_seconds: float
    ) -> None:
        self.engine = engine
        self.sessions = sessions
        self.journal = journal
        self.turns = Turns()
        self.metrics = Metrics()
        self.metrics.registry.register(Read(self._sizes))
        self._took = self.metrics.took
        self._call_seconds = call_seconds
        self._calls = 0
        self.is_draining = False
        """Set when the server stops: not ready for more."""
        self.quiet = asyncio.Event()
        """Set once the server stops and no reset or step runs."""

    @property
    def readiness(self) -> tuple[str, str | None]:
        """Whether it makes sense to send somebody here: ``ready``, or what is in the way, and why."""
        if self.is_draining:
            return "stopping", None
        if not self.engine.is_ready:
            return "starting", None
        if self.journal.trouble is not None:
            return "journal", f"the journal cannot be written: {self.journal.trouble}"
        if self.sessions.is_full:
            return "full", "every place for a session is taken"
        return "ready", None

    def _sizes(self) -> Iterator[Metric]:
        """Yield what /metrics says of this moment."""
        engine = self.engine.figures
        yield gauge("molforge_sessions", "Sessions, by kind.", self.sessions.active, label="kind")
        yield gauge("molforge_capacity", "Sessions at once, by kind.", self.sessions.capacity, label="kind")
        yield gauge("molforge_workers", "Worker processes; 0 without.", {"": engine.workers})
        yield gauge("molforge_queue", "Calls that are not answered yet.", {"": engine.waiting})
        yield counter("molforge_worker_restarts", "Workers that ended untold.", engine.restarts)
        yield counter("molforge_worker_recycled", "Workers replaced for their size.", engine.recycled)
        yield gauge("molforge_ready", "1 if /ready says so.", {"": self.readiness[0] == "ready"})
        yield gauge("molforge_journal_writable", "0 while it is not.", {"": self.journal.trouble is None})

    async def start(self) -> None:
        """Begin to load the engine; take in the sessions that the journal knows."""
        await self.engine.start()
        now = time.monotonic()
        past = await self.journal.start()
        self._drop(
            self.sessions.remember(
                Session(
                    id=p.session_id,
                    origin=Origin(p.origin),
                    last_used=now,
                    episode=p.episode,
                    number=p.number,
                    steps=p.number,
                    is_finished=p.is_finished,
                    is_rollout=True,  # perhaps: the record does not say who opened its programme
                )
                for p in past
            )
        )
        if past:
            log.info("%d sessions in the journal can be resumed", len(past))

    async def stop(self) -> None:
        """End the engine, then the journal."""
        await self.engine.close()
        await self.journal.close()

    async def open(self, origin: Origin) -> Session:
        """Open a session; raise ``CapacityReached`` or ``FactoryFailed``.

        At capacity an idle session without a socket makes room for a new one of its kind: it is detached, to
        be found again by its id.
        """
        session = self.take_place(origin)
        await self.furnish(session)
        return session

    async def furnish(self, session: Session) -> None:
        """Wait for the environment of a new session; close the session if there comes none."""
        session.calls_running += 1  # it is not idle
        try:
            await self._perform(session, _nothing, seconds=self._call_seconds)
        except BaseException:
            self.close(session)
            raise
        finally:
            session.calls_running -= 1
        log.debug("session %s opened by %s", session.id, session.origin)

    def take_place(self, origin: Origin) -> Session:
        """Return a session that has a place and no environment yet; raise ``CapacityReached``."""
        return self._seated(lambda: self.sessions.open(origin))

    def find(self, session_id: str) -> Session:
        """Return the session, at a new place if it was detached.

        Raises ``SessionNotFound``, or ``CapacityReached`` if a detached one finds no place.
        """
        return self._seated(lambda: self.sessions.get(session_id))

    def _seated(self, seat: Callable[[], Session]) -> Session:
        """Return what takes a seat; at capacity, in that of the session of its kind which is wanted least."""
        try:
            return seat()
        except CapacityReached as why:
            unwanted = self.sessions.least_wanted(is_rest=why.is_rest)
            if unwanted is None:
                raise
        self.sessions.release(unwanted)
        self.engine.discard(unwanted.id)
        session = seat()  # before the other is remembered, for which a detached one may have to be dropped
        self._drop(self.sessions.remember([unwanted]) if unwanted.episode else [unwanted])
        log.debug("session %s made room after %d steps", unwanted.id, unwanted.steps)
        return session

    async def reset(self, session: Session, arguments: Mapping[str, Any], *, by_tool: bool = False) -> Step:
        """Open a programme in the session."""
        return (await self.reset_reply(session, arguments, by_tool=by_tool)).as_step()

    async def step(self, session: Session, action: Action, *, seconds: float | None = None) -> Step:
        """Carry out one action, for at most ``seconds`` or the server's own limit."""
        return (await self.step_reply(session, action.as_message(), seconds=seconds)).as_step()

    async def reset_reply(
        self, session: Session, arguments: Mapping[str, Any], *, by_tool: bool = False
    ) -> Reply:
        """Open a programme in the session; return the answer in its wire form."""
        reply = await self._use(session, "reset", self.engine.reset, arguments, None)
        session.is_rollout = not by_tool
        return reply

    def step_reply(
        self, session: Session, message: Mapping[str, Any], *, seconds: float | None = None
    ) -> Coroutine[Any, Any, Reply]:
        """Carry out one action in its wire form; return the answer in its wire form."""
        return self._use(session, "step", self.engine.step, message, seconds)

    async def _use(
        self,
        session: Session,
        kind: str,
        call: Callable[..., Awaitable[Reply]],
        message: Mapping[str, Any],
        seconds: float | None,
    ) -> Reply:
        """Make a call that changes the session, and record it."""
        limit = self._call_seconds if seconds is None else min(seconds, self._call_seconds)
        self._begin(session)
        session.is_looked_at = False
        self._calls += 1
        began = self.sessions.clock()
        try:
            try:
                reply = await call(session.id, message, seconds=limit)
            except EnvironmentLost as why:
                crashes = int(why.had_begun)
                reply = await self._perform(session, call, message, seconds=limit, crashes=crashes)
            except (AgentError, CallerError, ServerError):
                raise  # nothing happened
            except BaseException:
                self.engine.discard(session.id)  # it failed halfway, or nobody waits any more
                raise
            await self._record(session, kind, message, reply)
        finally:
            session.calls_running -= 1
            self._calls -= 1
            if self._calls == 0 and self.is_draining:
                self.quiet.set()
            session.last_used = self.sessions.clock()
        self._took[kind](session.last_used - began)
        return reply

    def drain(self) -> None:
        """Take note that the server stops: it is ready for no more, and ``quiet`` when no call runs."""
        self.is_draining = True
        if self._calls == 0:
            self.quiet.set()

    async def state(self, session: Session) -> dict[str, Any]:
        """Return the public notebook. Looking is not using: it does not keep a session alive."""
        self._begin(session)
        try:
            return await self._perform(session, self.engine.state, seconds=self._call_seconds)
        finally:
            session.calls_running -= 1

    async def look(self, session: Session) -> dict[str, Any]:
        """Return the public notebook to somebody who named the session and has no hold on it.

        A session that had no place has none afterwards, or readers would keep players out.
        """
        try:
            return await self.state(session)
        finally:
            if session.is_looked_at and session.connection is None and not session.calls_running:
                self.detach(session, is_wanted=True)

    async def fresh_state(self) -> dict[str, Any]:
        """Return the state of an environment that was never reset; it takes no place."""
        session_id = f"visitor-{secrets.token_hex(8)}"
        deadline = self.sessions.clock() + self._call_seconds
        try:
            while True:
                try:
                    await self.engine.open(session_id, seconds=self._call_seconds)
                    return await self.engine.state(session_id, seconds=self._call_seconds)
                except EnvironmentLost:
                    if self.sessions.clock() > deadline:
                        raise Overloaded(self._call_seconds) from None
        finally:
            self.engine.discard(session_id)

    def close(self, session: Session) -> None:
        """End a session and free its place at once; a call that still runs ends on its own."""
        if self.sessions.release(session) or self.sessions.forget(session):
            self.engine.discard(session.id)
            self._drop([session])
            log.debug("session %s closed after %d steps", session.id, session.steps)

    def detach(self, session: Session, *, is_wanted: bool = False) -> None:
        """Free the place at once and keep the record, to be resumed by id; without a programme, close."""
        if session.episode == 0:
            self.close(session)
        elif self.sessions.is_open(session):
            self.engine.discard(session.id)
            self._drop(self.sessions.detach(session, is_wanted=is_wanted))
            log.debug("session %s detached after %d steps", session.id, session.steps)

    def expire(self) -> None:
        """Detach every session that was idle for too long (its socket is told by the close reason).

        Forget the detached ones that nobody resumed in time.
        """
        for session in self.sessions.expired():
            connection, session.connection = session.connection, None
            self.detach(session)
            if connection is not None:
                connection.dismiss(1001, f"idle {session.id}")
        self._drop(self.sessions.stale())

    def _drop(self, sessions: list[Session]) -> None:
        for session in sessions:
            if session.episode:
                self.journal.forget(session.id)

    async def _perform(
        self,
        session: Session,
        call: Callable[..., Awaitable[T]],
        *arguments: Any,
        seconds: float,
        crashes: int = 0,
    ) -> T:
        """Make a call on an environment that is at the end of the record; ``crashes``: of earlier tries."""
        deadline = self.sessions.clock() + seconds
        while True:
            try:
                self._check_open(session)
                if not self.engine.holds(session.id):
                    await self._restore(session)
                    self._check_open(session)
                return await call(session.id, *arguments, seconds=seconds)
            except EnvironmentLost as why:
                crashes += why.had_begun
                if crashes == MAX_CRASHES:
                    break
                if self.sessions.clock() > deadline:
                    raise Overloaded(seconds) from None
            except (AgentError, CallerError, ServerError):
                raise  # nothing happened
            except BaseException:
                self.engine.discard(session.id)  # it failed halfway, or nobody waits any more
                raise
        log.error("a call in session %s ended its worker %d times; it is given up", session.id, crashes)
        raise CallCrashed

    def _check_open(self, session: Session) -> None:
        if not self.sessions.is_open(session):
            self.engine.discard(session.id)
            raise SessionNotFound(session.id)  # closed meanwhile by another connection

    async def _restore(self, session: Session) -> None:
        history = await self.journal.entries(session.id) if session.episode else ()
        if history:
            session.episode, session.number = history[-1].episode, history[-1].number
        await self.engine.open(session.id, history, seconds=self._call_seconds)

    async def _record(self, session: Session, kind: str, message: Mapping[str, Any], reply: Reply) -> None:
        self._check_open(session)
        episode, number = (
            (session.episode, session.number + 1) if kind == "step" else (session.episode + 1, 0)
        )
        entry = Entry(kind, message, reply.reward, reply.done, reply.digest, reply.memory, episode, number)
        try:
            await self.journal.append(session.id, session.origin, entry)
        except BaseException:
            self.engine.discard(session.id)  # ahead of the record, or perhaps not: the record decides
            raise
        finally:
            session.episode = session.episode or 1  # there may be a record now, whoever waits for it
        if self.journal.is_heavy:
            self._drop(self.sessions.shed())
        session.episode, session.number = episode, number
        session.steps += kind == "step"
        session.is_finished = reply.done

    def _begin(self, session: Session) -> None:
        """Take the session for one call; raise ``SessionBusy`` or ``SessionNotFound``."""
        if session.calls_running:
            raise SessionBusy(session.id)
        if not self.sessions.is_open(session):
            raise SessionNotFound(session.id)
        session.calls_running += 1
        logs.session_id.set(session.id)


async def _nothing(_session_id: str, *, seconds: float) -> None:
    """Ask for nothing but the environment."""
