"""Where environments run: behind an interface that carries nothing but plain values.

``InProcessEngine`` runs them in a few threads of this process, ``app.workers.WorkerEngine`` in worker
processes. What each of them guarantees:

* an environment is made by ``open`` from the session's record; when it is gone, for whatever reason,
  calls raise ``EnvironmentLost``, and it is opened again from the record: the record is the session;
* one call at a time per session; a second one is refused with ``SessionBusy``, never mixed in;
* a call that takes too long is given up with ``CallTimedOut``, and its environment with it;
* a call that had not begun when its time was up did not happen (``Overloaded``);
* a reply belongs to the call that waits for it; one that comes after its call was given up is dropped.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.encoding import loads
from app.errors import CallTimedOut, EnvironmentLost, Overloaded, SessionBusy
from app.hosting import Entry, Factory, Hosted, Reply

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an engine has, for those who watch it."""

    workers: int = 0
    """Processes at work; 0 where there are none."""
    restarts: int = 0
    """Processes that ended before they were told to, since the start."""
    recycled: int = 0
    """Processes that were replaced because they had grown too large, since the start."""
    waiting: int = 0
    """Calls that are not answered yet."""


class Engine(Protocol):
    """Runs one environment per session id. Arguments and results are JSON-able throughout."""

    @property
    def is_ready(self) -> bool:
        """Whether the first call would not have to wait for anything to load."""

    @property
    def figures(self) -> Figures:
        """What it has at present."""

    async def start(self) -> None:
        """Begin to load what is slow to load; return at once."""

    async def open(self, session_id: str, history: Sequence[Entry] = (), *, seconds: float) -> None:
        """Make a session's environment and bring it to where its record ends.

        Raises ``FactoryFailed``, or ``EnvironmentFault`` if the record plays differently now.
        """

    def holds(self, session_id: str) -> bool:
        """Say whether the session has an environment here."""

    async def reset(self, session_id: str, arguments: Mapping[str, Any], *, seconds: float) -> Reply:
        """Call reset, for at most ``seconds``."""

    async def step(self, session_id: str, message: Mapping[str, Any], *, seconds: float) -> Reply:
        """Call step with an action in its wire form, for at most ``seconds``."""

    async def state(self, session_id: str, *, seconds: float) -> dict[str, Any]:
        """Call state, for at most ``seconds``."""

    def discard(self, session_id: str) -> None:
        """Forget an environment at once; it is closed when its running call ends."""

    async def close(self) -> None:
        """End everything that can be ended; return without waiting for calls that hang."""

    @property
    def has_stragglers(self) -> bool:
        """Whether calls still run that nobody waits for: the process cannot end by itself."""


@dataclass(slots=True, eq=False)
class _Seat:
    """One session's environment and the call that runs in it."""

    hosted: Hosted | None = None
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
        self._threads = threads
        self._given_up: set[concurrent.futures.Future[Any]] = set()
        """Calls that still run though nobody waits for them: their threads cannot be ended."""

    @property
    def is_ready(self) -> bool:
        """Whether the warm-up is over and went well, and a thread is left that does not hang."""
        if len(self._given_up) >= self._threads:
            return False
        warming = self._warming
        return self._warm_up is None or (
            warming is not None and warming.done() and not warming.cancelled() and warming.exception() is None
        )

    @property
    def figures(self) -> Figures:
        """What it has at present."""
        return Figures(waiting=len(self._jobs))

    @property
    def has_stragglers(self) -> bool:
        """Whether threads are still at work."""
        return any(job.running() for job in tuple(self._jobs))

    async def start(self) -> None:
        """Run the warm-up in a thread."""
        if self._warm_up is not None:
            self._warming = asyncio.wrap_future(self._submit(self._warm_up))
            self._warming.add_done_callback(_log_warm_up)

    async def open(self, session_id: str, history: Sequence[Entry] = (), *, seconds: float) -> None:
        """Make the environment in a thread and play its record."""
        self.discard(session_id)
        seat = self._seats[session_id] = _Seat()

        def work() -> None:
            seat.hosted = Hosted(self._factory, session_id)
            seat.hosted.play_again(history)

        try:
            await self._run(session_id, seat, work, seconds=seconds)
        except BaseException:
            if self._seats.get(session_id) is seat:
                self.discard(session_id)
            raise

    def holds(self, session_id: str) -> bool:
        """Say whether the session has an environment here."""
        return session_id in self._seats

    async def reset(self, session_id: str, arguments: Mapping[str, Any], *, seconds: float) -> Reply:
        """Call reset in a thread."""
        return await self._call(session_id, lambda hosted: hosted.reset(arguments), seconds=seconds)

    async def step(self, session_id: str, message: Mapping[str, Any], *, seconds: float) -> Reply:
        """Call step in a thread."""
        return await self._call(session_id, lambda hosted: hosted.step(message), seconds=seconds)

    async def state(self, session_id: str, *, seconds: float) -> dict[str, Any]:
        """Call state in a thread."""
        state: dict[str, Any] = loads(await self._call(session_id, Hosted.state, seconds=seconds))
        return state

    def discard(self, session_id: str) -> None:
        """Forget an environment."""
        seat = self._seats.pop(session_id, None)
        if seat is not None:
            self._retire(seat)

    async def close(self) -> None:
        """Forget all sessions; calls not yet begun are cancelled."""
        for session_id in list(self._seats):
            self.discard(session_id)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, session_id: str, work: Callable[[Hosted], T], *, seconds: float) -> T:
        seat = self._seats.get(session_id)
        if seat is None:
            raise EnvironmentLost(session_id)
        if seat.job is not None:
            raise SessionBusy(session_id)
        hosted = seat.hosted
        assert hosted is not None
        return await self._run(session_id, seat, lambda: work(hosted), seconds=seconds)

    async def _run(self, session_id: str, seat: _Seat, work: Callable[[], T], *, seconds: float) -> T:
        loop = asyncio.get_running_loop()
        job = self._submit(work)
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
            self._given_up.add(job)
            job.add_done_callback(self._given_up.discard)
            if self._seats.get(session_id) is seat:
                self.discard(session_id)
            raise CallTimedOut(seconds) from None

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
        hosted = seat.hosted
        if seat.job is None and hosted is not None:
            seat.hosted = None
            try:
                self._submit(hosted.close)
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
