"""Errors of the server, and the one place where errors become statuses, codes and frames.

    MolforgeError
    ├── ... (molforge.errors)
    └── ServerError
        ├── SessionNotFound    no session of that id, or no longer
        ├── SessionBusy        another connection's call is running in this session
        ├── AlreadyAttached    another socket drives this session
        ├── CapacityReached    no free place
        ├── CallTimedOut       the call ran too long and was given up; nothing happened
        ├── CallCrashed        the call ended its worker, again and again; nothing happened
        ├── Overloaded         the call never started; nothing happened
        ├── RateLimited        too many calls a second; nothing happened
        ├── MemoryExceeded     the call needed more memory than there is for one; nothing happened
        ├── JournalFailed      the call could not be recorded and was undone
        ├── FactoryFailed      the environment could not be made
        └── EnvironmentLost    between engine and service only: the environment is to be made anew

Only ``MolforgeError`` messages go out; anything else is logged and answered with a fixed sentence.
"""

from __future__ import annotations

import logging
from typing import Any

from molforge.errors import (
    AgentError,
    BadArgument,
    EnvironmentFault,
    EpisodeOver,
    MolforgeError,
    NotReset,
)

log = logging.getLogger(__name__)

INTERNAL = "INTERNAL_ERROR"
INTERNAL_MESSAGE = "internal error; it has been logged, and this session can go on"


class ServerError(MolforgeError):
    """The server cannot do what was asked; the environment is not to blame."""

    code = "SERVER_ERROR"


class SessionNotFound(ServerError):
    """There is no session of that id, or no longer."""

    code = "SESSION_NOT_FOUND"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Unknown session_id: {session_id[:64]}; POST /reset opens a session")


class SessionBusy(ServerError):
    """A call of another connection is running in this session."""

    code = "SESSION_BUSY"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id} is busy with another call: wait for its reply")


class AlreadyAttached(ServerError):
    """The session has a socket already."""

    code = "ALREADY_ATTACHED"

    def __init__(self, session_id: str) -> None:
        super().__init__(f"Session {session_id} already has an attached WebSocket")


class CapacityReached(ServerError):
    """No free place of the kind that was asked for."""

    code = "CAPACITY_REACHED"

    def __init__(self, *, active: int, capacity: int, is_rest: bool = False) -> None:
        super().__init__(
            f"Server at capacity: {active}/{capacity} sessions active. Cannot accept new connections."
        )
        self.active = active
        self.capacity = capacity
        self.is_rest = is_rest

    @property
    def numbers(self) -> dict[str, int]:
        """The two numbers under the names stock clients read."""
        return {"active_sessions": self.active, "max_sessions": self.capacity}


class CallTimedOut(ServerError):
    """A call ran longer than allowed and was given up; the session is as it was before."""

    code = "STEP_TIMEOUT"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the call took longer than {seconds:g} s and was given up; the session is as it was before"
        )


class CallCrashed(ServerError):
    """A call ended its worker process every time it was tried; the session is as it was before."""

    code = "CALL_CRASHED"

    def __init__(self) -> None:
        super().__init__(
            "this call made its worker process fail and was given up; the session is as it was before"
        )


class JournalFailed(ServerError):
    """A call could not be written to the journal, so it was undone."""

    code = "JOURNAL_FAILED"

    def __init__(self, why: str) -> None:
        super().__init__(f"the journal cannot be written ({why}); nothing happened: repeat the call later")


class EnvironmentLost(ServerError):
    """The engine holds no environment for this session, or no longer. Never leaves the service."""

    code = "ENVIRONMENT_LOST"

    def __init__(self, session_id: str, *, had_begun: bool = False, is_suspect: bool = False) -> None:
        super().__init__(f"the environment of session {session_id} is gone")
        self.had_begun = had_begun
        """Whether the call itself is what was running when it ended."""
        self.is_suspect = is_suspect
        """Whether it was among the calls of which one was running then."""


class Overloaded(ServerError):
    """A call waited longer than allowed for its turn. Nothing happened."""

    code = "OVERLOADED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the server had no time for this call within {seconds:g} s; nothing happened: repeat it"
        )


class RateLimited(ServerError):
    """Too many calls a second from one address, or from all. Nothing happened."""

    code = "RATE_LIMITED"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many calls a second; nothing happened: repeat it in {seconds:.1f} s")
        self.seconds = seconds


class MemoryExceeded(ServerError):
    """A call needed more memory than a worker may take; the session is as it was before."""

    code = "OUT_OF_MEMORY"

    def __init__(self) -> None:
        super().__init__(
            "the call needed more memory than a worker may take and was given up; "
            "the session is as it was before"
        )


class FactoryFailed(ServerError):
    """The environment of a new session could not be made; the log says why."""

    code = "FACTORY_ERROR"

    def __init__(self, factory: str) -> None:
        super().__init__(f"Environment factory '{factory}' failed to create instance.")
        self.factory = factory


_STATUS: dict[type[Exception], int] = {
    BadArgument: 422,
    AgentError: 422,
    NotReset: 409,
    EpisodeOver: 409,
    SessionNotFound: 404,
    SessionBusy: 409,
    AlreadyAttached: 409,
    CapacityReached: 503,
    Overloaded: 503,
    RateLimited: 429,
    MemoryExceeded: 500,
    CallTimedOut: 504,
    CallCrashed: 500,
    JournalFailed: 503,
    FactoryFailed: 500,
    EnvironmentFault: 500,
}


def status_of(error: Exception) -> int:
    """Return the HTTP status: that of the nearest mapped ancestor, else 500."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def http_body(error: Exception) -> dict[str, Any]:
    """Return the JSON body that goes with ``status_of``."""
    if isinstance(error, BadArgument):
        return {"detail": [_entry(error)], "code": error.code}
    message, code = _public(error)
    return {"detail": message, "code": code}


def frame(error: Exception) -> dict[str, Any]:
    """Return the WebSocket error frame of anything that went wrong in a call.

    Stock clients read ``code``, of which there are few; ``cause`` is this project's own stable code.
    """
    message, cause = _public(error)
    if isinstance(error, CapacityReached):
        return error_frame(message, CapacityReached.code, **error.numbers)
    if isinstance(error, FactoryFailed):
        return error_frame(message, FactoryFailed.code, factory_name=error.factory)
    if isinstance(error, SessionNotFound | AlreadyAttached):
        return error_frame(message, "SESSION_ERROR", cause=cause)
    return error_frame(message, "EXECUTION_ERROR", cause=cause)


def error_frame(message: str, code: str, **extra: Any) -> dict[str, Any]:
    """Return an error frame."""
    return {"type": "error", "data": {"message": message, "code": code, **extra}}


def report(error: Exception, *, where: str, session_id: str = "") -> None:
    """Log what is our fault; what callers and agents do wrong is no news."""
    if status_of(error) == 500:
        log.error("%s failed in session %s", where, session_id or "-", exc_info=error)


def _public(error: Exception) -> tuple[str, str]:
    """Return (message, code) without anything that a caller may not know."""
    if isinstance(error, MolforgeError) and not isinstance(error, EnvironmentFault):
        return str(error), error.code
    return INTERNAL_MESSAGE, EnvironmentFault.code if isinstance(error, EnvironmentFault) else INTERNAL


def _entry(error: BadArgument) -> dict[str, Any]:
    return {
        "type": error.code.lower(),
        "loc": ["body", error.argument],
        "msg": str(error),
        "ctx": {"allowed": error.allowed},
    }
