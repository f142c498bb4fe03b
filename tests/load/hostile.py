"""Hostile WebSocket clients: frames made by hand over TCP, each wrong in its own way, from a seed.

    python -m tests.load.hostile URL --frames 100000 --seed 1

prints what was sent, what came back, and what should never have. ``tests/load/test_hostile.py`` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.app.test_malformed import mangled

REPLY_SECONDS = 30.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KINDS = {"observation", "state", "error", "mcp"}
CLOSE_CODES = {1000, 1001, 1002, 1003, 1007, 1009, 1011, 1012}
SECRETS = ("Traceback", 'File "', "site-packages", "/app/", "RuntimeError(", "KeyError(", "object at 0x")
STATE = b'{"type":"state"}'


def frame(
    opcode: int, payload: bytes = b"", *, is_final: bool = True, is_masked: bool = True, rsv: int = 0,
    length: int | None = None,
) -> bytes:  # fmt: skip
    """Return one frame as bytes; ``length`` lies about the payload's."""
    claimed = len(payload) if length is None else length
    head = bytes([is_final << 7 | rsv << 4 | opcode])
    mask_bit = is_masked << 7
    if claimed < 126:
        head += bytes([mask_bit | claimed])
    elif claimed < 2**16:
        head += struct.pack("!BH", mask_bit | 126, claimed)
    else:
        head += struct.pack("!BQ", mask_bit | 127, claimed)
    if not is_masked:
        return head + payload
    mask = os.urandom(4)
    body = int.from_bytes(payload, "big") ^ int.from_bytes(
        (mask * (len(payload) // 4 + 1))[: len(payload)], "big"
    )
    return head + mask + body.to_bytes(len(payload), "big")


# --- what is sent: (name, bytes); after some of it only the end of the connection can follow --------


def _text(rng: random.Random) -> bytes:
    return mangled(rng).encode("utf-8", "surrogatepass")


def _valid(rng: random.Random) -> bytes:
    seed = rng.randint(0, 50)
    opening = {"type": "reset", "data": {"seed": seed, "task_id": rng.choice(["potency", "triage"])}}
    frames: list[Any] = [
        {"type": "state"},
        opening,
        {"type": "step", "data": {"command": "suggest M1"}},
        {"type": "step", "data": {"command": f"design {'C' * rng.randint(1, 60)}"}},
        {"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}},
    ]
    return json.dumps(rng.choices(frames, weights=[10, 1, 4, 2, 2])[0]).encode()


def _flipped(rng: random.Random) -> bytes:
    data = bytearray(_valid(rng))
    for _ in range(rng.randint(1, 5)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _fragments(rng: random.Random) -> bytes:
    data, cuts = _valid(rng), rng.randint(1, 6)
    size = max(1, len(data) // cuts)
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    made = b""
    for number, part in enumerate(parts):
        opcode = TEXT if number == 0 else 0
        made += frame(opcode, part, is_final=number == len(parts) - 1)
        if rng.random() < 0.3:
            made += frame(PING, b"between")
    return made


def _violation(rng: random.Random) -> bytes:
    """Return bytes after which the server must end the connection."""
    return rng.choice(
        [
            lambda: frame(rng.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), b"x"),
            lambda: frame(TEXT, STATE, rsv=rng.randint(1, 7)),
            lambda: frame(0, b"alone"),
            lambda: frame(TEXT, b"{", is_final=False) + frame(TEXT, b"}"),
            lambda: frame(PING, b"x" * 126),
            lambda: frame(PING, b"x", is_final=False),
            lambda: frame(CLOSE, b"x"),
            lambda: frame(CLOSE, struct.pack("!H", rng.choice([0, 999, 1004, 1005, 1006, 1015, 2999]))),
            lambda: frame(CLOSE, struct.pack("!H", 1000) + b"\xff\xfe"),
            lambda: frame(TEXT, b"\xff\xfe{}"),
            lambda: frame(TEXT, b"", length=2**62),
            lambda: frame(TEXT, b"", length=2**24 + 1),
            lambda: frame(CLOSE, struct.pack("!H", rng.choice([1000, 1001, 3000, 4999])) + b"bye"),
        ]
    )()


def _junk(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(1, 200))


def _unmasked(rng: random.Random) -> bytes:
    return frame(TEXT, _valid(rng), is_masked=False)


def _control(rng: random.Random) -> bytes:
    return frame(rng.choice([PING, PONG]), rng.randbytes(rng.randint(0, 125)))


def _large(rng: random.Random) -> bytes:
    return frame(TEXT, b'{"type":"step","data":{"command":"' + b"y" * rng.randint(10**5, 10**6) + b'"}}')


def _burst(rng: random.Random) -> bytes:
    return b"".join(frame(TEXT, _text(rng)) for _ in range(rng.randint(2, 40)))


ATTACKS: dict[str, tuple[Callable[[random.Random], bytes], float]] = {
    "mangled text": (lambda rng: frame(TEXT, _text(rng)), 40),
    "flipped bytes": (lambda rng: frame(TEXT, _flipped(rng)), 15),
    "binary": (lambda rng: frame(BINARY, _junk(rng)), 5),
    "fragments": (_fragments, 6),
    "control": (_control, 5),
    "valid": (lambda rng: frame(TEXT, _valid(rng)), 8),
    "violation": (_violation, 10),
    "junk": (_junk, 6),
    "unmasked": (_unmasked, 1),
    "cut short": (lambda rng: frame(TEXT, _text(rng))[: rng.randint(1, 20)], 2),
    "large": (_large, 0.2),
    "burst": (_burst, 1),
}


# --- what comes back --------------------------------------------------------------------------------


@dataclass
class Report:
    """What a run saw."""

    sent: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what there is to tell."""
        told = [f"{sum(self.sent.values())} frames sent"]
        for name, counter in (("sent", self.sent), ("replies", self.replies), ("ends", self.closes)):
            told.append(f"{name}: " + ", ".join(f"{key} {n}" for key, n in counter.most_common()))
        return [*told, f"wrong: {len(self.wrong)}", *self.wrong[:20]]


class Hostile:
    """One connection after another, each used until it ends."""

    def __init__(self, url: str, rng: random.Random, report: Report) -> None:
        self._parts = urlsplit(url)
        self._rng = rng
        self._report = report
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def attack(self) -> None:
        """Send one thing; read until the server has dealt with it."""
        if self._writer is None:
            await self._connect()
        name = self._rng.choices(list(ATTACKS), weights=[weight for _, weight in ATTACKS.values()])[0]
        data = ATTACKS[name][0](self._rng)
        self._report.sent[name] += 1
        try:
            async with asyncio.timeout(REPLY_SECONDS):
                await self._write(data)
                if name in ("junk", "cut short", "unmasked") or self._rng.random() < 0.03:
                    await self.leave()  # it may wait for more bytes: only leaving ends this
                    self._report.closes["left"] += 1
                    return
                await self._settle()
        except TimeoutError:
            self._report.wrong.append(f"no answer within {REPLY_SECONDS:g} s after {name}: {data[:80]!r}")
            await self.leave()
        except (ConnectionError, asyncio.IncompleteReadError):
            self._report.closes["reset"] += 1
            await self.leave()

    async def leave(self) -> None:
        """Drop the connection without a word."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        key = base64.b64encode(self._rng.randbytes(16)).decode()
        path = self._rng.choice(["/ws", "/ws", "/ws", "/ws?session_id=", "/ws?x=%ff"])
        request = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await self._write(request.encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            self._report.wrong.append(f"the handshake was answered {head[:80]!r}")

    async def _write(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def _settle(self) -> None:
        """Ask for a pong and read up to it, or to the end: what was sent before has then been taken in.

        Replies to frames that were queued may come after it; they are read before the next pong.
        """
        token = self._rng.randbytes(8)
        await self._write(frame(PING, token))
        while True:
            opcode, payload = await self._read()
            if opcode == PONG and payload == token:
                return
            if opcode == CLOSE:
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                self._report.closes[str(code)] += 1
                if code not in CLOSE_CODES and not 3000 <= code < 5000:
                    self._report.wrong.append(f"close code {code}")
                self._check_words(payload[2:].decode("utf-8", "replace"))
                await self.leave()
                return
            if opcode == TEXT:
                self._check(payload)

    async def _read(self) -> tuple[int, bytes]:
        assert self._reader is not None
        first, second = await self._reader.readexactly(2)
        length = second & 127
        if length == 126:
            (length,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._reader.readexactly(8))
        return first & 15, await self._reader.readexactly(length)

    def _check(self, payload: bytes) -> None:
        text = payload.decode()
        reply = json.loads(text)
        kind = reply.get("type")
        self._report.replies[f"{kind} {reply['data'].get('code', '')}".strip()] += 1
        if set(reply) != {"type", "data"} or kind not in KINDS:
            self._report.wrong.append(f"not a reply: {text[:200]}")
        if kind == "error":
            self._check_words(text)
            if "internal error" in text:
                self._report.wrong.append(f"an internal error: {text[:300]}")

    def _check_words(self, text: str) -> None:
        if any(word in text for word in SECRETS):
            self._report.wrong.append(f"tells of the inside: {text[:300]}")


async def attack(url: str, *, frames: int, seed: int, connections: int = 8) -> Report:
    """Send ``frames`` hostile frames over ``connections`` sockets at a time."""
    report = Report()

    async def one(number: int) -> None:
        hostile = Hostile(url, random.Random(f"{seed} {number}"), report)
        for _ in range(frames // connections):
            await hostile.attack()
        await hostile.leave()

    await asyncio.gather(*(one(number) for number in range(connections)))
    return report


def main() -> int:
    """Attack the server that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = asyncio.run(attack(options.url, frames=options.frames, seed=options.seed))
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
