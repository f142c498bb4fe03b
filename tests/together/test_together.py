"""Every stock client there is, each in a process of its own, all at once against one server, to the end.

OpenEnv's two releases cannot be installed together, so other interpreters are looked for where
``make clients`` makes them; what is missing is told as a skip.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

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


async def play(python: str, kind: str, url: str) -> tuple[str, str]:
    """Return who played, and the last line it printed."""
    program = await asyncio.create_subprocess_exec(
        *(python, "-W", "ignore", str(ROOT / "tests/together/player.py"), kind, url),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await program.communicate()
    told = out.decode().strip().splitlines()[-1:] or [err.decode()[-2000:]]
    return f"{Path(python).parents[1].name} {kind}", told[0]


async def test_all_clients_play_at_once_and_get_the_same_score() -> None:
    who = players()
    assert {kind for _, kind in who} == set(PLAYERS)
    with process("app.cli", "serve", "--workers", "2") as (_, url, _):
        told = dict(await asyncio.gather(*(play(python, kind, url) for python, kind in who)))

    assert len(told) == len(who) == 12
    assert len(set(told.values())) == 1, told
    assert next(iter(told.values())).startswith("score 0.")
