"""What goes between the server and a worker process: frames of bytes over a Unix-domain socket.

A request is a call number, a kind, a session id and a JSON body; a reply is the number, a status and
what ``app.hosting.Reply`` holds. Replies come in the order of the requests. Nothing is pickled.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from app.encoding import dumps, loads
from app.errors import FactoryFailed, MemoryExceeded
from app.hosting import Entry, Reply
from molforge.errors import (
    AgentError,
    BadAction,
    BadArgument,
    CallerError,
    EnvironmentFault,
    EpisodeOver,
    MolforgeError,
    NotReset,
)

_REQUEST = struct.Struct("<IIBB")
"""Length of what follows, call number, kind, length of the session id."""
_REPLY = struct.Struct("<IIBd?16sI")
"""Length of what follows, call number, status, reward, done, digest, length of the memory."""
_NO_DIGEST = b"\0" * 16


class Kind(IntEnum):
    """What a request asks for."""

    OPEN = 1
    RESET = 2
    STEP = 3
    STATE = 4
    DISCARD = 5
    """Has no reply."""


class Status(IntEnum):
    """What a reply holds."""

    REPLY = 0
    BYTES = 1
    ERROR = 2


class EnvironmentCrashed(Exception):
    """The environment raised something it should not have; the worker's log has the traceback."""


class Request(NamedTuple):
    """One call, as the worker sees it."""

    number: int
    kind: Kind
    session_id: str
    body: bytes


class Answer(NamedTuple):
    """One reply, as the server sees it."""

    number: int
    value: Reply | bytes | Exception


_KINDS = {int(kind): kind for kind in Kind}


class Stream:
    """Cuts a stream of bytes into frames."""

    def __init__(self, header: struct.Struct) -> None:
        self._header = header
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[tuple[Any, ...], bytes]]:
        """Yield (fields of the header, payload) of every frame that is whole."""
        if self._rest:
            data = self._rest + data
        position, size, unpack = 0, self._header.size, self._header.unpack_from
        while len(data) - position >= size:
            header = unpack(data, position)
            end = position + size + header[0]
            if end > len(data):
                break
            yield header, data[position + size : end]
            position = end
        self._rest = data[position:]


class Requests(Stream):
    """The worker's end."""

    def __init__(self) -> None:
        super().__init__(_REQUEST)

    def read(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that are complete."""
        for (_, number, kind, size), payload in self.feed(data):
            yield Request(number, _KINDS[kind], payload[:size].decode(), payload[size:])


class Answers(Stream):
    """The server's end."""

    def __init__(self) -> None:
        super().__init__(_REPLY)

    def read(self, data: bytes) -> Iterator[Answer]:
        """Yield the answers that are complete."""
        for (_, number, status, reward, done, digest, size), payload in self.feed(data):
            if status == Status.REPLY:
                memory = loads(payload[:size]) if size else None
                yield Answer(number, Reply(payload[size:], reward, done, digest.decode(), memory))
            else:
                yield Answer(number, payload if status == Status.BYTES else read_error(payload))


def request(number: int, kind: Kind, session_id: str, body: bytes = b"") -> bytes:
    """Return the frame of a request."""
    name = session_id.encode()
    return _REQUEST.pack(len(name) + len(body), number, kind, len(name)) + name + body


def answer(number: int, value: Reply | bytes | Exception) -> bytes:
    """Return the frame of an answer."""
    if isinstance(value, Reply):
        memory = b"" if value.memory is None else as_json(value.memory)
        header = _REPLY.pack(
            len(memory) + len(value.body),
            number,
            Status.REPLY,
            value.reward,
            value.done,
            value.digest.encode(),
            len(memory),
        )
        return header + memory + value.body
    status, body = (Status.BYTES, value) if isinstance(value, bytes) else (Status.ERROR, write_error(value))
    return _REPLY.pack(len(body), number, status, 0.0, False, _NO_DIGEST, 0) + body


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


_BY_MESSAGE: tuple[type[MolforgeError], ...] = (BadAction, CallerError, AgentError, EnvironmentFault)
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


def read_error(body: bytes) -> Exception:
    """Return the error that was written."""
    name, *fields = loads(body)
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
