"""The parts of the benchmark: each measures one thing and says what had to be reached."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from app.bench import servers
from app.bench.alone import in_process
from app.bench.figures import Runs, Target, row
from app.bench.load import Line, Load, Outcome, cpu_of, family_of, opened, put_on
from app.bench.servers import REAL, TRIVIAL, Contender
from app.encoding import dumps, loads
from app.hosting import Hosted
from app.memory import proportional_kb
from app.parent import load as load_entry
from molforge.evaluation.progress import tell

MIX: tuple[dict[str, Any], ...] = (
    {"command": "suggest M1"},
    {"command": "assay M1: potency"},
    {"command": "design O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1"},
    {"command": "assay M2: potency"},
)
"""Actions with the real environment, in turn."""
LIGHT: tuple[dict[str, Any], ...] = (
    {"command": "assay M1: potency"},
    {"command": "assay M2: potency"},
    {"command": "assay M3: potency"},
)
"""Three steps of a ``triage`` programme."""
CHECKED = 128
"""Sessions of the many whose every reply is compared with play in process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is measured."""

    sessions: int = 32
    steps: int = 400
    real_sessions: int = 64
    real_steps: int = 12
    runs: int = 3
    workers: int = 2
    many: int = 16_384
    stock_python: Path | None = None


def _taking_turns(
    title: str,
    factory: str,
    contenders: Sequence[Contender],
    load: Load,
    runs: int,
    cores: float,
    alone: int = 1,
) -> Runs:
    """Measure every contender in every run, and play by ``alone`` processes without a server."""
    found: Runs = {}
    for run in range(1, runs + 1):
        tell(f"{title}: run {run} of {runs}, in process")
        outcome = in_process(factory, load, processes=alone)
        found.setdefault("in process", []).append(row(outcome, batch=alone, cores=min(alone, cores)))
        for contender in contenders:
            tell(f"{title}: run {run} of {runs}, {contender.name}")
            with servers.running(contender) as server:
                outcome = asyncio.run(put_on(server.url, server.pid, load))
            found.setdefault(contender.name, []).append(row(outcome, batch=load.sessions, cores=cores))
    return found


def trivial(setting: Setting, cores: float) -> tuple[Runs, list[Target]]:
    """Measure the server alone: an environment that costs nothing."""
    load = Load(sessions=setting.sessions, steps=setting.steps, actions=[{"command": "x"}])
    contenders = [
        servers.echo(),
        servers.own(TRIVIAL, workers=setting.workers),
        servers.own(TRIVIAL, workers=0),
        *([servers.stock(TRIVIAL, setting.stock_python)] if setting.stock_python else []),
    ]
    runs = _taking_turns("trivial environment", TRIVIAL, contenders, load, setting.runs, cores)
    targets = []
    if setting.stock_python:
        ratios = _ratios(runs, contenders[1].name, "stock openenv", "cpu_us")
        targets.append(_target("server CPU per step over stock's, trivial", ratios, most=1 / 3))
    return runs, targets


def real(setting: Setting, cores: float) -> tuple[Runs, list[Target]]:
    """Measure the real environment with a stated mix of actions."""
    arguments = {"task_id": "potency"}
    load = Load(sessions=setting.real_sessions, steps=setting.real_steps, actions=MIX, arguments=arguments)
    own = servers.own(REAL, workers=setting.workers)
    contenders = [own, *([servers.stock(REAL, setting.stock_python)] if setting.stock_python else [])]
    # as many processes as the server has: two cores at work are each slower than one alone
    runs = _taking_turns(
        "real environment", REAL, contenders, load, setting.runs, cores, alone=setting.workers
    )
    targets = [
        _target("steps per CPU-second over in process, real",
                _ratios(runs, own.name, "in process", "per_cpu_second"), least=0.85),
        _target("p99 / p50 of one kind of step, real",
                [found["p99_over_p50"] for found in runs[own.name]], most=4.0),
    ]  # fmt: skip
    if setting.stock_python:
        alone = [found["cpu_us"] for found in runs["in process"]]
        own_extra = [found["cpu_us"] - base for found, base in zip(runs[own.name], alone, strict=True)]
        stock_extra = [
            found["cpu_us"] - base for found, base in zip(runs["stock openenv"], alone, strict=True)
        ]
        extra = statistics.median(own_extra) / max(statistics.median(stock_extra), 1e-9)
        targets += [
            _target("(server - in process) CPU per step over stock's, real", [extra], most=1 / 3),
            _target("steps per CPU-second over stock, real",
                    _ratios(runs, own.name, "stock openenv", "per_cpu_second"), least=1.0),
            _target("steps per second over stock, real (wall clock)",
                    _ratios(runs, own.name, "stock openenv", "steps_per_second"),
                    least=1.7 if cores >= 1.7 else None),
        ]  # fmt: skip
    return runs, targets


def single(setting: Setting, cores: float) -> tuple[Runs, list[Target]]:
    """Measure the delay of one session."""
    load = Load(sessions=1, steps=setting.steps, actions=[{"command": "x"}])
    own = servers.own(TRIVIAL, workers=setting.workers)
    runs = _taking_turns("one session", TRIVIAL, [own], load, setting.runs, cores)
    extra = [
        with_server["step_p50"] - without["step_p50"]
        for with_server, without in zip(runs[own.name], runs["in process"], strict=True)
    ]
    return runs, [_target("p50 of a step over in process, 1 session, ms", extra, most=0.3)]


def start(setting: Setting, _cores: float) -> tuple[Runs, list[Target]]:
    """Measure how long it takes to be there."""
    found: dict[str, list[float]] = {"/health": [], "first step": []}
    for run in range(1, setting.runs + 1):
        tell(f"start: run {run} of {setting.runs}")
        with servers.running(servers.own(REAL, workers=setting.workers), until="/health") as server:
            found["/health"].append(time.perf_counter() - server.began)
            load = Load(sessions=1, steps=1, actions=LIGHT)
            asyncio.run(_first_step(server.url, load))
            found["first step"].append(time.perf_counter() - server.began)
    return {}, [
        _target("start to /health, s", found["/health"], most=2.0),
        _target("start to the first step of a default programme, s", found["first step"], most=4.0),
    ]


async def _first_step(url: str, load: Load) -> None:
    outcome = Outcome()
    async with aiohttp.ClientSession() as http:
        line = await Line.opened(http, url)
        await line.ask('{"type":"reset"}', outcome.reset, outcome)
        await line.ask(dumps({"type": "step", "data": load.actions[0]}).decode(), outcome.step, outcome)
        await line.close()
    if outcome.failed:
        raise RuntimeError("the first programme could not be played")


def many(setting: Setting, cores: float) -> tuple[Runs, list[Target]]:
    """Open very many sessions at once, twice on one server; compare some of them with play in process."""
    options = ("--max-sessions", str(setting.many + 64), "--idle-seconds", "86400")
    found: Runs = {}
    targets: list[Target] = []
    with servers.running(servers.own(REAL, workers=setting.workers, options=options)) as server:
        for turn in (1, 2):
            outcome, extra = asyncio.run(_hold_many(server, setting.many, turn))
            found[f"triage, {setting.many} at once, turn {turn}"] = [
                row(outcome, batch=setting.many, cores=cores)
            ]
            targets += [
                _target(f"sessions right of {setting.many}, turn {turn}",
                        [extra["right"]], least=setting.many),
                _target(f"replies other than in process, of {CHECKED} sessions, turn {turn}",
                        [extra["different"]], most=0),
                _target(f"memory per open session, kB PSS, turn {turn}", [extra["kb"]], most=64.0),
                _target(f"threads more, turn {turn}", [extra["threads"]], most=4),
                _target(f"seconds to open and reset them, turn {turn}", [extra["seconds"]]),
            ]  # fmt: skip
    return found, targets


async def _hold_many(server: servers.Running, count: int, turn: int) -> tuple[Outcome, dict[str, float]]:
    load = Load(sessions=count, steps=3, actions=LIGHT, arguments={"task_id": "triage"})
    outcome = Outcome()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await _warm(http, server.url)
        before, threads = _memory(server.pid), _threads(server.pid)
        began = time.perf_counter()
        opening = asyncio.create_task(opened(http, server.url, load, outcome))
        while not opening.done():
            await asyncio.wait((opening,), timeout=30.0)
            tell(f"turn {turn}: {len(outcome.reset)} of {count} sessions are open")
        lines = opening.result()
        seconds = time.perf_counter() - began
        kb = (_memory(server.pid) - before) / count
        more = _threads(server.pid) - threads
        replies: dict[int, list[str]] = {}
        cpu, began = cpu_of(server.pid), time.perf_counter()
        gate = asyncio.Semaphore(256)

        async def play(place: int, line: Line) -> None:
            async with gate:
                for action in LIGHT:
                    frame = dumps({"type": "step", "data": action}).decode()
                    try:
                        replies.setdefault(place, []).append(await line.ask(frame, outcome.step, outcome))
                    except ConnectionError:
                        outcome.failed += 1

        await asyncio.gather(*(play(place, line) for place, line in enumerate(lines)))
        outcome.wall, outcome.server_cpu = time.perf_counter() - began, cpu_of(server.pid) - cpu
        right, different = await asyncio.to_thread(_judge, replies)
        await asyncio.gather(*(line.close() for line in lines))
    tell(f"turn {turn}: {right} of {count} right")
    return outcome, {"right": right, "different": different, "kb": kb, "threads": more, "seconds": seconds}


async def _warm(http: aiohttp.ClientSession, url: str) -> None:
    """Let every worker play every target once, so that what is loaded once is not counted as a session's."""
    outcome = Outcome()
    load = Load(sessions=64, steps=1, actions=LIGHT, arguments={"task_id": "triage"})
    lines = await opened(http, url, load, outcome)
    frame = dumps({"type": "step", "data": LIGHT[0]}).decode()
    await asyncio.gather(*(line.ask(frame, outcome.step, outcome) for line in lines))
    for line in lines:
        await line.tell('{"type":"close"}')
        await line.close()
    await asyncio.sleep(1.0)


def _judge(replies: dict[int, list[str]]) -> tuple[int, int]:
    """Return how many sessions are whole and their own, and how many of a sample play otherwise here."""
    whole: dict[int, list[dict[str, Any]]] = {}
    seen: set[str] = set()
    for place, texts in replies.items():
        found = [loads(text) for text in texts]
        observations = [one["data"]["observation"] for one in found if one["type"] == "observation"]
        if len(observations) == len(LIGHT) and len({each["session_id"] for each in observations}) == 1:
            left = [each["steps_left"] for each in observations]
            if left == list(range(left[0], left[0] - len(LIGHT), -1)):
                whole[place] = [one["data"] for one in found]
                seen.add(observations[0]["session_id"])
    sample = random.Random(5).sample(sorted(whole), min(CHECKED, len(whole)))
    make = load_entry(REAL)(None)
    different = sum(_plays_otherwise(make, whole[place]) for place in sample)
    return len(seen), different


def _plays_otherwise(make: Any, found: list[dict[str, Any]]) -> bool:
    observation = found[0]["observation"]
    hosted = Hosted(make, observation["session_id"])
    hosted.reset({"task_id": "triage", "seed": observation["seed"]})
    return [loads(hosted.step(action).body) for action in LIGHT] != found


def _memory(pid: int) -> float:
    return sum(proportional_kb(member) for member in family_of(pid))


def _threads(pid: int) -> int:
    return sum(len(list(Path(f"/proc/{member}/task").iterdir())) for member in family_of(pid))


def _ratios(runs: Runs, one: str, other: str, column: str) -> list[float]:
    """Return the ratio of two servers in every run: they had the same neighbours."""
    pairs = zip(runs[one], runs[other], strict=True)
    return [mine[column] / max(theirs[column], 1e-9) for mine, theirs in pairs]


def _target(
    name: str, values: Sequence[float], *, most: float | None = None, least: float | None = None
) -> Target:
    value = statistics.median(values)
    must = f"<= {most:.3g}" if most is not None else f">= {least:.3g}" if least is not None else ""
    is_reached = (most is None or value <= most) and (least is None or value >= least)
    return Target(name=name, value=value, must=must, is_reached=is_reached)
