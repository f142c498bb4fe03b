"""The session table: who is here, how many may be, and who has been idle for too long."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.errors import CapacityReached, SessionNotFound


class Origin(StrEnum):
    """How a session came about. REST sessions have a capacity of their own."""

    SOCKET = "socket"
    """Lives and dies with its WebSocket."""
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
    connection: Connection | None = None
    """The attached socket."""
    is_closing: bool = False
    """To be closed when its socket detaches."""

    @property
    def is_rest(self) -> bool:
        """Counts against the REST capacity."""
        return self.origin is Origin.REST


class SessionTable:
    """All sessions of one server. Nothing here waits, so check-then-act cannot be interrupted."""

    def __init__(
        self,
        *,
        capacity: int,
        rest_capacity: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = {False: capacity, True: rest_capacity}
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._active = {False: 0, True: 0}

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, origin: Origin) -> Session:
        """Take a place under a new unguessable id (128 random bits); raise ``CapacityReached``."""
        is_rest = origin is Origin.REST
        if self._active[is_rest] >= self._capacity[is_rest]:
            raise CapacityReached(active=self._active[is_rest], capacity=self._capacity[is_rest])
        session = Session(id=secrets.token_hex(16), origin=origin, last_used=self._clock())
        self._sessions[session.id] = session
        self._active[is_rest] += 1
        return session

    def get(self, session_id: str) -> Session:
        """Return the session; raise ``SessionNotFound``."""
        session = self._sessions.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    def release(self, session: Session) -> bool:
        """Give the place back; say whether it was still taken."""
        if self._sessions.pop(session.id, None) is None:
            return False
        self._active[session.is_rest] -= 1
        return True

    def touch(self, session: Session) -> None:
        """Note that the session was used just now."""
        session.last_used = self._clock()

    def expired(self) -> list[Session]:
        """Return the sessions without a call for longer than allowed; a running call is not idle."""
        limit = self._clock() - self._idle_seconds
        return [s for s in self._sessions.values() if s.calls_running == 0 and s.last_used < limit]

    def least_wanted(self) -> Session | None:
        """Return the longest idle REST session that was never stepped, if there is one."""
        idle = (
            session
            for session in self._sessions.values()
            if session.is_rest
            and session.steps == 0
            and session.calls_running == 0
            and session.connection is None
        )
        return min(idle, key=lambda session: session.last_used, default=None)

    def all(self) -> list[Session]:
        """Return every session."""
        return list(self._sessions.values())
