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


class Line:
    """One client's socket. It is read all the time: who does not read answers no pings, and is given up."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._reply: asyncio.Future[str] | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def opened(cls, http: aiohttp.ClientSession, url: str) -> Line:
        """Connect to the server at this address."""
        return cls(await http.ws_connect(f"{url}/ws", max_msg_size=MAX_REPLY))

    async def ask(self, frame: str, times: list[float], outcome: Outcome) -> str:
        """Send a frame and wait for its reply; note the time, and whether it is an error."""
        if self._reader.done():
            raise ConnectionResetError(f"the server closed with {self._socket.close_code}")
        self._reply = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._socket.send_str(frame)
        reply = await self._reply
        times.append(time.perf_counter() - began)
        if '"error"' in reply[:32] and loads(reply).get("type") == "error":
            outcome.failed += 1
        return reply

    async def tell(self, frame: str) -> None:
        """Send a frame that has no reply."""
        await self._socket.send_str(frame)

    async def close(self) -> None:
        """Close the socket."""
        self._reader.cancel()
        await asyncio.wait((self._reader,))
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(message.data)
        if self._reply is not None and not self._reply.done():
            why = f"the server closed with {self._socket.close_code}"
            self._reply.set_exception(ConnectionResetError(why))


async def put_on(url: str, pid: int, load: Load) -> Outcome:
    """Open all sessions, reset them, then step all of them at once; ``pid`` is the server's process."""
    outcome = Outcome()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        lines = await opened(http, url, load, outcome)
        frames = [dumps({"type": "step", "data": action}).decode() for action in load.actions]
        await _play(lines[:1], frames, Outcome(), steps=min(4, load.steps))  # not the first of all
        began, cpu, own = time.perf_counter(), cpu_of(pid), time.process_time()
        await _play(lines, frames, outcome, steps=load.steps)
        outcome.wall = time.perf_counter() - began
        outcome.server_cpu = cpu_of(pid) - cpu
        outcome.own_cpu = time.process_time() - own
        await asyncio.gather(*(line.close() for line in lines))
    return outcome


async def _play(
    lines: Sequence[Line],
    frames: Sequence[str],
    outcome: Outcome,
    *,
    steps: int,
) -> None:
    async def play(line: Line, first: int) -> None:
        for number in range(first, first + steps):
            place = number % len(frames)
            times = outcome.by_action.setdefault(place, [])
            try:
                await line.ask(frames[place], times, outcome)
            except ConnectionError:
                outcome.failed += 1
                return
            outcome.step.append(times[-1])

    await asyncio.gather(*(play(line, number) for number, line in enumerate(lines)))


async def opened(http: aiohttp.ClientSession, url: str, load: Load, outcome: Outcome) -> list[Line]:
    """Connect and reset all sessions, some at a time; a failure is counted and leaves a gap."""
    lines: list[Line] = []
    seeds = iter(range(load.sessions))

    async def go_on() -> None:
        for seed in seeds:
            try:
                began = time.perf_counter()
                line = await Line.opened(http, url)
                outcome.connect.append(time.perf_counter() - began)
                opening = {"type": "reset", "data": {**load.arguments, "seed": seed}}
                await line.ask(dumps(opening).decode(), outcome.reset, outcome)
                lines.append(line)
            except (aiohttp.ClientError, OSError):
                outcome.failed += 1

    await asyncio.gather(*(go_on() for _ in range(min(AT_ONCE, load.sessions))))
    return lines


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
