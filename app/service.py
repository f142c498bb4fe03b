"""One session's life, whatever protocol it is reached by: open, reset, step, state, close."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.engine import Engine
from app.errors import CapacityReached
from app.journal import Entry, Journal
from app.sessions import Origin, Session, SessionTable
from molforge.actions import Action
from molforge.contract import Step

log = logging.getLogger(__name__)


class Service:
    """Sessions, their environments and their journal, kept in step."""

    def __init__(
        self, *, engine: Engine, sessions: SessionTable, journal: Journal, call_seconds: float
    ) -> None:
        self.engine = engine
        self.sessions = sessions
        self._journal = journal
        self._call_seconds = call_seconds
        self._calls = 0
        self.quiet = asyncio.Event()
        """Set while no reset or step runs."""
        self.quiet.set()

    async def open(self, origin: Origin) -> Session:
        """Open a session; raise ``CapacityReached`` or ``FactoryFailed``.

        At capacity the longest idle REST session that was never stepped makes room for a new REST one.
        """
        session = self._take_place(origin)
        try:
            await self.engine.create(session.id, seconds=self._call_seconds)
        except BaseException:
            self.close(session)
            raise
        log.debug("session %s opened by %s", session.id, origin)
        return session

    def _take_place(self, origin: Origin) -> Session:
        try:
            return self.sessions.open(origin)
        except CapacityReached:
            unwanted = self.sessions.least_wanted() if origin is Origin.REST else None
            if unwanted is None:
                raise
            self.close(unwanted)
            return self.sessions.open(origin)

    async def reset(
        self, session: Session, arguments: Mapping[str, Any], *, seconds: float | None = None
    ) -> Step:
        """Open a programme in the session."""
        with self._in_use(session):
            step = await self.engine.reset(session.id, arguments, seconds=self._limit(seconds))
        self._record(session, "reset", dict(arguments), step)
        return step

    async def step(self, session: Session, action: Action, *, seconds: float | None = None) -> Step:
        """Carry out one action, for at most ``seconds`` or the server's own limit."""
        with self._in_use(session):
            step = await self.engine.step(session.id, action, seconds=self._limit(seconds))
            session.steps += 1
        self._record(session, "step", action.as_message(), step)
        return step

    async def state(self, session: Session) -> dict[str, Any]:
        """Return the public notebook. Looking is not using: it does not keep a session alive."""
        return await self.engine.state(session.id, seconds=self._call_seconds)

    async def fresh_state(self) -> dict[str, Any]:
        """Return the state of an environment that was never reset; it takes no place."""
        session_id = f"visitor-{secrets.token_hex(8)}"
        await self.engine.create(session_id, seconds=self._call_seconds)
        try:
            return await self.engine.state(session_id, seconds=self._call_seconds)
        finally:
            self.engine.discard(session_id)

    def close(self, session: Session) -> None:
        """Free the place at once; a call that still runs ends on its own. May be called twice."""
        if self.sessions.release(session):
            self.engine.discard(session.id)
            self._journal.forget(session.id)
            log.debug("session %s closed after %d steps", session.id, session.steps)

    def expire(self) -> None:
        """Close every session that was idle for too long; its socket is told by the close reason."""
        for session in self.sessions.expired():
            connection = session.connection
            self.close(session)
            if connection is not None:
                connection.dismiss(1001, f"idle {session.id}")

    @contextmanager
    def _in_use(self, session: Session) -> Iterator[None]:
        session.calls_running += 1
        self._calls += 1
        self.quiet.clear()
        self.sessions.touch(session)
        try:
            yield
        finally:
            session.calls_running -= 1
            self._calls -= 1
            if self._calls == 0:
                self.quiet.set()
            self.sessions.touch(session)

    def _limit(self, seconds: float | None) -> float:
        return self._call_seconds if seconds is None else min(seconds, self._call_seconds)

    def _record(self, session: Session, kind: str, message: dict[str, Any], step: Step) -> None:
        self._journal.append(
            session.id, Entry(kind=kind, message=message, reward=step.reward, done=step.done)
        )
