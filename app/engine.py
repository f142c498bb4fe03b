"""Where environments run: behind an interface that carries nothing but plain values.

``InProcessEngine`` runs them in a few threads of this process. What it guarantees, any engine must:

* one call at a time per session; a second one is refused with ``SessionBusy``, never mixed in;
* a call that takes too long is given up and its environment retired: nobody calls it again, it is
  closed when its thread comes back, and the session gets a new, un-reset one;
* a call that had not begun when its time was up did not happen (``Overloaded``);
* a caller that goes away (cancellation) does not interrupt the call.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.errors import CallTimedOut, FactoryFailed, Overloaded, SessionBusy, SessionNotFound
from molforge.actions import Action
from molforge.contract import Environment, Step

log = logging.getLogger(__name__)

T = TypeVar("T")
Factory = Callable[[], Environment]


class Engine(Protocol):
    """Runs one environment per session id. Arguments and results are JSON-able throughout."""

    @property
    def is_ready(self) -> bool:
        """Whether the first call would not have to wait for anything to load."""

    async def start(self) -> None:
        """Begin to load what is slow to load; return at once."""

    async def create(self, session_id: str, *, seconds: float) -> None:
        """Make the environment of a new session; raise ``FactoryFailed``."""

    async def reset(self, session_id: str, arguments: Mapping[str, Any], *, seconds: float) -> Step:
        """Call reset, for at most ``seconds``."""

    async def step(self, session_id: str, action: Action, *, seconds: float) -> Step:
        """Call step, for at most ``seconds``."""

    async def state(self, session_id: str, *, seconds: float) -> dict[str, Any]:
        """Call state, for at most ``seconds``."""

    def discard(self, session_id: str) -> None:
        """Forget a session at once; its environment is closed when its running call ends."""

    async def close(self) -> None:
        """End everything that can be ended; return without waiting for calls that hang."""

    @property
    def has_stragglers(self) -> bool:
        """Whether calls still run that nobody waits for: the process cannot end by itself."""


@dataclass(slots=True, eq=False)
class _Seat:
    """One session's environment and the call that runs in it."""

    environment: Environment | None = None
    job: concurrent.futures.Future[Any] | None = None
    is_retired: bool = False


class InProcessEngine:
    """Environments in threads of this process."""

    def __init__(self, factory: Factory, *, threads: int, warm_up: Callable[[], None] | None = None) -> None:
        self._factory = factory
        self._warm_up = warm_up
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="environment")
        self._seats: dict[str, _Seat] = {}
        self._jobs: set[concurrent.futures.Future[Any]] = set()
        self._warming: asyncio.Future[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the warm-up is over and went well."""
        warming = self._warming
        return self._warm_up is None or (
            warming is not None and warming.done() and not warming.cancelled() and warming.exception() is None
        )

    @property
    def has_stragglers(self) -> bool:
        """Whether threads are still at work."""
        return any(job.running() for job in tuple(self._jobs))

    async def start(self) -> None:
        """Run the warm-up in a thread."""
        if self._warm_up is not None:
            self._warming = asyncio.wrap_future(self._submit(self._warm_up))
            self._warming.add_done_callback(_log_warm_up)

    async def create(self, session_id: str, *, seconds: float) -> None:
        """Make the environment of a new session."""
        self._seats[session_id] = _Seat()
        try:
            await self._call(session_id, lambda _environment: None, seconds=seconds)
        except BaseException:
            self.discard(session_id)
            raise

    async def reset(self, session_id: str, arguments: Mapping[str, Any], *, seconds: float) -> Step:
        """Call reset in a thread."""

        def work(environment: Environment) -> Step:
            return environment.reset(arguments, session_id=session_id)

        return await self._call(session_id, work, seconds=seconds)

    async def step(self, session_id: str, action: Action, *, seconds: float) -> Step:
        """Call step in a thread."""
        return await self._call(session_id, lambda environment: environment.step(action), seconds=seconds)

    async def state(self, session_id: str, *, seconds: float) -> dict[str, Any]:
        """Call state in a thread."""
        return await self._call(session_id, lambda environment: environment.state(), seconds=seconds)

    def discard(self, session_id: str) -> None:
        """Forget a session."""
        seat = self._seats.pop(session_id, None)
        if seat is not None:
            self._retire(seat)

    async def close(self) -> None:
        """Forget all sessions; calls not yet begun are cancelled."""
        for session_id in list(self._seats):
            self.discard(session_id)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, session_id: str, work: Callable[[Environment], T], *, seconds: float) -> T:
        seat = self._seats.get(session_id)
        if seat is None:
            raise SessionNotFound(session_id)
        if seat.job is not None:
            raise SessionBusy(session_id)
        loop = asyncio.get_running_loop()
        job: concurrent.futures.Future[T] = self._submit(lambda: work(self._environment(seat)))
        seat.job = job
        job.add_done_callback(lambda _job: _on_loop(loop, self._returned, seat))
        running = asyncio.wrap_future(job)
        running.add_done_callback(_retrieve)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(running)
        except TimeoutError:
            if job.done() and not job.cancelled():
                return await running  # it came back just now, or raised a TimeoutError of its own
            if job.cancel():
                raise Overloaded(seconds) from None
            log.warning(
                "a call in session %s ran longer than %g s; its environment is retired", session_id, seconds
            )
            if self._seats.get(session_id) is seat:
                self._seats[session_id] = _Seat()
            self._retire(seat)
            raise CallTimedOut(seconds) from None

    def _environment(self, seat: _Seat) -> Environment:
        """Return the environment of a seat, made on first use. Runs in a thread."""
        if seat.environment is None:
            try:
                seat.environment = self._factory()
            except Exception as why:
                raise FactoryFailed(getattr(self._factory, "__name__", type(self._factory).__name__)) from why
        return seat.environment

    def _submit(self, work: Callable[[], T]) -> concurrent.futures.Future[T]:
        job = self._pool.submit(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job

    def _returned(self, seat: _Seat) -> None:
        seat.job = None
        if seat.is_retired:
            self._retire(seat)

    def _retire(self, seat: _Seat) -> None:
        """Close the environment as soon as no thread is in it."""
        seat.is_retired = True
        environment = seat.environment
        if seat.job is None and environment is not None:
            seat.environment = None
            try:
                self._submit(environment.close)
            except RuntimeError:  # the pool has shut down: the process ends, and the environment with it
                log.debug("environment left open at shutdown")


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[_Seat], None], seat: _Seat) -> None:
    """Call in the loop's thread; a loop that has closed needs nothing any more."""
    try:
        loop.call_soon_threadsafe(call, seat)
    except RuntimeError:
        log.debug("a call came back after its loop had closed")


def _retrieve(running: asyncio.Future[Any]) -> None:
    """Take note of an exception that nobody may be waiting for any more."""
    if not running.cancelled():
        running.exception()


def _log_warm_up(warming: asyncio.Future[None]) -> None:
    if warming.cancelled():
        return
    if (error := warming.exception()) is not None:
        log.error("the warm-up failed; the first calls will say why", exc_info=error)
    else:
        log.info("warm-up done")
