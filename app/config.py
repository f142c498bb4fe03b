"""Every setting, read once at the edge and handed down as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from app.logs import FORMATS

PREFIX = "MOLFORGE_"
_POSITIVE = (
    "max_sessions",
    "max_rest_sessions",
    "max_detached",
    "idle_seconds",
    "rest_idle_seconds",
    "resume_seconds",
    "call_seconds",
    "threads",
    "worker_memory_mb",
)


class BadSetting(ValueError):
    """A setting with an impossible value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one server.

    Each can be given as ``MOLFORGE_<NAME>`` in the environment and as ``--<name>`` on the command line,
    which wins.
    """

    host: str = "0.0.0.0"
    """Address to listen on; all by default, as containers need."""
    port: int = 8000
    """TCP port; 0 takes a free one."""
    max_sessions: int = 1024
    """WebSocket (and ``openenv/session/create``) sessions at once; further ones hear CAPACITY_REACHED."""
    max_rest_sessions: int = 1024
    """REST sessions at once; an idle one makes room for a new one, else 503 with Retry-After."""
    rest_idle_seconds: float = 60.0
    """A stepped REST session idle for so long can lose its place to a new one; it is resumed by its id."""
    idle_seconds: float = 3600.0
    """A session without reset or step for this long loses its place; it can be resumed for a while."""
    max_detached: int = 4096
    """Sessions without a socket that can be resumed by id; the longest unused ones make room."""
    resume_seconds: float = 900.0
    """How long a session without a socket can be resumed."""
    call_seconds: float = 60.0
    """Limit of one reset or step; a call that takes longer is given up, its session is as before it."""
    workers: int = -1
    """Processes that run environments; -1: one per core, 0: none, threads of the server do."""
    threads: int = 4
    """Threads that run environments where there are no worker processes."""
    worker_memory_mb: int = 1024
    """MiB a worker may take beyond what it shares; then it is replaced, at twice as much in mid-call."""
    journal: Path | None = None
    """SQLite file that keeps every session for a restarted server; None: in memory, while the server runs."""
    drain_seconds: float = 3.0
    """How long a stopping server waits for running calls."""
    secret: bytes | None = field(default=None, repr=False)
    """Key of all worlds (``MOLFORGE_SECRET`` as text, or ``--secret-file``); None: the public default."""
    calls_per_second: float = 5000.0
    """Requests and frames of all addresses together in a second; 0: no limit. Loopback is never limited."""
    calls_per_second_per_address: float = 500.0
    """The same for each address: requests above it hear 429, frames of a socket wait."""
    trust_forwarded: bool = False
    """Take the caller's address from X-Forwarded-For: only behind a proxy that sets it."""
    access_log: bool = False
    """One line per HTTP request."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR; logs go to stderr and hold ids, never messages."""
    log_format: str = "text"
    """``text`` for people or ``json``, one object a line; both carry the ids of session and request."""

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not 0 <= self.port <= 65535:
            raise BadSetting(f"port={self.port} is not possible; allowed: 0 to 65535")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise BadSetting(f"{name}={getattr(self, name)} is not possible; allowed: more than 0")
        if not -1 <= self.workers <= 256:
            raise BadSetting(f"workers={self.workers} is not possible; allowed: -1 to 256")
        for name in ("calls_per_second", "calls_per_second_per_address"):
            if not 0 <= getattr(self, name) < math.inf:
                raise BadSetting(f"{name}={getattr(self, name)} is not possible; allowed: 0 or more")
        if self.log_format not in FORMATS:
            raise BadSetting(f"log_format={self.log_format!r} is not possible; allowed: {', '.join(FORMATS)}")
        if self.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise BadSetting(
                f"log_level={self.log_level!r} is not possible; allowed: DEBUG, INFO, WARNING, ERROR"
            )

    @staticmethod
    def from_environ(environ: Mapping[str, str], **given: Any) -> Config:
        """Return the settings; ``given`` (None: not given) wins over ``environ``.

        ``secret_file`` names a file that holds the secret; white space at its ends does not count.
        """
        values: dict[str, Any] = {}
        for setting in fields(Config):
            text = environ.get(PREFIX + setting.name.upper())
            if text:
                values[setting.name] = _parse(setting.name, text, type(setting.default))
        secret_file = given.pop("secret_file", None) or environ.get(f"{PREFIX}SECRET_FILE")
        if secret_file:
            values["secret"] = _read_secret(Path(secret_file))
        values.update({name: value for name, value in given.items() if value is not None})
        return Config(**values)


def _parse(name: str, text: str, kind: type) -> Any:
    if name == "secret":
        return text.encode()
    if name == "journal":
        return Path(text)
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            return text.lower() in ("1", "true", "yes", "on")
        raise BadSetting(f"{PREFIX}{name.upper()}={text!r} is not possible; allowed: true or false")
    if kind is str:
        return text
    try:
        return kind(text)
    except ValueError:
        raise BadSetting(f"{PREFIX}{name.upper()}={text!r} is not possible; allowed: a number") from None


def _read_secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().strip()
    except OSError as why:
        raise BadSetting(f"cannot read the secret file {path}: {why.strerror}") from None
    if not secret:
        raise BadSetting(f"the secret file {path} is empty")
    return secret
