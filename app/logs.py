"""Log lines: one shape for the server and its workers, with the ids of request and session, no payloads.

``text`` for people: ``time level logger message [session=... request=...]``. ``json`` for machines: one
object a line.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.encoding import dumps

FORMATS = ("text", "json")
session_id: ContextVar[str] = ContextVar("session_id", default="")
request_id: ContextVar[str] = ContextVar("request_id", default="")
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def set_up(*, level: str, form: str) -> None:
    """Send all log lines to stderr in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def new_request_id(given: str | None) -> str:
    """Return the caller's own id if it is fit for a log line, else a new one."""
    return given if given and _GIVEN.fullmatch(given) else secrets.token_hex(8)


def ids() -> dict[str, str]:
    """Return the ids that are known here."""
    known = {"session": session_id.get(), "request": request_id.get()}
    return {name: value for name, value in known.items() if value}


class Text(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Return the line, with the ids at its end."""
        known = " ".join(f"{name}={value}" for name, value in ids().items())
        return super().formatMessage(record) + (f" [{known}]" if known else "")


class Json(logging.Formatter):
    """For machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **ids(),
            "process": record.process,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return dumps(line).decode()
