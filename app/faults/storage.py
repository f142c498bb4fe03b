"""The journal's disk is full, or read-only: nothing is acknowledged that was not written."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from app.faults.players import Player
from app.faults.server import ROOT, Server, served
from app.faults.verdict import Verdict


async def full_disk(share: float) -> Verdict:  # noqa: ARG001 - it takes what it takes
    """Let no file grow any more, as a full disk would; then give space back."""
    verdict = Verdict(scenario="disk full under the journal")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.db"
        options = ("--workers", "2", "--journal", str(journal))
        async with served(*options) as server, aiohttp.ClientSession() as http:
            player = Player(http, server.url, seed=1)
            await player.open()
            await player.play({"command": f"x {n}"} for n in range(20))
            with _no_space(server):
                refused = await _refused(player)
                ready = await _ready(http, server)
                count = (await player.state())["step_count"]
            verdict.note("steps refused with JOURNAL_FAILED", refused, least=5)
            verdict.note("/ready says journal", ready == (503, "journal"), least=1)
            verdict.note("steps acknowledged and not written", count - 20, most=0)
            began = time.monotonic()
            await server.ready(seconds=20.0)
            verdict.note("ready again s", time.monotonic() - began, most=5.0)
            await player.play({"command": f"y {n}"} for n in range(20))
            account = player.compare()
            server.kill()
            server.start()
            await server.ready()
            player.socket = None
            await player.play([{"command": "last"}])
            verdict.note("lost", player.account.lost, most=0)
            verdict.note("wrong", account.wrong, most=0)
    return verdict


class _no_space:  # noqa: N801 - used as a block
    """No file of the server's can grow while the block lasts (RLIMIT_FSIZE: writes fail with EFBIG)."""

    def __init__(self, server: Server) -> None:
        self._pid = server.process.pid

    def __enter__(self) -> None:
        self._before = resource.prlimit(self._pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (1, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_FSIZE, self._before)


async def _refused(player: Player) -> int:
    refused = 0
    assert player.socket is not None
    for number in range(10):
        await player.socket.send_json({"type": "step", "data": {"command": f"never {number}"}})
        reply = await player.socket.receive_json(timeout=20.0)
        refused += reply["data"].get("cause") == "JOURNAL_FAILED"
    return refused


async def _ready(http: aiohttp.ClientSession, server: Server) -> tuple[int, Any]:
    async with http.get(f"{server.url}/ready") as reply:
        return reply.status, (await reply.json())["status"]


async def read_only(share: float) -> Verdict:  # noqa: ARG001 - it takes what it takes
    """Start on a journal that may not be written: refused in one sentence, exit 2."""
    verdict = Verdict(scenario="read-only journal at the start")
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "inside"
        inside.mkdir()
        (inside / "journal.db").touch()
        (inside / "journal.db").chmod(0o444)
        inside.chmod(0o555)
        command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--host", "127.0.0.1"]
        command += ["--journal", str(inside / "journal.db")]
        try:
            ended = await asyncio.to_thread(
                lambda: subprocess.run(
                    command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
                    preexec_fn=_nobody,
                )
            )  # fmt: skip
        finally:
            inside.chmod(0o755)
        verdict.note("exit code", ended.returncode, least=2, most=2)
        verdict.note("says which file", "journal.db" in ended.stderr, least=1)
        verdict.note("tracebacks", ended.stderr.count("Traceback"), most=0)
    return verdict


def _nobody() -> None:
    """Give up root's power to write anything anywhere."""
    if os.getuid() == 0:
        import ctypes

        for capability in range(41):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
