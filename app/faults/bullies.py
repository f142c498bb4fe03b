"""Peers that read nothing, write byte by byte, send 16 MiB, or only ping; others are timed beside them.

They run in a process of their own, ``python -m app.faults.bullies WAY PORT SECONDS``, which is nice to all
others: whoever bullies a real server has a machine for it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from app.faults.kills import phase, playing, taken
from app.faults.players import Player, quantile, settle
from app.faults.raw import RESET, Raw, frame
from app.faults.server import ROOT, Server, environment, served
from app.faults.verdict import Verdict

AT_ONCE = 4


async def slow_peers(share: float) -> Verdict:
    """Others beside peers that read nothing, write byte by byte, send 16 MiB, or only ping."""
    verdict = Verdict(
        scenario="slow readers and writers, 1-byte frames, 16 MiB frames, ping floods; 32 others"
    )
    seconds = max(2.0, 6.0 * share)
    async with served("--workers", "2") as server, playing(server, 32) as players:
        base = server.memory_mb
        peace, _ = await _watched(server, players, seconds)
        for way, name in NAMES.items():
            async with _bullying(way, server.port, seconds):
                war, peak = await _watched(server, players, seconds)
            verdict.note(f"{name}: ratio of p99", war / max(peace, 1e-3), most=3.0)
            verdict.note(f"{name}: MB more at most", peak - base, most=512)
        account = settle(players)
        verdict.note("p99 ms in peace", peace * 1e3)
        verdict.note("wrong or lost", account.wrong + account.lost, most=0)
    return verdict


async def _watched(server: Server, players: list[Player], seconds: float) -> tuple[float, float]:
    """Let the players play; return their p99 and the most memory that was seen."""
    peak = 0.0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, await asyncio.to_thread(lambda: server.memory_mb))
            await asyncio.sleep(0.25)

    watching = asyncio.create_task(watch())
    await phase(players, seconds)
    watching.cancel()
    return quantile(taken(players), 0.99), peak


@asynccontextmanager
async def _bullying(way: str, port: int, seconds: float) -> AsyncIterator[None]:
    """Have bullies at work while the block lasts."""
    bullies = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.faults.bullies", way, str(port), str(seconds + 60.0)),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert bullies.stdout is not None
    try:
        await bullies.stdout.readline()  # they have begun
        yield
    finally:
        bullies.kill()
        await bullies.wait()


async def _bully(way: str, port: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    tasks = [asyncio.create_task(WAYS[way](port, until)) for _ in range(AT_ONCE)]
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.gather(*tasks)


async def _read_nothing(port: int, until: float) -> None:
    raw = Raw(port)
    await raw.connect()
    await raw.upgrade()
    raw.send(RESET)
    with suppress(OSError):
        while time.monotonic() < until:
            raw.send(b'{"type":"step","data":{"command":"big 100000"}}')
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, until - time.monotonic())):
                    await raw.writer.drain()
            await asyncio.sleep(0.01)
    raw.abort()


async def _again(way: Callable[[int, float], Coroutine[Any, Any, None]], port: int, until: float) -> None:
    """Come again whenever the server lets go of one who sends too many small frames."""
    while time.monotonic() < until:
        with suppress(OSError, asyncio.IncompleteReadError):
            await way(port, until)


async def _byte_by_byte(port: int, until: float) -> None:
    raw = Raw(port)
    await raw.connect()
    await raw.upgrade()
    payload = frame(RESET)
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


async def _large_frames(port: int, until: float) -> None:
    raw = Raw(port)
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


async def _ping(port: int, until: float) -> None:
    raw = Raw(port)
    await raw.connect()
    await raw.upgrade()
    pings = frame(b"", opcode=9) * 200
    with suppress(OSError):
        while time.monotonic() < until:
            raw.writer.write(pings)
            await raw.writer.drain()
            if not await raw.reader.read(1 << 16):
                break
    raw.abort()


WAYS: dict[str, Callable[[int, float], Coroutine[Any, Any, None]]] = {
    "unread": _read_nothing,
    "bytes": partial(_again, _byte_by_byte),
    "large": _large_frames,
    "pings": partial(_again, _ping),
}
NAMES = {
    "unread": "unread replies",
    "bytes": "1-byte frames",
    "large": "16 MiB frames",
    "pings": "pings",
}

if __name__ == "__main__":
    os.nice(10)
    asyncio.run(_bully(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
