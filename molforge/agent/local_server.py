"""A server of our own: started from the checkout on a free port, stopped when no longer needed."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

_READY_SECONDS = 60.0
_STOP_SECONDS = 8.0
_TRIES = 3
"""Somebody else may take the free port in the moment before the server does."""
_SERVE = """
import os, signal, sys, threading
def follow():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=follow, daemon=True).start()
from app.cli import main
sys.exit(main(["serve", *sys.argv[1:]]))
"""
"""The server's program. It ends when its stdin closes: it outlives nobody, not even a killed agent."""
_CREDENTIALS = ("HF_TOKEN", "API_KEY", "OPENAI_API_KEY")


@asynccontextmanager
async def local_server(root: Path, *, python: str = sys.executable) -> AsyncIterator[str]:
    """Run ``app.cli serve`` of the checkout at ``root``; yield its base URL once it is healthy.

    Its output goes to stderr, it sees no credentials of the model, and it runs in a session of its own, so
    that Ctrl-C reaches the agent first. Raises ``RuntimeError`` if it does not come up.
    """
    process, url = await _start(root, python)
    try:
        yield url
    finally:
        await _stop(process)


async def _start(root: Path, python: str) -> tuple[Process, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _CREDENTIALS}
    for _ in range(_TRIES):
        port = _free_port()
        process = await asyncio.create_subprocess_exec(
            *(python, "-c", _SERVE, "--host", "127.0.0.1", "--port", str(port)),
            cwd=root,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=sys.stderr,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            if await _is_ready(process, url):
                return process, url
        except BaseException:
            await _stop(process)
            raise
        log.warning("the server ended with code %s before it was ready", process.returncode)
    raise RuntimeError("the server did not start; its own output above says why")


async def _is_ready(process: Process, url: str) -> bool:
    """Wait until the server is healthy; False if its process ended first."""
    async with asyncio.timeout(_READY_SECONDS):
        while process.returncode is None:
            if await asyncio.to_thread(_answers, f"{url}/health"):
                return True
            await asyncio.sleep(0.05)
    return False


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, urllib.error.URLError), opener.open(url, timeout=2.0) as reply:
        return bool(reply.status == 200)
    return False


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
