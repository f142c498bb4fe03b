"""A real server to attack, on a free port of this machine, and a client that speaks in dicts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[1]
START_SECONDS = 120.0
ANSWER_SECONDS = 300.0
_SERVE = """
import os, signal, sys, threading
def follow():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=follow, daemon=True).start()
from app.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The server's program. It ends, workers and all, when its stdin closes: it outlives no killed attacker."""


@contextmanager
def serving(
    *options: str, log: Path | None = None, prelude: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start a server; it is killed at the end if it still lives.

    ``prelude`` is Python that runs in its process first: how tests plant defects. Such a server has no
    worker processes, which would not know of it.
    """
    options = (*options, "--workers", "0") if prelude else options
    server = Server(options, _free_port(), log, prelude, environment or {})
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Server:
    """One server process after another on the same port with the same options."""

    def __init__(
        self,
        options: tuple[str, ...],
        port: int,
        log: Path | None,
        prelude: str,
        environment: Mapping[str, str],
    ) -> None:
        self._options, self._port, self._log = options, port, log
        self._program, self._environment = f"{prelude}\n{_SERVE}", environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it is healthy; raise ``RuntimeError`` if it is not in time."""
        address = ("--host", "127.0.0.1", "--port", str(self._port))
        out: Any = self._log.open("ab") if self._log else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._program, "serve", *address, *self._options],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self._environment},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        finally:
            if self._log:
                out.close()
        until = time.monotonic() + START_SECONDS
        while get(f"{self.url}/health").status != 200:
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.05)

    def processes(self) -> list[int]:
        """Return the ids of its living processes, workers included (Linux)."""
        assert self._process is not None
        group = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
        return [pid for pid in group if _group_of(pid) == self._process.pid]

    def kill(self) -> None:
        """Send SIGKILL to it and its workers: no goodbye."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()


class Answer:
    """Status, headers and body of an HTTP answer; status 0 where nobody answered."""

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def get(url: str, **headers: str) -> Answer:
    """GET."""
    return _ask(urllib.request.Request(url, headers=headers))


def post(url: str, body: Mapping[str, Any], **headers: str) -> Answer:
    """POST JSON."""
    data = json.dumps(body).encode()
    return _ask(urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}))


def _ask(request: urllib.request.Request) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30.0) as reply:
            return Answer(reply.status, dict(reply.headers), reply.read().decode())
    except urllib.error.HTTPError as why:
        return Answer(why.code, dict(why.headers), why.read().decode())
    except OSError:
        return Answer(0, {}, "")


class Socket:
    """A client of ``/ws``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket

    async def call(self, kind: str, **data: Any) -> dict[str, Any]:
        """Send a frame and return the reply."""
        frame = {"type": kind, "data": data} if data or kind == "reset" else {"type": kind}
        await self.raw.send_str(json.dumps(frame))
        reply: dict[str, Any] = json.loads(await self.raw.receive_str(timeout=ANSWER_SECONDS))
        return reply

    async def receive(self) -> dict[str, Any]:
        """Return the next frame."""
        reply: dict[str, Any] = json.loads(await self.raw.receive_str(timeout=ANSWER_SECONDS))
        return reply


@asynccontextmanager
async def connected(url: str, path: str = "/ws") -> AsyncIterator[Socket]:
    """Connect."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url + path, max_msg_size=0) as raw:
        yield Socket(raw)


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
