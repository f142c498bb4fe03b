"""Thousands of hostile frames: nothing falls, nothing is told, nobody else is touched, memory stays flat."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.app.harness import Socket, connected, process
from tests.load.hostile import attack
from tests.load.processes import memory_mb

log = logging.getLogger(__name__)

FRAMES = int(os.environ.get("MOLFORGE_HOSTILE_FRAMES", "10000"))
"""``make hostile`` sends 100,000."""
ROUNDS = 5
"""Memory is read after each; in the first three caches fill."""
GROWTH_MB = 24
OPTIONS = ("--workers", "2", "--max-detached", "32", "--max-sessions", "64")


async def watch(bystander: Socket, before: dict[str, Any], until: asyncio.Event) -> None:
    """Look at a session that nobody should be able to touch, again and again."""
    while not until.is_set():
        assert await bystander.state() == before
        await asyncio.sleep(1.0)


async def settled(pid: int) -> None:
    """Wait until the parent has loaded what any programme needs: till then its memory grows by itself."""
    before = 0.0
    for _ in range(60):
        now = sum(memory_mb(pid).values())
        if abs(now - before) < 0.5:
            return
        before = now
        await asyncio.sleep(3.0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads memory from /proc")
async def test_hostile_frames_harm_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with process("app.cli", "serve", *OPTIONS) as (server, url, _):
        async with connected(url) as bystander:
            await bystander.reset(seed=9, episode_id="bystander")
            await bystander.step(command="assay M1: potency")
            before = await bystander.state()
            await settled(server.pid)
            memory, wrong, sent = [], [], 0
            over = asyncio.Event()
            watching = asyncio.create_task(watch(bystander, before, over))
            for number in range(ROUNDS):
                report = await attack(url, frames=FRAMES // ROUNDS, seed=number)
                wrong += report.wrong
                sent += sum(report.sent.values())
                memory.append(memory_mb(server.pid))
            over.set()
            await watching
        async with aiohttp.ClientSession() as http, http.get(f"{url}/health") as reply:
            assert await reply.json() == {"status": "healthy"}
        assert server.poll() is None
        server.terminate()
        logged = server.communicate(timeout=20)[1]

    for line in report.lines():
        log.info("%s", line)
    log.info("private MB after each round: %s", [round(sum(m.values())) for m in memory])
    assert wrong == []
    assert sent >= FRAMES - 8 * ROUNDS
    assert "Traceback" not in logged
    assert logged.count("is gone") <= logged.count("in one call for long"), logged
    assert memory[-1][server.pid] - memory[1][server.pid] < GROWTH_MB / 3
    assert sum(memory[-1].values()) - sum(memory[2].values()) < GROWTH_MB
