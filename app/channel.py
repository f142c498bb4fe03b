"""What goes between the server and a worker process: batches over a Unix-domain socket.

A batch is a JSON array of calls or of answers, and after it their bodies, each to be read by itself. A call
is its number, kind, session id and the length of its body; an answer its number, status, the length of its
body, and what else ``app.hosting.Reply`` holds. Answers come in the order of the calls. Nothing is pickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

import orjson

from app.encoding import dumps, loads
from app.errors import FactoryFailed, MemoryExceeded
from app.hosting import Entry, Reply
from molforge.errors import (
    AgentError,
    BadArgument,
    CallerError,
    EnvironmentFault,
    EpisodeOver,
    MolforgeError,
    NotReset,
)

_SIZES = struct.Struct("<II")
"""Lengths of the JSON and of the bodies."""


class Kind(IntEnum):
    """What a call asks for."""

    OPEN = 1
    RESET = 2
    STEP = 3
    STATE = 4
    DISCARD = 5
    """Has no answer."""


class Status(IntEnum):
    """What an answer holds."""

    REPLY = 0
    BYTES = 1
    ERROR = 2


_REPLY, _BYTES, _ERROR = map(int, Status)


class EnvironmentCrashed(Exception):
    """The environment raised something it should not have; the worker's log has the traceback."""


Outcome = Reply | bytes | Exception
"""What comes of a call."""


class Batches:
    """Cuts a stream of bytes into batches."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, data: bytes) -> list[tuple[list[Any], bytes]]:
        """Return the array and the bodies of every batch that is whole."""
        if self._rest:
            data = self._rest + data
        found = []
        position, length = 0, len(data)
        while length - position >= _SIZES.size:
            size, bodies = _SIZES.unpack_from(data, position)
            middle = position + _SIZES.size + size
            end = middle + bodies
            if end > length:
                break
            found.append((loads(data[middle - size : middle]), data[middle:end]))
            position = end
        self._rest = data[position:]
        return found


class Batch:
    """A batch that is being made."""

    def __init__(self) -> None:
        self._array: list[tuple[Any, ...]] = []
        self._bodies: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._array)

    def taken(self) -> bytes:
        """Return it, and begin another."""
        array, bodies = dumps(self._array), b"".join(self._bodies)
        self._array, self._bodies = [], []
        return _SIZES.pack(len(array), len(bodies)) + array + bodies


class Calls(Batch):
    """What the server sends."""

    def add(self, number: int, kind: Kind, session_id: str, body: bytes = b"") -> None:
        """Add a call."""
        self._array.append((number, kind, session_id, len(body)))
        self._bodies.append(body)


class Answers(Batch):
    """What the worker sends."""

    def add(self, number: int, value: Outcome) -> None:
        """Add the answer to a call."""
        if isinstance(value, Reply):
            body, reward, done, digest, memory = value
            more = None if memory is None else orjson.Fragment(as_json(memory))
            self._array.append((number, _REPLY, len(body), reward, done, digest, more))
            self._bodies.append(body)
        elif isinstance(value, bytes):
            self._array.append((number, _BYTES, len(value), 0.0, False, "", None))
            self._bodies.append(value)
        else:
            fields = orjson.Fragment(write_error(value))
            self._array.append((number, _ERROR, 0, 0.0, False, "", fields))


def read_answers(array: list[Any], bodies: bytes) -> dict[int, Outcome]:
    """Return the answers of a batch by call number."""
    found: dict[int, Outcome] = {}
    begin = 0
    for number, status, size, reward, done, digest, more in array:
        end = begin + size
        if status == _REPLY:
            found[number] = Reply(bodies[begin:end], reward, done, digest, more)
        else:
            found[number] = bodies[begin:end] if status == _BYTES else read_error(more)
        begin = end
    return found


def as_json(value: Any) -> bytes:
    """Return JSON that reads back as the same value, NaN and whole numbers of any size included."""
    return json.dumps(value, separators=(",", ":")).encode()


def action_as_json(message: Mapping[str, Any]) -> bytes:
    """Return the JSON of an action; only predictions can hold NaN, which the fast way would lose."""
    return as_json(message) if "predicted" in message else dumps(message)


def write_history(history: Sequence[Entry]) -> bytes:
    """Return a record as JSON: what a replay needs of it."""
    rows = [[e.kind, e.message, e.digest, e.memory, e.episode, e.number] for e in history]
    return as_json(rows)


def read_history(body: bytes) -> list[Entry]:
    """Return the record; rewards are not in it."""
    return [
        Entry(
            kind=kind,
            message=message,
            reward=0.0,
            done=False,
            digest=digest,
            memory=memory,
            episode=episode,
            number=number,
        )
        for kind, message, digest, memory, episode, number in loads(body)
    ]


_BY_MESSAGE: tuple[type[MolforgeError], ...] = (CallerError, AgentError, EnvironmentFault)
"""Errors that are nothing but their message, special ones first."""
_BY_NAME = {kind.__name__: kind for kind in _BY_MESSAGE}


def write_error(error: Exception) -> bytes:
    """Return an error as JSON; what is nobody's on purpose keeps only the name of its type."""
    match error:
        case BadArgument():
            fields: list[Any] = ["BadArgument", error.argument, error.value, error.allowed]
        case FactoryFailed():
            fields = ["FactoryFailed", error.factory]
        case MemoryError():
            fields = ["MemoryExceeded"]
        case NotReset() | EpisodeOver():
            fields = [type(error).__name__]
        case _:
            name = next((kind.__name__ for kind in _BY_MESSAGE if isinstance(error, kind)), None)
            fields = [name, str(error)] if name else ["", type(error).__name__]
    return as_json(fields)


def read_error(written: list[Any]) -> Exception:
    """Return the error that was written."""
    name, *fields = written
    match name:
        case "BadArgument":
            return BadArgument(*fields)
        case "FactoryFailed":
            return FactoryFailed(*fields)
        case "MemoryExceeded":
            return MemoryExceeded()
        case "NotReset":
            return NotReset()
        case "EpisodeOver":
            return EpisodeOver()
    return _BY_NAME[name](*fields) if name in _BY_NAME else EnvironmentCrashed(*fields)
