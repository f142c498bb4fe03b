"""What a peer sends, sifted before it is put together: messages longer than anything that is said here.

A message is handed over when it has come whole. To put 16 MiB together, decode and parse them holds up
everybody for tenths of a second, and nothing that this server understands is longer than ``MAX_READ``. So the
bytes of a longer one are let fall as they come, and a short one that says how long it was takes its place.

Of pings that come together the last is handed on: its pong answers them all (RFC 6455, 5.5.3). Who sends
thousands of pings, pongs or parts of a message a second is let go: to look at them holds up everybody, too.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

from aiohttp import web

from app.encoding import NotJson, received

MAX_MESSAGE = 16 * 2**20
"""Bytes of one message in; larger ones close the socket with 1009."""
MAX_READ = 2**20
"""Bytes of the longest message that is read; longer ones are answered with an error."""
MAX_SMALL = 2000
"""Pings, pongs and parts of messages that one socket may send in a second."""
_CONTINUATION, _TEXT, _CLOSE, _PING, _PONG = 0, 1, 8, 9, 10
_NO_FRAME = b"\x83\0"
"""The reader refuses it, and closes with 1002."""
_OPCODES = frozenset((0, 1, 2, 8, 9, 10))
_MARK = b"\0"
"""Begins what takes a message's place; no JSON document has it."""


class TooLong(NotJson):
    """A message that was let fall."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a message of {size} bytes is not read: all that is understood here is shorter")


def read(text: str) -> Any:
    """Return the document of a message; raise ``NotJson``, ``TooLong`` where the message was let fall."""
    try:
        return received(text)
    except NotJson:
        _, mark, size = text.rpartition(_MARK.decode())
        if mark and len(size) < 9 and size.isascii() and size.isdigit():
            raise TooLong(int(size)) from None
        raise


class Reader(Protocol):
    """What puts messages together."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take in what came."""

    def feed_eof(self) -> None:
        """Take note that nothing more will come."""


class SievedSocket(web.WebSocketResponse):
    """A socket with a sieve between the connection and aiohttp's reader, which leaves no place for one."""

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        handler: Any = request.protocol
        early, handler._message_tail = handler._message_tail, b""
        super()._post_start(request, protocol, writer)
        handler._payload_parser = sieve = Sieve(handler._payload_parser)
        if early:
            sieve.feed_data(early)


class Sieve:
    """One connection's sieve."""

    __slots__ = (
        "_begun", "_is_open", "_last", "_left", "_message", "_reader", "_second", "_sheds", "_small",
    )  # fmt: skip

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._is_open = True
        """Whether it sifts. What follows bytes that are no frame is the reader's alone."""
        self._begun = b""
        """A header or a control frame that has not come whole."""
        self._left = 0
        """Bytes of the present frame that have not come."""
        self._message = 0
        """Bytes of the present message, as far as its frames have begun; 0: there is none."""
        self._last: int | None = None
        """Opcode of the present frame if it is the last of its message."""
        self._sheds = False
        """Whether the present message is let fall."""
        self._second = 0.0
        """When the present second began ..."""
        self._small = 0
        """... and how many pings, pongs and parts came in it."""

    def feed_eof(self) -> None:
        """Take note that nothing more will come."""
        self._reader.feed_eof()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Hand on what is to be read."""
        if self._is_open and (self._message or self._begun or not _is_one_text(data)):
            data = self._sift(data)
            if not data:
                return False, b""
        return self._reader.feed_data(data)

    def _sift(self, data: bytes) -> bytes:
        if self._begun:
            data, self._begun = self._begun + data, b""
        parts: list[bytes] = []
        place, end, ping = 0, len(data), -1
        while place < end and self._is_open:
            if self._left:
                place = self._go_on(data, place, parts)
                continue
            frame = _read_header(data, place)
            if frame is None:
                self._begun = data[place:]
                return b"".join(parts)
            if frame.opcode < 0:
                self._is_open = False
            elif self._counts(frame):
                self._is_open = False
                return b"".join((*parts, _NO_FRAME))
            elif frame.opcode < _CLOSE:
                self._begin(frame, data[place : frame.start], parts)
                place = frame.start
            else:
                if frame.opcode == _PING:
                    if ping >= 0:
                        parts[ping] = b""
                    ping = len(parts)
                parts.append(data[place : frame.start + frame.length])
                place = frame.start + frame.length
        parts.append(data[place:])
        return b"".join(parts)

    def _counts(self, frame: _Frame) -> bool:
        """Count what is no message of its own; say whether too many of them came within a second."""
        if frame.is_final and frame.opcode not in (_CONTINUATION, _PING, _PONG):
            return False
        self._small += 1
        if self._small <= MAX_SMALL:
            return False
        now = time.monotonic()
        is_flood = now - self._second < 1.0
        self._second, self._small = now, 1
        return is_flood

    def _begin(self, frame: _Frame, header: bytes, parts: list[bytes]) -> None:
        """Begin a frame of a message."""
        self._left = frame.length
        self._last = frame.opcode if frame.is_final else None
        self._message += frame.length
        if self._message >= MAX_MESSAGE or (self._sheds and frame.opcode != _CONTINUATION):
            self._is_open = False
            header = header[:1] + b"\x7f" + MAX_MESSAGE.to_bytes(8, "big")  # the reader refuses it
        elif self._message > MAX_READ:
            if not self._sheds and not frame.is_final:
                parts.append(bytes([frame.opcode, len(_MARK)]) + _MARK)
            self._sheds = True
        if not self._sheds or not self._is_open:
            parts.append(header)
        if not self._left:
            self._end(parts)

    def _go_on(self, data: bytes, place: int, parts: list[bytes]) -> int:
        """Go on with a frame; return where the rest begins."""
        upto = min(len(data), place + self._left)
        self._left -= upto - place
        if not self._sheds:
            parts.append(data[place:upto])
        if not self._left:
            self._end(parts)
        return upto

    def _end(self, parts: list[bytes]) -> None:
        """End a frame, and the message if it is its last."""
        if self._last is not None:
            if self._sheds:
                text = _MARK + str(self._message).encode()
                parts.append(bytes([0x80 | self._last, len(text)]) + text)
            self._message, self._sheds = 0, False


class _Frame(NamedTuple):
    """What a header says."""

    opcode: int
    """-1: it is no frame's."""
    is_final: bool
    length: int
    start: int
    """Where the payload begins."""


def _read_header(data: bytes, place: int) -> _Frame | None:
    """Return the frame that begins there; None: not enough has come to begin it."""
    come = len(data) - place
    if come < 2:
        return None
    first, second = data[place], data[place + 1]
    opcode, is_final, length = first & 0x0F, first >= 0x80, second & 0x7F
    if first & 0x70 or opcode not in _OPCODES or (opcode >= _CLOSE and (length > 125 or not is_final)):
        return _Frame(-1, is_final, length, place)
    extra = (length > 125) * 2 + (length > 126) * 6
    size = 2 + extra + (second >> 7) * 4
    if come < size + (length if opcode >= _CLOSE else 0):
        return None
    if extra:
        length = int.from_bytes(data[place + 2 : place + 2 + extra], "big")
    return _Frame(opcode, is_final, length, place + size)


def _is_one_text(data: bytes) -> bool:
    """Say whether this is one whole masked text frame that is not long: what nearly always comes."""
    size = len(data)
    if size < 6 or data[0] != 0x80 | _TEXT or data[1] < 0x80:
        return False
    length = data[1] & 0x7F
    return size == length + 6 if length < 126 else length == 126 and size == (data[2] << 8 | data[3]) + 8
