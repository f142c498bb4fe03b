"""JSON in and out of bytes.

In: everything the standard library reads (NaN literals, whole numbers of any size), except text that is
not text (lone surrogates) and nesting beyond what the interpreter can follow; of callers, no more than
anybody has to say. Out: NaN and infinity become null.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_DEPTH = 64
"""Levels of nesting in what a caller sends; an action has three, a task row with its prompt a few more."""
MAX_VALUES = 10_000
"""Members of all lists and objects in it. Each may cost an error message of its own."""


class NotJson(ValueError):
    """Bytes that are no JSON document."""

    def __init__(self, why: str, position: int = 0) -> None:
        super().__init__(why)
        self.position = position
        """Index of the character where reading stopped."""


def loads(data: str | bytes) -> Any:
    """Return the value of a document; raise ``NotJson``.

    orjson is strict about NaN and lone surrogates; what it refuses
    is read again by the standard library. Whole numbers beyond 64 bits are read as floats.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _loads_tolerantly(data)
    return value


def received(data: str | bytes) -> Any:
    """Return the value of a caller's document; raise ``NotJson``, also where it is beyond all use in size."""
    value = loads(data)
    text = data.encode(errors="replace") if isinstance(data, str) else data
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH or text.count(b",") > MAX_VALUES:
        _check_size(value)
    return value


def _check_size(value: Any) -> None:
    level, members = [value], 0
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer if isinstance(outer, list) else outer.values())
        ]
        members += len(level)
        if members > MAX_VALUES:
            raise NotJson(f"more than {MAX_VALUES} values")
        if not level:
            return
    raise NotJson(f"nested more than {MAX_DEPTH} levels deep")


def dumps(value: Any) -> bytes:
    """Return the document of a value; what is no text in it (header bytes, say) becomes ``?``."""
    try:
        return orjson.dumps(value)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode(errors="replace")


def _loads_tolerantly(data: str | bytes) -> Any:
    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as why:
        raise NotJson(why.msg, why.pos) from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except UnicodeEncodeError:
        raise NotJson("a lone surrogate is not text") from None
    except ValueError as why:
        raise NotJson(str(why)[:200]) from None
    return value
