"""Every stock client there is, each in a process of its own, all at once against one server, to the end.

OpenEnv's two releases cannot be installed together, so other interpreters are looked for where
``make clients`` makes them; what is missing is told as a skip.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from tests.app.harness import ROOT, process
from tests.together.player import PLAYERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OPENENV = ("generic", "generic_sync", "auto", "tools", "molforge")
RELEASES = ("openenv-core-0.3.0", "openenv-0.10.0")


def players() -> list[tuple[str, str]]:
    """Return (interpreter, kind of client)."""
    clients = [ROOT / ".cache/clients" / release / "bin/python" for release in RELEASES]
    if missing := [path.parents[1].name for path in clients if not path.exists()]:
        pytest.skip(f"`make clients` has not made {', '.join(missing)}")
    found = [(str(path), kind) for path in clients for kind in OPENENV]
    return [*found, (sys.executable, "mcp"), (sys.executable, "mcp_sessions")]


class Player:
    """One client in a process of its own."""

    def __init__(self, python: str, kind: str) -> None:
        self._command = (python, "-W", "ignore", str(ROOT / "tests/together/player.py"), kind)
        self.name = f"{Path(python).parents[1].name} {kind}"

    async def prepare(self, url: str) -> None:
        """Start it and wait until its client is imported."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            url,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        await self._process.stdout.readline()

    async def play(self) -> str:
        """Let it play; return the last line it printed, or what it complained of."""
        out, err = await self._process.communicate(b"go\n")
        return (out.decode().strip().splitlines()[-1:] or [err.decode()[-2000:]])[0]


async def ready(url: str) -> None:
    """Wait until the server has a worker."""
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}/ready") as reply:
                if reply.status == 200:
                    return
            await asyncio.sleep(0.1)


async def test_all_clients_play_at_once_and_get_the_same_score() -> None:
    found = players()
    assert {kind for _, kind in found} == set(PLAYERS)
    who = [Player(python, kind) for python, kind in found]
    with process("app.cli", "serve", "--workers", "2") as (_, url, _):
        await asyncio.gather(ready(url), *(player.prepare(url) for player in who))
        began = time.monotonic()
        scores = await asyncio.gather(*(player.play() for player in who))
        seconds = time.monotonic() - began
    told = dict(zip((player.name for player in who), scores, strict=True))

    print(f"{len(told)} clients in {seconds:.1f} s: {told}")
    assert len(told) == len(who) == 12
    assert len(set(scores)) == 1, told
    assert scores[0].startswith("score 0.")
