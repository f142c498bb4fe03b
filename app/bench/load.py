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
AT_ONCE = 32
"""Connections that are opened at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of a server."""

    sessions: int
    steps: int
    """Of each session; the resets are measured apart."""
    actions: Sequence[dict[str, Any]]
    """Taken in turn."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Of every reset, besides its seed."""


@dataclass(slots=True)
class Outcome:
    """What came of it. Times in seconds."""

    connect: list[float] = field(default_factory=list)
    reset: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    by_action: dict[int, list[float]] = field(default_factory=dict)
    """Times of steps by the place of their action in the load's list."""
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
        sockets = await opened(http, url, load, outcome)
        frames = [dumps({"type": "step", "data": action}).decode() for action in load.actions]
        await _play(sockets[:1], frames, Outcome(), steps=min(4, load.steps))  # not the first of all
        began, cpu, own = time.perf_counter(), cpu_of(pid), time.process_time()
        await _play(sockets, frames, outcome, steps=load.steps)
        outcome.wall = time.perf_counter() - began
        outcome.server_cpu = cpu_of(pid) - cpu
        outcome.own_cpu = time.process_time() - own
        await asyncio.gather(*(socket.close() for socket in sockets))
    return outcome


async def _play(
    sockets: Sequence[aiohttp.ClientWebSocketResponse],
    frames: Sequence[str],
    outcome: Outcome,
    *,
    steps: int,
) -> None:
    async def play(socket: aiohttp.ClientWebSocketResponse, first: int) -> None:
        for number in range(first, first + steps):
            place = number % len(frames)
            times = outcome.by_action.setdefault(place, [])
            await call(socket, frames[place], times, outcome)
            outcome.step.append(times[-1])

    await asyncio.gather(*(play(socket, number) for number, socket in enumerate(sockets)))


async def opened(
    http: aiohttp.ClientSession, url: str, load: Load, outcome: Outcome
) -> list[aiohttp.ClientWebSocketResponse]:
    """Connect and reset all sessions, some at a time; a failure is counted and leaves a gap."""
    sockets: list[aiohttp.ClientWebSocketResponse] = []
    seeds = iter(range(load.sessions))

    async def go_on() -> None:
        for seed in seeds:
            try:
                began = time.perf_counter()
                socket = await http.ws_connect(f"{url}/ws", max_msg_size=MAX_REPLY)
                outcome.connect.append(time.perf_counter() - began)
                opening = {"type": "reset", "data": {**load.arguments, "seed": seed}}
                await call(socket, dumps(opening).decode(), outcome.reset, outcome)
                sockets.append(socket)
            except (aiohttp.ClientError, OSError, TypeError):
                outcome.failed += 1

    await asyncio.gather(*(go_on() for _ in range(min(AT_ONCE, load.sessions))))
    return sockets


async def call(
    socket: aiohttp.ClientWebSocketResponse, frame: str, times: list[float], outcome: Outcome
) -> str:
    """Send a frame and wait for its reply; note the time, and whether it is an error."""
    began = time.perf_counter()
    await socket.send_str(frame)
    reply = await socket.receive_str()
    times.append(time.perf_counter() - began)
    if '"error"' in reply[:32] and loads(reply).get("type") == "error":
        outcome.failed += 1
    return reply


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process and its living descendants have used (Linux)."""
    processes = _processes()
    return sum(processes[member][1] for member in family_of(pid) if member in processes)


def family_of(pid: int) -> set[int]:
    """Return a process and its living descendants (Linux)."""
    processes = _processes()
    family = {pid} & set(processes)
    while more := {child for child, (parent, _) in processes.items() if parent in family} - family:
        family |= more
    return family


def _processes() -> dict[int, tuple[int, float]]:
    """Return parent and CPU seconds of every process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it has just ended
            found[int(entry.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK)
    return found
