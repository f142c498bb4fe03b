"""What is let fall unread: long messages, and pings but the last; all else arrives as it was sent."""

from __future__ import annotations

import asyncio
import base64
from itertools import pairwise

import pytest
from aiohttp import WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader
from aiohttp.http_websocket import WebSocketError
from hypothesis import given
from hypothesis import strategies as st

from app import sieve
from app.faults.raw import frame
from app.sieve import Sieve, TooLong, read
from tests.app.harness import connected, serving

TEXT, BINARY, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have long messages short."""
    monkeypatch.setattr(sieve, "MAX_READ", 300)
    monkeypatch.setattr(sieve, "MAX_MESSAGE", 2000)


def part(payload: bytes, opcode: int, *, is_final: bool = True) -> bytes:
    """Return a client's frame."""
    whole = frame(payload, opcode=opcode)
    return whole if is_final else bytes([whole[0] & 0x7F]) + whole[1:]


def heard(chunks: list[bytes], *, is_sieved: bool = True) -> list[tuple[WSMsgType, object]]:
    """Return the messages that come of it; a protocol error ends them."""
    loop = asyncio.new_event_loop()
    try:
        queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
        reader = WebSocketReader(queue, sieve.MAX_MESSAGE, compress=False, decode_text=True)
        sink = Sieve(reader) if is_sieved else reader
        for chunk in chunks:
            sink.feed_data(chunk)
        found: list[tuple[WSMsgType, object]] = []
        while queue._buffer:
            message = loop.run_until_complete(queue.read())
            found.append((message.type, message.data))
        if isinstance(error := queue.exception(), WebSocketError):
            found.append((WSMsgType.ERROR, error.code))
        return found
    finally:
        loop.close()


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut a stream at places."""
    ends = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(ends)]


def frames() -> st.SearchStrategy[bytes]:
    """Draw frames of any kind but pings, in an order that may make no sense, none longer than is read."""
    control = st.builds(part, st.binary(max_size=9), st.sampled_from([PONG, PING + 2, 3]))
    data = st.builds(
        part,
        st.integers(0, 130).map(lambda size: b"x" * size),
        st.sampled_from([TEXT, BINARY, CONTINUED]),
        is_final=st.booleans(),
    )
    whole = st.integers(0, 300).map(lambda size: part(b"y" * size, TEXT))
    return st.one_of(whole, whole, data, control)


@given(st.lists(frames(), max_size=2), st.binary(max_size=4), st.lists(st.integers(0, 1000), max_size=12))
def test_what_is_short_arrives_as_it_was_sent_however_it_is_cut(
    sent: list[bytes], rest: bytes, places: list[int]
) -> None:
    stream = b"".join(sent) + rest
    direct, sieved = heard([stream], is_sieved=False), heard(cut(stream, places))

    assert sieved == direct or (direct[:-1] == sieved and rest)  # the beginning of an error waits for its end


@given(st.integers(301, 1999), st.lists(st.integers(0, 3000), max_size=9))
def test_long_message_is_let_fall_and_the_next_is_heard(size: int, places: list[int]) -> None:
    stream = part(b"z" * size, TEXT) + part(b"next", TEXT)

    assert heard(cut(stream, places)) == [(WSMsgType.TEXT, f"\0{size}"), (WSMsgType.TEXT, "next")]


@given(st.lists(st.integers(0, 250), min_size=2, max_size=7), st.lists(st.integers(0, 3000), max_size=9))
def test_message_in_parts_is_let_fall_where_it_gets_long(sizes: list[int], places: list[int]) -> None:
    last = len(sizes) - 1
    stream = b"".join(
        part(b"z" * size, CONTINUED if n else TEXT, is_final=n == last) + part(b"", PONG)
        for n, size in enumerate(sizes)
    )

    [*_, (kind, text)] = [found for found in heard(cut(stream, places)) if found[0] is not WSMsgType.PONG]

    assert kind is WSMsgType.TEXT
    if sum(sizes) > 300:
        with pytest.raises(TooLong, match=f"of {sum(sizes)} bytes"):
            read(str(text))
    else:
        assert text == "z" * sum(sizes)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([part(b"z" * 2000, TEXT)], id="one-frame"),
        pytest.param([part(b"z" * 1990, TEXT, is_final=False), part(b"z" * 10, CONTINUED)], id="two-frames"),
        pytest.param([part(b"z" * 20, TEXT)[:1] + b"\xff" + b"\xff" * 12], id="as-long-as-can-be"),
    ],
)
def test_message_beyond_the_limit_is_refused_before_it_has_come(sent: list[bytes]) -> None:
    assert heard([b"".join(sent)[:2020]])[-1] == (WSMsgType.ERROR, 1009)


def test_text_in_the_middle_of_a_long_message_is_a_protocol_error() -> None:
    stream = [part(b"z" * 400, TEXT, is_final=False), part(b"other", TEXT), part(b"end", CONTINUED)]

    assert heard(stream)[-1][0] is WSMsgType.ERROR


def test_of_pings_that_come_together_the_last_is_answered() -> None:
    pings = [part(str(n).encode(), PING) for n in range(5)]

    together = heard([b"".join([*pings[:3], part(b"a", TEXT), *pings[3:], part(b"b", TEXT)[:3]])])

    assert together == [(WSMsgType.TEXT, "a"), (WSMsgType.PING, b"4")]
    assert [data for _, data in heard(pings)] == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("text", ["\0", "\0x", "{}\0" + "1" * 9, "\u0661", "x\0\u0661"])
def test_text_that_only_looks_let_fall_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(?!a message of)"):
        read(text)


async def test_frames_behind_the_handshake_are_sifted_too() -> None:
    key = base64.b64encode(bytes(16)).decode()
    handshake = (
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    long = part(b"z" * 400, TEXT)
    async with serving() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(handshake.encode() + part(b'{"type":"state"}', TEXT) + long[:100])
        await asyncio.sleep(0.2)
        writer.write(long[100:])
        said = await reader.readuntil(b"message of 400 bytes is not read")
        writer.close()

    assert b'{"type":"state"' in said


async def test_peer_is_told_and_goes_on() -> None:
    async with serving() as url, connected(url) as socket:
        long = await socket.call('{"type":"state","more":"' + "x" * 400 + '"}')
        state = await socket.call({"type": "state"})

    assert long["data"]["code"] == "VALIDATION_ERROR"
    assert state["type"] == "state"


def test_who_floods_with_pings_or_pongs_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(sieve.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sieve, "MAX_SMALL", 5)
    calm = Sieve(sink := Sink())
    for second in range(4):
        now[0] = second * 1.1
        calm.feed_data(part(b"", PING) * 3)
    calm.feed_data(part(b"", PONG) * 3)
    at_rest = sink.heard
    for many in (
        part(b"", PONG) * 12,
        part(b"", TEXT, is_final=False) + part(b"", CONTINUED, is_final=False) * 12,
    ):
        flooded = heard([part(b"{}", TEXT), many, part(b"{}", TEXT)])
        assert flooded[0] == (WSMsgType.TEXT, "{}")
        assert flooded[-1] == (WSMsgType.ERROR, 1002)
        assert [kind for kind, _ in flooded].count(WSMsgType.TEXT) == 1

    assert sieve._NO_FRAME not in at_rest


class Sink:
    """Keeps what it is fed."""

    heard = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.heard += data
        return False, b""

    def feed_eof(self) -> None:
        """Nothing follows."""


def test_a_frame_without_a_mask_does_not_put_the_sieve_out_of_step() -> None:
    unmasked = bytes([0x80 | TEXT, 4]) + b'"ab"' + bytes([0x80 | TEXT, 0xFE]) + (1000).to_bytes(2, "big")
    sifted = Sieve(sink := Sink())

    sifted.feed_data(unmasked + bytes(4) + b"x" * 1000)

    assert b"x" * 1000 not in sink.heard
