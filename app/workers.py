"""Environments in worker processes, forked from one warm parent.

A session is pinned to the worker with the fewest sessions when its environment is opened. A worker that
dies, hangs or is stopped is replaced by a fork; its sessions are opened again from their records, each
when it is next called. A worker that is in one call for long is left to it: sessions that are called
meanwhile move to another one, those that are not stay. So an engine keeps nothing that matters, and
processes can come and go.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.channel import Kind, action_as_json, as_json, write_history
from app.encoding import loads
from app.engine import Figures
from app.errors import CallTimedOut, EnvironmentLost, MemoryExceeded, Overloaded, SessionBusy
from app.forks import Order, WarmParent
from app.hosting import Entry, Reply
from app.link import Link

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.7
"""A worker that is in one call for longer is left to it."""
MAX_LONG_CALLS = 2
"""Workers that are left to one call at a time, times the number of workers."""
FORK_SECONDS = 0.25
"""How long a worker on its way is waited for where there is another: the parent may be loading something."""
MAX_BACKOFF_SECONDS = 5.0
RECYCLE_SECONDS = 60.0
"""Between two workers that are replaced for their size."""


@dataclass(slots=True, eq=False)
class _Seat:
    """Where one session's environment lives."""

    link: Link
    is_busy: bool = False


class WorkerEngine:
    """Environments in worker processes."""

    has_stragglers = False
    """Processes end by themselves when their sockets close."""

    def __init__(self, order: Order, *, workers: int, call_seconds: float) -> None:
        self._order = order
        self._workers = workers
        self._call_seconds = call_seconds
        self._parent: WarmParent | None = None
        self._links: set[Link] = set()
        """Every worker there is."""
        self._asked = 0
        """Forks that were asked for and have not come yet."""
        self._outdated: set[Link] = set()
        """Workers that share less than later ones: they get no new sessions, and go when they have none."""
        self._spare: set[Link] = set()
        """Workers that are too many now that a long call has ended: the same, or they are needed again."""
        self._seats: dict[str, _Seat] = {}
        self._suspects: set[str] = set()
        """Sessions of which a call was on its way when a worker ended: the next one is made alone."""
        self._arrival = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._failures = 0
        self._forks = 0
        self.restarts = 0
        """Workers that ended before they were told to."""
        self._recycle_after = 0.0
        self.recycled = 0
        """Workers that were replaced because they had grown too large."""

    @property
    def is_ready(self) -> bool:
        """Whether there is a worker."""
        return any(link.is_accepting for link in self._links)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [link.pid for link in self._links]

    @property
    def waiting(self) -> int:
        """Calls that are not answered yet."""
        return sum(link.waiting for link in self._links)

    @property
    def figures(self) -> Figures:
        """What it has at present."""
        return Figures(
            workers=len(self._links), restarts=self.restarts, recycled=self.recycled, waiting=self.waiting
        )

    async def start(self) -> None:
        """Start the parent; workers come when it has loaded."""
        self._spawn(self._start_parent(), "warm parent")

    async def open(self, session_id: str, history: Sequence[Entry] = (), *, seconds: float) -> None:
        """Make the environment in the worker with the fewest, and play its record there."""
        self._forget(session_id)
        link = await self._choose(seconds)
        seat = self._seats[session_id] = _Seat(link)
        link.sessions += 1
        try:
            await self._call(session_id, Kind.OPEN, write_history(history), seconds)
        except BaseException:
            if self._seats.get(session_id) is seat:
                self._forget(session_id)
            raise

    def holds(self, session_id: str) -> bool:
        """Say whether the session has an environment that can be called."""
        seat = self._seats.get(session_id)
        return seat is not None and (seat.link.serves(session_id) or seat.is_busy)

    def reset(
        self, session_id: str, arguments: Mapping[str, Any], *, seconds: float
    ) -> Coroutine[Any, Any, Reply]:
        """Call reset in the worker."""
        return self._call(session_id, Kind.RESET, as_json(arguments), seconds)

    def step(
        self, session_id: str, message: Mapping[str, Any], *, seconds: float
    ) -> Coroutine[Any, Any, Reply]:
        """Call step in the worker."""
        return self._call(session_id, Kind.STEP, action_as_json(message), seconds)

    async def state(self, session_id: str, *, seconds: float) -> dict[str, Any]:
        """Call state in the worker."""
        state: dict[str, Any] = loads(await self._call(session_id, Kind.STATE, b"", seconds))
        return state

    def discard(self, session_id: str) -> None:
        """Forget an environment; the worker does so after its running call."""
        self._suspects.discard(session_id)
        self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        if (seat := self._seats.pop(session_id, None)) is not None:
            seat.link.sessions -= 1
            if seat.link in self._links:
                seat.link.discard(session_id)
            if not seat.link.sessions:
                self._let_go()

    async def close(self) -> None:
        """End all processes."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self._links):
            link.end()
        if self._parent is not None:
            await self._parent.close()

    async def _call(self, session_id: str, kind: Kind, body: bytes, seconds: float) -> Any:
        seat = self._seats.get(session_id)
        if seat is None:
            raise EnvironmentLost(session_id)
        if seat.is_busy:
            raise SessionBusy(session_id)
        if not seat.link.serves(session_id):
            self._forget(session_id)
            raise EnvironmentLost(session_id)
        seat.is_busy = True
        is_suspect = session_id in self._suspects
        try:
            value = await seat.link.call(kind, session_id, body, seconds=seconds, is_alone=is_suspect)
        except (CallTimedOut, EnvironmentLost, MemoryExceeded, asyncio.CancelledError) as why:
            if isinstance(why, EnvironmentLost) and why.is_suspect:
                self._suspects.add(session_id)
            if self._seats.get(session_id) is seat:
                self._forget(session_id)
            raise
        finally:
            seat.is_busy = False
        if is_suspect and kind is not Kind.OPEN:
            self._suspects.discard(session_id)
        return value

    async def _choose(self, seconds: float) -> Link:
        """Return the worker with the least to do; wait for one that is on its way, if it comes soon.

        A call under way counts as a session, also that of a session that is gone; a worker that is in
        one call for long comes last. Where a worker is missing, its sessions come all at once: the others
        would be held up by playing their records.
        """
        time = asyncio.get_running_loop().time
        deadline, enough = time() + seconds, time() + FORK_SECONDS
        while True:
            fresh = self._fresh()
            free = fresh or [link for link in self._links if link.is_accepting and not link.long_call]
            if free and (not self._asked or len(fresh) >= self._workers or time() >= enough):
                return min(free, key=_burden)
            self._arrival.clear()
            try:
                async with asyncio.timeout_at(min(deadline, enough) if free else deadline):
                    await self._arrival.wait()
            except TimeoutError:
                if time() >= deadline:
                    raise Overloaded(seconds) from None

    # --- processes --------------------------------------------------------------------------------

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

    async def _start_parent(self) -> None:
        if self._failures:
            await asyncio.sleep(min(MAX_BACKOFF_SECONDS, 0.1 * 2**self._failures))
        self._asked = 0
        self._parent = WarmParent(told=self._told, gone=self._parent_is_gone)
        await self._parent.start(self._order)

    def _parent_is_gone(self) -> None:
        if not self._is_closed:
            log.error("the warm parent ended; another one is started")
            self._failures += 1
            self._spawn(self._replace_parent(), "warm parent")

    async def _replace_parent(self) -> None:
        if self._parent is not None:
            await self._parent.close()
        await self._start_parent()

    def _told(self, message: dict[str, Any], descriptor: int | None) -> None:
        if descriptor is not None:
            self._spawn(self._connect(message["name"], message["forked"], descriptor), "connect a worker")
        elif "ready" in message:
            self._fill()
        elif "warm" in message:
            self._renew()
        elif "heavy" in message:
            self._relieve(message["heavy"], message["mb"])

    def _fill(self) -> None:
        """Take back as many workers as are missing, or ask for them."""
        missing = self._workers - self._asked - len(self._fresh())
        while missing > 0 and self._spare:
            missing -= not self._spare.pop().long_call
        for _ in range(missing):
            if self._parent is not None:
                self._forks += 1
                self._asked += 1
                self._parent.fork(f"molforge-w{self._forks}")

    def _fresh(self) -> list[Link]:
        """Return the workers that take new sessions."""
        others = self._outdated | self._spare
        return [link for link in self._links - others if link.is_accepting and not link.long_call]

    def _renew(self) -> None:
        """Exchange the workers that were forked before everything was loaded."""
        self._outdated = {link for link in self._links if link.is_accepting}
        self._fill()

    def _let_go(self) -> None:
        """End outdated and spare workers that nobody is in, once there is another one."""
        if self._fresh():
            for link in [link for link in self._outdated | self._spare if not link.sessions]:
                self._outdated.discard(link)
                self._spare.discard(link)
                link.retire()

    def _relieve(self, pid: int, mb: int) -> None:
        """Replace a worker that has grown too large; its sessions move when they are called.

        One now and then: if its sessions themselves need so much, those that follow grow as large.
        """
        now = asyncio.get_running_loop().time()
        for link in tuple(self._links):
            if link.pid == pid and link.is_accepting and now >= self._recycle_after:
                self._recycle_after = now + RECYCLE_SECONDS
                log.warning("worker %s has grown by %d MiB; it is replaced", link.name, mb)
                link.evacuate()
                link.retire()
                self.recycled += 1
        self._fill()

    async def _connect(self, name: str, pid: int, descriptor: int) -> None:
        parent = self._parent
        assert parent is not None
        link = Link(
            name=name,
            pid=pid,
            kill=lambda: parent.kill(pid),
            lost=self._lost,
            slow=self._slow,
            free=self._free,
            patience_seconds=min(PATIENCE_SECONDS, self._call_seconds),
            kill_seconds=self._call_seconds,
        )
        end = socket.socket(fileno=descriptor)
        end.setblocking(False)
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=end)
        except BaseException:
            end.close()
            raise
        self._asked = max(0, self._asked - 1)
        self._failures = 0
        if not link.is_accepting:  # it has ended meanwhile
            self._fill()
            return
        self._links.add(link)
        self._arrival.set()
        self._let_go()
        log.info("worker %s (process %d) is there", name, pid)

    def _slow(self, link: Link) -> None:
        """Go round a worker that is in one call for long, as long as there are not too many of them."""
        if sum(other.long_call is not None for other in self._links) < MAX_LONG_CALLS * self._workers:
            log.info("worker %s is in one call for long; sessions that are called meanwhile move", link.name)
            link.evacuate()
            self._fill()

    def _free(self, _link: Link) -> None:
        """A long call has ended: the worker with the fewest sessions may be one too many."""
        self._arrival.set()
        fresh = self._fresh()
        if len(fresh) > self._workers:
            self._spare.add(min(fresh, key=_burden))
            self._let_go()

    def _lost(self, link: Link) -> None:
        self._links.discard(link)
        if self._is_closed:
            return
        self._outdated.discard(link)
        self._spare.discard(link)
        if not link.was_told_to_end:
            self.restarts += 1
            log.warning("worker %s (process %d) is gone", link.name, link.pid)
        self._fill()


def _burden(link: Link) -> tuple[bool, int, int]:
    return link.is_held, link.sessions + link.waiting, link.waiting


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
