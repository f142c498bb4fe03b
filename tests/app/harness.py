"""Real servers on real ports, and a thin WebSocket client."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from app.config import Config
from app.engine import InProcessEngine
from app.main import create_app
from tests.app.fake import FakeEnvironment

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def serving(config: Config | None = None, *, factory: Any = FakeEnvironment) -> AsyncIterator[str]:
    """Serve in this loop; yield the base URL."""
    config = config or Config()
    engine = InProcessEngine(factory, threads=config.threads)
    app = await asyncio.to_thread(create_app, config, engine=engine)
    async with running(app, config) as url:
        yield url


@asynccontextmanager
async def running(app: web.Application, config: Config) -> AsyncIterator[str]:
    """Run an application on a free port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.75, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Socket:
    """A client of /ws that speaks in dicts."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = socket

    async def send(self, message: Any) -> None:
        await self.raw.send_str(message if isinstance(message, str) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(await self.raw.receive_str(timeout=60))
        return reply

    async def call(self, message: Any) -> dict[str, Any]:
        await self.send(message)
        return await self.receive()

    async def reset(self, **arguments: Any) -> dict[str, Any]:
        return await self._observed({"type": "reset", "data": arguments})

    async def step(self, **action: Any) -> dict[str, Any]:
        return await self._observed({"type": "step", "data": action})

    async def state(self) -> dict[str, Any]:
        reply = await self.call({"type": "state"})
        assert reply["type"] == "state", reply
        return reply["data"]

    async def _observed(self, message: dict[str, Any]) -> dict[str, Any]:
        reply = await self.call(message)
        assert reply["type"] == "observation", reply
        return reply["data"]

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the server's close; return code and reason."""
        message = await self.raw.receive(timeout=20)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message
        return message.data, message.extra or ""


@asynccontextmanager
async def connected(url: str, path: str = "/ws", **options: Any) -> AsyncIterator[Socket]:
    """Connect to /ws."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url + path, max_msg_size=0, **options) as raw:
        yield Socket(raw)


def request(method: str, **params: Any) -> dict[str, Any]:
    """Return a JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    """Return the request that calls a tool."""
    return request("tools/call", name=name, arguments=arguments)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    module: str, *options: str, environ: dict[str, str] | None = None
) -> Iterator[tuple[Any, str, float]]:
    """Start ``python -m module --port N``; yield (process, base URL, seconds until /health answered)."""
    port = free_port()
    began = time.monotonic()
    command = [sys.executable, "-m", module, *options, "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environ or {})}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(f"{url}/health"):
            assert server.poll() is None, server.stderr.read() if server.stderr else ""
            assert time.monotonic() - began < 20
            time.sleep(0.02)
        yield server, url, time.monotonic() - began
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGKILL)
        server.communicate(timeout=10)


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as reply:
        return bool(reply.status == 200)
    return False
