"""Sessions of the Model Context Protocol: what ``Mcp-Session-Id`` names.

``initialize`` takes no place, since many clients only look: an environment is made at the first call
that needs one. Such sessions count as REST sessions, expire as they do, and are then unknown (404), at
which clients initialize again.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from app.errors import SessionNotFound
from app.service import Service
from app.sessions import Origin, Session

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions of the protocol with sessions, oldest first. The stateless one is in ``app.mcp_stateless``."""
LIMIT = 4096
"""Handshakes remembered at once; the longest unused goes first."""


@dataclass(slots=True, eq=False)
class McpSession:
    """One client's session."""

    id: str
    seat: Session | None = None
    """The session of the game, once something was played."""


class McpSessions:
    """All of them, longest unused first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sessions: dict[str, McpSession] = {}

    def open(self) -> McpSession:
        """Return a new session; nothing is made for it yet."""
        while len(self._sessions) >= self._limit:
            idle = (name for name, session in self._sessions.items() if session.seat is None)
            self._sessions.pop(next(idle, None) or next(iter(self._sessions)))  # its game expires by itself
        session = McpSession(id=secrets.token_hex(16))
        self._sessions[session.id] = session
        return session

    def get(self, session_id: str, service: Service) -> McpSession:
        """Return the session.

        Raises ``SessionNotFound`` if there is none, or if its game is no more.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        if session.seat is not None:
            try:
                service.sessions.known(session.seat.id)
            except SessionNotFound:
                del self._sessions[session_id]
                raise
        self._sessions[session_id] = self._sessions.pop(session_id)  # now the one used last
        return session

    def close(self, session_id: str, service: Service) -> None:
        """Forget the session and free its place; raise ``SessionNotFound``."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            raise SessionNotFound(session_id)
        if session.seat is not None:
            service.close(session.seat)

    @asynccontextmanager
    async def seated(self, session: McpSession, service: Service) -> AsyncIterator[Session]:
        """Wait for the session's turn and yield its game; raise ``CapacityReached`` or ``FactoryFailed``."""
        async with service.turns.of(session.id):
            if session.seat is None:
                session.seat = await service.open(Origin.REST)
            else:
                session.seat = service.find(session.seat.id)  # at a new place if it had lost its own
            yield session.seat


MCP_SESSIONS = web.AppKey("mcp_sessions", McpSessions)


def negotiate(wanted: object) -> str:
    """Return the revision to speak: the client's if we know it, else our newest."""
    return wanted if isinstance(wanted, str) and wanted in VERSIONS else VERSIONS[-1]
