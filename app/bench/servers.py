"""The servers that are compared, each a process of its own on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOCK_HOST = ROOT / "benchmarks" / "stock_host.py"
TRIVIAL, REAL = "app.bench.trivial:factory", "app.environments:environment_factory"
START_SECONDS = 900.0
OWN = "molforge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One server."""

    name: str
    command: tuple[str, ...]
    """Without the port, which comes last."""

    @property
    def is_own(self) -> bool:
        """Whether it is this project's."""
        return self.name.startswith(OWN)


def own(factory: str, *, workers: int, options: tuple[str, ...] = ()) -> Contender:
    """Return this server around an environment."""
    module = ("app.bench.served",) if factory == TRIVIAL else ("app.cli", "serve")
    command = (sys.executable, "-m", *module, "--host", "127.0.0.1", "--log-level", "WARNING")
    name = f"{OWN}, {workers} workers" if workers else f"{OWN}, threads"
    return Contender(name=name, command=(*command, *options, "--workers", str(workers), "--port"))


def echo() -> Contender:
    """Return the least that an aiohttp server can do."""
    return Contender(name="aiohttp echo", command=(sys.executable, "-m", "app.bench.echo", "--port"))


def stock(factory: str, python: Path) -> Contender:
    """Return the stock server around the same environment."""
    return Contender(name="stock openenv", command=(str(python), str(STOCK_HOST), factory))


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    pid: int
    began: float
    """Reading of ``time.perf_counter`` when its process was started."""


@contextmanager
def running(contender: Contender, *, until: str = "") -> Iterator[Running]:
    """Start a server; yield it once it answers at ``until`` (default: when it is ready for work)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    began = time.perf_counter()
    server = subprocess.Popen([*contender.command, str(port)], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        path = until or ("/ready" if contender.is_own else "/health")
        while not answers(url + path):
            if server.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise RuntimeError(f"{contender.name} did not start")
            time.sleep(0.02)
        yield Running(url, server.pid, began)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def answers(url: str) -> bool:
    """Say whether a GET is answered with 200."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=5.0) as reply:
        return bool(reply.status == 200)
    return False
