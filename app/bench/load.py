"""Sessions that step as fast as they are answered, and what the server's processes used meanwhile."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from app.encoding import dumps, loads

MAX_REPLY = 16 * 2**20
TICK = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of a server."""

    sessions: int
    steps: int
    """Of each session; the resets are measured apart."""
    actions: Sequence[dict[str, Any]]
    """Taken in turn."""


@dataclass(slots=True)
class Outcome:
    """What came of it. Times in seconds."""

    connect: list[float] = field(default_factory=list)
    reset: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    failed: int = 0
    wall: float = 0.0
    """From the first step to the last answer."""
    server_cpu: float = 0.0
    """CPU of all the server's processes in that time."""
    own_cpu: float = 0.0
    """CPU of this process in that time."""


async def put_on(url: str, pid: int, load: Load) -> Outcome:
    """Open all sessions, reset them, then step all of them at once; ``pid`` is the server's process."""
    outcome = Outcome()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        sockets = [await _connect(http, url, outcome) for _ in range(load.sessions)]
        for seed, socket in enumerate(sockets):
            opening = {"type": "reset", "data": {"seed": seed}}
            await _call(socket, dumps(opening).decode(), outcome.reset, outcome)
        frames = [dumps({"type": "step", "data": action}).decode() for action in load.actions]
        began, cpu, own = time.perf_counter(), cpu_of(pid), time.process_time()

        async def play(socket: aiohttp.ClientWebSocketResponse, first: int) -> None:
            for number in range(first, first + load.steps):
                await _call(socket, frames[number % len(frames)], outcome.step, outcome)

        await asyncio.gather(*(play(socket, number) for number, socket in enumerate(sockets)))
        outcome.wall = time.perf_counter() - began
        outcome.server_cpu = cpu_of(pid) - cpu
        outcome.own_cpu = time.process_time() - own
        await asyncio.gather(*(socket.close() for socket in sockets))
    return outcome


async def _connect(
    http: aiohttp.ClientSession, url: str, outcome: Outcome
) -> aiohttp.ClientWebSocketResponse:
    began = time.perf_counter()
    socket = await http.ws_connect(f"{url}/ws", max_msg_size=MAX_REPLY)
    outcome.connect.append(time.perf_counter() - began)
    return socket


async def _call(
    socket: aiohttp.ClientWebSocketResponse, frame: str, times: list[float], outcome: Outcome
) -> None:
    began = time.perf_counter()
    await socket.send_str(frame)
    reply = await socket.receive_str()
    times.append(time.perf_counter() - began)
    if reply.startswith('{"type":"error"') or loads(reply).get("type") == "error":
        outcome.failed += 1


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process and its living descendants have used (Linux)."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it has just ended
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) * TICK
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0.0) for member in family)
