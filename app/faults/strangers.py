"""Aborted connections, intruders, slow peers, floods; a thousand sockets at SIGTERM."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import aiohttp

from app.faults.kills import playing
from app.faults.players import MAX_REPLY, Player, quantile, settle
from app.faults.server import Server, served
from app.faults.verdict import Verdict

_RESET = b'{"type":"reset","data":{"seed":1}}'
_LINGER_NONE = struct.pack("ii", 1, 0)


class Raw:
    """A TCP connection that speaks as little WebSocket as it has to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def connect(self) -> None:
        """Open the connection, and nothing else."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def upgrade(self) -> None:
        """Become a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await self.reader.readuntil(b"\r\n\r\n")

    def send(self, payload: bytes, *, opcode: int = 1) -> None:
        """Send a frame (masked with zeros)."""
        self.writer.write(frame(payload, opcode=opcode))

    async def receive(self) -> bytes:
        """Receive a frame."""
        header = await self.reader.readexactly(2)
        size = header[1] & 127
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return await self.reader.readexactly(size)

    def abort(self) -> None:
        """Leave without a word (RST)."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.writer.transport.abort()


def frame(payload: bytes, *, opcode: int = 1) -> bytes:
    """Return a final client frame."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


async def _half_open(raw: Raw) -> None:
    raw.writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
    await raw.writer.drain()


async def _opened(raw: Raw) -> None:
    await raw.upgrade()


async def _reset(raw: Raw) -> None:
    await raw.upgrade()
    raw.send(_RESET)
    await raw.receive()


async def _mid_frame(raw: Raw) -> None:
    await _reset(raw)
    raw.writer.write(frame(b'{"type":"step","data":{"command":"x"}}')[:20])
    await raw.writer.drain()


async def _mid_step(raw: Raw) -> None:
    await _reset(raw)
    raw.send(b'{"type":"step","data":{"command":"sleep 0.01"}}')
    await raw.writer.drain()


WAYS = (_half_open, _opened, _reset, _mid_frame, _mid_step)


async def aborts(share: float) -> Verdict:
    """20,000 connections that are aborted, in five ways."""
    count = max(500, int(20_000 * share))
    verdict = Verdict(scenario=f"{count} connections aborted half-open, open, reset, mid-frame, mid-step")
    options = ("--workers", "2", "--idle-seconds", "8", "--resume-seconds", "2", "--max-sessions", "256")
    async with served(*options) as server:
        await _abort_many(server, max(500, count // 10))  # what is allocated once is not left behind
        await asyncio.sleep(6.0)
        memory, files = server.memory_mb, server.files
        failed = await _abort_many(server, count)
        await asyncio.sleep(8.0)
        left = server.memory_mb - memory, server.files - files  # before another connection asks for figures
        figures = await server.figures()
        verdict.note("could not connect", failed, most=0)
        verdict.note("slots left", figures['molforge_sessions{kind="socket"}'], most=0)
        verdict.note("detached left", figures['molforge_sessions{kind="detached"}'], most=0)
        verdict.note("files left", left[1], most=0)
        verdict.note("MB left", left[0], most=5.0)
    return verdict


async def _abort_many(server: Server, count: int, *, at_once: int = 24) -> int:
    rng = random.Random(3)
    failed = 0
    ways = iter([rng.choice(WAYS) for _ in range(count)])

    async def go_on() -> None:
        nonlocal failed
        for way in ways:
            raw = Raw(server.port)
            try:
                await raw.connect()
                async with asyncio.timeout(20.0):
                    await way(raw)
                raw.abort()
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                failed += 1

    await asyncio.gather(*(go_on() for _ in range(at_once)))
    return failed


async def intruders(share: float) -> Verdict:  # noqa: ARG001 - it takes what it takes
    """A second connection on one id, a call while another runs, guessed ids."""
    verdict = Verdict(scenario="two connections on one id, a call under another, guessed ids")
    async with served("--workers", "2") as server, playing(server, 1) as (player,):
        await player.play({"command": f"x {n}"} for n in range(5))
        http, url = player.http, server.url
        async with http.ws_connect(f"{url}/ws?session_id={player.session_id}") as second:
            said = await second.receive_json(timeout=10.0)
            verdict.note("second socket refused", said["data"]["cause"] == "ALREADY_ATTACHED", least=1)
        assert player.socket is not None
        await player.socket.send_json({"type": "step", "data": {"command": "sleep 1"}})
        await asyncio.sleep(0.3)
        headers = {"X-Session-ID": player.session_id}
        body = {"action": {"command": "intruder"}}
        async with http.post(f"{url}/step", json=body, headers=headers) as reply:
            verdict.note("call under a running one, status", reply.status, least=409, most=409)
        reply_to_own = await player.receive()
        player.done.append({"command": "sleep 1"})
        player.replies.append(reply_to_own)
        found = 0
        for number in range(1000):
            guess = (
                f"{number:032x}" if number % 2 else player.session_id[:-1] + "0123456789abcdefg"[number % 17]
            )
            if guess == player.session_id:
                continue
            async with http.post(f"{url}/step", json=body, headers={"X-Session-ID": guess}) as reply:
                found += reply.status != 404
        verdict.note("guessed ids that were not refused", found, most=0)
        verdict.note("random bits of an id", 4 * len(player.session_id), least=128)
        await player.play({"command": f"y {n}"} for n in range(5))
        account = settle([player])
        verdict.note("replies changed by all that", account.wrong + account.lost, most=0)
    return verdict


async def slow_peers(share: float) -> Verdict:
    """Peers that read nothing, write byte by byte, send 16 MiB, or only ping; others beside them."""
    verdict = Verdict(
        scenario="slow readers and writers, 1-byte frames, 16 MiB frames, ping floods; 32 others"
    )
    seconds = max(2.0, 6.0 * share)
    async with served("--workers", "2") as server, playing(server, 32) as players:
        await _phase(players, seconds)
        peace = _taken(players)
        base = server.memory_mb
        for name, bully in (
            ("unread replies", _read_nothing),
            ("1-byte frames", _byte_by_byte),
            ("16 MiB frames", _large_frames),
            ("pings", _ping),
        ):
            ratio, peak = await _bullied(server, players, bully, seconds, peace)
            verdict.note(f"{name}: ratio of p99", ratio, most=3.0)
            verdict.note(f"{name}: MB more at most", peak - base, most=512)
        account = settle(players)
        verdict.note("wrong or lost", account.wrong + account.lost, most=0)
    return verdict


async def _bullied(
    server: Server,
    players: list[Player],
    bully: Callable[[Server, float], Coroutine[Any, Any, None]],
    seconds: float,
    peace: list[float],
) -> tuple[float, float]:
    """Return the ratio of the others' p99 and the most memory that was seen."""
    until = time.monotonic() + seconds
    bullies = [asyncio.create_task(bully(server, until)) for _ in range(4)]
    peak = 0.0

    async def watch() -> None:
        nonlocal peak
        while time.monotonic() < until:
            peak = max(peak, await asyncio.to_thread(lambda: server.memory_mb))
            await asyncio.sleep(0.25)

    await asyncio.gather(_phase(players, seconds), watch())
    await asyncio.gather(*bullies, return_exceptions=True)
    return quantile(_taken(players), 0.99) / max(quantile(peace, 0.99), 1e-3), peak


def _taken(players: list[Player]) -> list[float]:
    """Return the times since the last time."""
    taken = [second for player in players for second in player.account.seconds]
    for player in players:
        player.account.seconds = []
    return taken


async def _phase(players: list[Player], seconds: float) -> None:
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(
            player.play(({"command": f"x {n}"} for n in range(10**6)), until=until, pause=0.05)
            for player in players
        )
    )


async def _read_nothing(server: Server, until: float) -> None:
    raw = Raw(server.port)
    await raw.connect()
    await raw.upgrade()
    raw.send(_RESET)
    with suppress(OSError):
        while time.monotonic() < until:
            raw.send(b'{"type":"step","data":{"command":"big 100000"}}')
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, until - time.monotonic())):
                    await raw.writer.drain()
            await asyncio.sleep(0.01)
    raw.abort()


async def _byte_by_byte(server: Server, until: float) -> None:
    raw = Raw(server.port)
    await raw.connect()
    await raw.upgrade()
    payload = frame(_RESET)
    with suppress(OSError):
        while time.monotonic() < until:
            for place in range(len(payload)):
                raw.writer.write(payload[place : place + 1])
                await raw.writer.drain()
                await asyncio.sleep(0)
            await raw.receive()
            raw.writer.write(b"\x01\x81\0\0\0\0{")  # a text frame of one byte, to be continued
            for byte in b'"type":"state"':
                raw.writer.write(b"\x00\x81\0\0\0\0" + bytes([byte]))
            raw.writer.write(b"\x80\x81\0\0\0\0}")
            await raw.receive()
    raw.abort()


async def _large_frames(server: Server, until: float) -> None:
    raw = Raw(server.port)
    await raw.connect()
    await raw.upgrade()
    large = b'{"type":"step","data":{"command":"' + b"x" * (16 * 2**20 - 64) + b'"}}'
    with suppress(OSError, asyncio.IncompleteReadError):
        while time.monotonic() < until:
            raw.send(large)
            await raw.writer.drain()
            await raw.receive()  # too long a command: an error, and the connection goes on
            await asyncio.sleep(0.5)
    raw.abort()


async def _ping(server: Server, until: float) -> None:
    raw = Raw(server.port)
    await raw.connect()
    await raw.upgrade()
    pings = frame(b"", opcode=9) * 200
    with suppress(OSError):
        while time.monotonic() < until:
            raw.writer.write(pings)
            await raw.writer.drain()
            await raw.reader.read(1 << 16)
    raw.abort()


async def sigterm(share: float) -> Verdict:
    """SIGTERM with 1,000 open sockets."""
    count = max(100, int(1000 * share))
    verdict = Verdict(scenario=f"SIGTERM with {count} open sockets")
    async with (
        served("--workers", "2", "--max-sessions", "2000") as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        sockets, ids = [], []
        for seed in range(count):
            opened = await http.ws_connect(f"{server.url}/ws", max_msg_size=MAX_REPLY)
            await opened.send_json({"type": "reset", "data": {"seed": seed}})
            ids.append((await opened.receive_json())["data"]["observation"]["session_id"])
            sockets.append(opened)
        running = sockets[: count // 10]
        for opened in running:
            await opened.send_json({"type": "step", "data": {"command": "sleep 0.01"}})
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        closes = await asyncio.gather(*(_last_words(opened) for opened in sockets))
        code = await asyncio.to_thread(server.process.wait, 20)
        verdict.note("exit code", code, most=0, least=0)
        verdict.note("s to the end", time.monotonic() - began, most=5.0)
        good = sum(close == (1012, own) for (_, close), own in zip(closes, ids, strict=True))
        verdict.note("closed with 1012 and their id", good, least=count)
        answered = sum(replies for replies, _ in closes)
        verdict.note("running steps answered", answered, least=len(running))
    return verdict


async def _last_words(opened: aiohttp.ClientWebSocketResponse) -> tuple[int, tuple[int | None, str]]:
    """Return how many replies still came, and code and reason of the close."""
    replies = 0
    while True:
        message = await opened.receive(timeout=20.0)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return replies, (message.data, message.extra or "")
        replies += 1
