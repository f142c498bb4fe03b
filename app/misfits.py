"""What did not fit a wire model, as the wire tells it: entries as FastAPI has them, and sentences."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

_ECHO_LIMIT = 500
"""Bytes of a wrong input that are sent back in an error."""


def describe(error: ValidationError, *, prefix: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return pydantic's error list fit for the wire: no exception objects, no megabytes sent back."""
    entries = []
    for found in error.errors(include_context=False):
        entry: dict[str, Any] = {
            "type": found["type"],
            "loc": [*prefix, *(part if isinstance(part, int) else str(part)[:200] for part in found["loc"])],
            "msg": found["msg"],
            "input": shorten(found["input"]),
        }
        if "url" in found:
            entry["url"] = found["url"]
        entries.append(entry)
        if len(entries) == 50:
            break
    return entries


def as_sentence(entry: dict[str, Any]) -> str:
    """Return one of ``describe``'s entries as text."""
    return f"{'.'.join(map(str, entry['loc'])) or 'message'}: {entry['msg']}"


def shorten(value: Any) -> Any:
    """Return what is said of a wrong input: small ones whole, others by size."""
    if value is None or isinstance(value, bool | int | float):
        return value if not isinstance(value, int) or abs(value) < 2**53 else f"<int {str(value)[:40]}>"
    if isinstance(value, str):
        return value if len(value) <= _ECHO_LIMIT else f"{value[:100]}... ({len(value)} characters)"
    return f"<{type(value).__name__} of {len(value)}>" if isinstance(value, list | dict) and value else value
