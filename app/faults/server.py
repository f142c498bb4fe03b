"""A real server process, and what can be seen of it from outside (Linux)."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from app.memory import proportional_kb

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
FAULTY = "app.faults.environment:factory"


@dataclass(slots=True)
class Server:
    """One server process at a port of its own."""

    command: list[str]
    port: int
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def family(self) -> dict[int, str]:
        """Process ids and names of the server and all its descendants."""
        parents: dict[int, tuple[int, str]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    name, rest = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
                    parents[int(entry.name)] = (int(rest.split()[1]), name)
        found = {self.process.pid: "server"}
        while more := {
            pid: name for pid, (parent, name) in parents.items() if parent in found and pid not in found
        }:
            found |= more
        return found

    @property
    def workers(self) -> list[int]:
        """Process ids of its workers."""
        return [pid for pid, name in self.family.items() if name.startswith("molforge-w")]

    @property
    def memory_mb(self) -> float:
        """Memory that all its processes have taken, shared pages counted once."""
        return sum(proportional_kb(pid, part="Pss_Anon") for pid in self.family) / 1024

    @property
    def files(self) -> int:
        """Open files of the server process."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def start(self) -> None:
        """Start it, or start it again, at the same port."""
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment())

    def kill(self) -> None:
        """End it as the kernel would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def ready(self, *, seconds: float = START_SECONDS) -> float:
        """Wait until it is ready; return how long that took."""
        began = time.monotonic()
        while not await asyncio.to_thread(answers, f"{self.url}/ready"):
            if self.process.poll() is not None or time.monotonic() - began > seconds:
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def figures(self) -> dict[str, float]:
        """Return the samples of /metrics by name and labels."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as reply:
            lines = (await reply.text()).splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line[0] != "#"}


@asynccontextmanager
async def served(*options: str, factory: str = FAULTY) -> AsyncIterator[Server]:
    """Start a server and wait until it is ready; kill it in the end."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "app.faults.served", factory, "--host", "127.0.0.1", "--port", str(port)),
        *("--log-level", "ERROR", *options),
    ]
    server = Server(command, port)
    server.start()
    try:
        await server.ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def environment() -> dict[str, str]:
    """Return the environment of a process that finds this code."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}


def free_port() -> int:
    """Return a port that nobody has at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Say whether a GET is answered with 200."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=5.0) as reply:
        return bool(reply.status == 200)
    return False


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process while the block lasts; it may be killed meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
