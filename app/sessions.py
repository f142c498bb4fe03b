"""The session table: who is here, how many may be, and who has been idle for too long."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from weakref import WeakValueDictionary

from app.errors import CapacityReached, SessionNotFound


class Origin(StrEnum):
    """How a session came about. REST sessions have a capacity of their own."""

    SOCKET = "socket"
    """Opened by a WebSocket; without one it is detached: its record waits to be resumed."""
    CREATED = "created"
    """Made by ``openenv/session/create``; sockets attach and detach."""
    REST = "rest"
    """Made by ``POST /reset``; found by its id."""


class Connection(Protocol):
    """The socket that drives a session."""

    def dismiss(self, code: int, reason: str) -> None:
        """Finish what runs, then close with this code and reason."""


@dataclass(slots=True, eq=False)
class Session:
    """One place in the table."""

    id: str
    origin: Origin
    last_used: float
    """Clock reading at the begin or end of its last reset, step or tool call."""
    calls_running: int = 0
    steps: int = 0
    episode: int = 0
    """Acknowledged resets."""
    number: int = 0
    """Acknowledged steps since the last reset."""
    is_finished: bool = False
    """The programme is over; only its notebook and score can still be asked for."""
    is_rollout: bool = False
    """Its programme was opened by reset and not by a tool: no tool opens another in it."""
    is_looked_at: bool = False
    """Was found without a place, and has not been used since."""
    connection: Connection | None = None
    """The attached socket."""
    is_closing: bool = False
    """To be closed when its socket detaches."""

    @property
    def is_rest(self) -> bool:
        """Counts against the REST capacity."""
        return self.origin is Origin.REST


class Turns:
    """One lock a session: models call tools in parallel, a programme takes one call at a time."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, session_id: str) -> asyncio.Lock:
        """Return the lock of a session."""
        return self._locks.setdefault(session_id, asyncio.Lock())


class SessionTable:
    """All sessions of one server. Nothing here waits, so check-then-act cannot be interrupted.

    An open session has a place. A detached one has none, only a record in the journal; whoever asks
    for it by id takes a free place for it again. Detached sessions are bounded in number and time.
    """

    def __init__(
        self,
        *,
        capacity: int,
        rest_capacity: int,
        idle_seconds: float,
        rest_idle_seconds: float = 60.0,
        detached: int = 4096,
        resume_seconds: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = {False: capacity, True: rest_capacity}
        self._idle_seconds = idle_seconds
        self._rest_idle_seconds = rest_idle_seconds
        self.clock = clock
        self._sessions: dict[str, Session] = {}
        self._active = {False: 0, True: 0}
        self._detached: OrderedDict[str, Session] = OrderedDict()
        self._max_detached = detached
        self._resume_seconds = resume_seconds

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, origin: Origin) -> Session:
        """Take a place under a new unguessable id (128 random bits); raise ``CapacityReached``."""
        session = Session(id=secrets.token_hex(16), origin=origin, last_used=self.clock())
        self._seat(session)
        return session

    def _seat(self, session: Session) -> None:
        active, capacity = self._active[session.is_rest], self._capacity[session.is_rest]
        if active >= capacity:
            raise CapacityReached(active=active, capacity=capacity, is_rest=session.is_rest)
        self._sessions[session.id] = session
        self._active[session.is_rest] += 1

    def get(self, session_id: str) -> Session:
        """Return the session, at a new place if it was detached.

        Raises ``SessionNotFound``, or ``CapacityReached`` if a detached one finds no place.
        """
        session = self.known(session_id)
        if not self.is_open(session):
            self._seat(session)
            del self._detached[session_id]
            self.touch(session)
            session.is_looked_at = True
        return session

    def is_open(self, session: Session) -> bool:
        """Say whether the session has a place."""
        return self._sessions.get(session.id) is session

    def release(self, session: Session) -> bool:
        """Give the place back; say whether it was still taken."""
        if self._sessions.pop(session.id, None) is None:
            return False
        self._active[session.is_rest] -= 1
        return True

    def forget(self, session: Session) -> bool:
        """Drop a detached session; say whether it was one."""
        return self._detached.pop(session.id, None) is not None

    def known(self, session_id: str) -> Session:
        """Return the session where it is, with a place or without; raise ``SessionNotFound``."""
        session = self._sessions.get(session_id) or self._detached.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    def detach(self, session: Session, *, is_wanted: bool = False) -> list[Session]:
        """Give the place back and remember the session; return those that had to be dropped for it."""
        if not self.release(session):
            return []
        return self.remember([session], are_wanted=is_wanted)

    def remember(self, sessions: Iterable[Session], *, are_wanted: bool = False) -> list[Session]:
        """Take in detached sessions, longest unused first; return those that had to be dropped.

        Finished ones, and those of REST that were left unstepped, are dropped first, unless somebody has just
        looked at them: there is little to lose.
        """
        for session in sessions:
            is_left = session.is_rest and session.steps == 0 and self._is_idle(session)
            self.touch(session)  # the time in which it can be resumed begins now
            self._detached[session.id] = session
            if not are_wanted and (session.is_finished or is_left):
                self._detached.move_to_end(session.id, last=False)
        surplus = len(self._detached) - self._max_detached
        return [self._detached.popitem(last=False)[1] for _ in range(surplus)]

    def shed(self) -> list[Session]:
        """Drop and return a part of the detached sessions, those that are missed least."""
        number = math.ceil(len(self._detached) / 16)
        return [self._detached.popitem(last=False)[1] for _ in range(number)]

    def stale(self) -> list[Session]:
        """Drop and return the detached sessions that nobody resumed in time."""
        limit = self.clock() - self._resume_seconds
        late = [session for session in self._detached.values() if session.last_used < limit]
        for session in late:
            del self._detached[session.id]
        return late

    @property
    def capacity(self) -> dict[str, float]:
        """Places by kind, as ``active``."""
        return {
            "socket": self._capacity[False],
            "rest": self._capacity[True],
            "detached": self._max_detached,
        }

    @property
    def is_full(self) -> bool:
        """Whether a new socket would find no place."""
        return self._active[False] >= self._capacity[False]

    @property
    def active(self) -> dict[str, float]:
        """Number of sessions by kind: ``socket`` (and created), ``rest``, ``detached``."""
        return {
            "socket": self._active[False],
            "rest": self._active[True],
            "detached": len(self._detached),
        }

    def touch(self, session: Session) -> None:
        """Note that the session was used just now."""
        session.last_used = self.clock()

    def expired(self) -> list[Session]:
        """Return the sessions without a call for longer than allowed; a running call is not idle."""
        limit = self.clock() - self._idle_seconds
        return [s for s in self._sessions.values() if s.calls_running == 0 and s.last_used < limit]

    def least_wanted(self, *, is_rest: bool) -> Session | None:
        """Return the session without a socket that makes room at capacity, if there is one.

        The longest idle one that is finished; else one that is idle for long enough; else one that was never
        stepped. One that is still being opened makes no room.
        """
        ranked = [
            (0 if session.is_finished else 2 if session.steps == 0 else 1, session.last_used, session)
            for session in self._sessions.values()
            if session.is_rest is is_rest
            and session.calls_running == 0
            and session.connection is None
            and (session.is_finished or self._is_idle(session) or (session.steps == 0 < session.episode))
        ]
        return min(ranked, key=lambda entry: entry[:2])[2] if ranked else None

    def _is_idle(self, session: Session) -> bool:
        return session.last_used < self.clock() - self._rest_idle_seconds

    def all(self) -> list[Session]:
        """Return every session."""
        return list(self._sessions.values())
