"""Workers and servers are killed, stopped, filled and hung; nothing may be lost, doubled or wrong."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from app.environments import environment_factory
from app.faults.players import Account, Player, quantile, settle
from app.faults.server import FAULTY, Server, served
from app.faults.verdict import Verdict

REAL = "app.environments:environment_factory"
MIX: tuple[dict[str, Any], ...] = (
    {"command": "suggest M1"},
    {"command": "assay M1: potency"},
    {"command": "design O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1"},
    {"command": "assay M2: potency"},
)
PAUSE_SECONDS = 0.05
"""Between two steps of a player: losses are looked for here, not speed."""


@asynccontextmanager
async def playing(server: Server, count: int, **options: Any) -> AsyncIterator[list[Player]]:
    """Open so many sessions, one after the other; leave them in the end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        players = [Player(http, server.url, seed=seed, **options) for seed in range(count)]
        for player in players:
            await player.open()
        yield players
        with suppress(aiohttp.ClientError, OSError):
            await asyncio.gather(*(player.close() for player in players))


def _steps(number: int) -> Iterator[dict[str, Any]]:
    return ({"command": f"x {number} {n}"} for n in itertools.count())


def _note(verdict: Verdict, account: Account, *, stall: float | None) -> None:
    verdict.note("right replies", account.right, least=1)
    verdict.note("wrong or doubled", account.wrong, most=0)
    verdict.note("lost", account.lost, most=0)
    verdict.note("resumed", account.resumed)
    verdict.note("replies read from state", account.taken)
    verdict.note("longest stall s", max(account.seconds, default=0.0), most=stall)
    if account.errors:
        verdict.trouble = account.errors[0]


async def worker_kills(share: float) -> Verdict:
    """Kill workers under 64 sessions, for 60 s."""
    seconds = max(5.0, 60.0 * share)
    return await _kill_under("64 sessions", 64, _steps, seconds=seconds, pause=PAUSE_SECONDS, stall=2.0)


async def real_kills(share: float) -> Verdict:
    """The same with the real environment: 8 sessions, 24 steps each of a stated mix."""
    actions = list(itertools.islice(itertools.cycle(MIX), max(8, int(24 * share))))
    return await _kill_under(
        "real environment, 8 sessions",
        8,
        lambda _number: actions,
        pause=0.3,
        served_by=REAL,
        factory=environment_factory(None),
        reset={"task_id": "potency"},
    )


async def _kill_under(
    whom: str,
    count: int,
    actions: Callable[[int], Iterable[dict[str, Any]]],
    *,
    pause: float,
    seconds: float | None = None,
    stall: float | None = None,
    served_by: str = FAULTY,
    **options: Any,
) -> Verdict:
    """SIGKILL a random worker every 2 s while sessions play."""
    verdict = Verdict(scenario=f"SIGKILL of a random worker every 2 s, {whom}")
    async with (
        served("--workers", "2", factory=served_by) as server,
        playing(server, count, **options) as players,
    ):
        until = time.monotonic() + seconds if seconds else 0.0
        killing = asyncio.create_task(_kill_workers(server, every=2.0))
        await asyncio.gather(
            *(player.play(actions(n), until=until, pause=pause) for n, player in enumerate(players))
        )
        killing.cancel()
        verdict.note("workers killed", (await server.figures())["molforge_worker_restarts_total"], least=2)
        _note(verdict, await asyncio.to_thread(settle, players), stall=stall)
    return verdict


async def _kill_workers(server: Server, *, every: float) -> None:
    rng = random.Random(1)
    while True:
        await asyncio.sleep(every)
        with suppress(ProcessLookupError, IndexError):
            os.kill(rng.choice(server.workers), signal.SIGKILL)


async def server_kills(share: float) -> Verdict:
    """SIGKILL the whole server 20 times under load with a journal; clients resume."""
    times = max(2, round(20 * share))
    verdict = Verdict(scenario=f"SIGKILL of the server {times} times, 32 sessions, a journal")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--workers", "2", "--journal", str(Path(folder) / "journal.db"))
        async with served(*options) as server, playing(server, 32) as players:
            is_over = asyncio.Event()
            tasks = [
                asyncio.create_task(player.play(_until(is_over, n), pause=PAUSE_SECONDS))
                for n, player in enumerate(players)
            ]
            rng = random.Random(2)
            for _ in range(times):
                await asyncio.sleep(rng.uniform(0.5, 1.0))
                server.kill()
                server.start()
                await server.ready()
            await asyncio.sleep(1.0)
            is_over.set()
            await asyncio.gather(*tasks)
            verdict.note("servers killed", times, least=2)
            _note(verdict, settle(players), stall=None)
    return verdict


def _until(is_over: asyncio.Event, number: int) -> Iterator[dict[str, Any]]:
    for action in _steps(number):
        if is_over.is_set():
            return
        yield action


async def stopped_worker(share: float) -> Verdict:
    """SIGSTOP a worker: it is replaced, and its sessions go on."""
    return await _beside(
        "SIGSTOP of a worker", share, lambda server, _victim: _stop_one(server), is_answered=True
    )


async def hungry_step(share: float) -> Verdict:
    """A step that allocates without end."""
    return await _beside(
        "a step that allocates without end",
        share,
        lambda _server, victim: _fatal(victim, "hog"),
        options=("--worker-memory-mb", "256"),
    )


async def hanging_step(share: float) -> Verdict:
    """A step that never returns."""
    return await _beside(
        "a step that never returns",
        share,
        lambda _server, victim: _fatal(victim, "hang"),
        options=("--call-seconds", "6"),
    )


async def _stop_one(server: Server) -> str:
    os.kill(server.workers[0], signal.SIGSTOP)
    return "stopped"


async def _fatal(victim: Player, command: str) -> str:
    assert victim.socket is not None
    await victim.socket.send_json({"type": "step", "data": {"command": command}})
    reply = await victim.socket.receive_json(timeout=60.0)
    return str(reply["data"].get("cause", reply["type"]))


async def _beside(
    name: str,
    share: float,
    harm: Callable[[Server, Player], Coroutine[Any, Any, str]],
    *,
    options: tuple[str, ...] = (),
    is_answered: bool = False,
) -> Verdict:
    """Measure 32 sessions in peace, then while harm is done to one or its worker."""
    verdict = Verdict(scenario=f"{name}, 32 others")
    seconds = max(3.0, 12.0 * share)
    async with served("--workers", "2", *options, factory=FAULTY) as server, playing(server, 33) as everyone:
        victim, *players = everyone
        await phase(players, seconds)
        peace = taken(players)
        harming = asyncio.create_task(harm(server, victim))
        await asyncio.gather(phase(players, seconds), harming)
        war = taken(players)
        await victim.play([{"command": "after"}])
        account = settle(everyone)
        verdict.note("p99 ms in peace", quantile(peace, 0.99) * 1e3)
        verdict.note("p99 ms beside it", quantile(war, 0.99) * 1e3)
        verdict.note("ratio of p99", quantile(war, 0.99) / max(quantile(peace, 0.99), 1e-3), most=3.0)
        verdict.note("longest s", max(war))
        verdict.note("wrong or doubled", account.wrong, most=0)
        verdict.note("lost", account.lost, most=0)
        if not is_answered:
            said = harming.result()
            verdict.scenario += f" (the victim hears {said})"
            verdict.note("clear error", said in ("OUT_OF_MEMORY", "STEP_TIMEOUT", "CALL_CRASHED"), least=1)
    return verdict


async def phase(players: list[Player], seconds: float) -> None:
    """Let the players play for so long."""
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(player.play(_steps(n), until=until, pause=PAUSE_SECONDS) for n, player in enumerate(players))
    )


def taken(players: list[Player]) -> list[float]:
    """Return what the steps took since this was last asked."""
    seconds = [second for player in players for second in player.account.seconds]
    for player in players:
        player.account.seconds = []
    return seconds
