"""``molforge bench``: this server, a stock one and the least possible one, side by side in one run."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bench.load import Load, Outcome, put_on
from app.hosting import Hosted
from app.parent import load as load_entry
from app.workers import cores

ROOT = Path(__file__).parents[2]
STOCK_HOST = ROOT / "benchmarks" / "stock_host.py"
TRIVIAL, REAL = "app.bench.trivial:factory", "app.environments:environment_factory"
START_SECONDS = 60.0
MIX: tuple[dict[str, Any], ...] = (
    {"command": "suggest M1"},
    {"command": "assay M1: potency"},
    {"command": "design O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1"},
    {"command": "assay M2: potency"},
)
"""Actions with the real environment, in turn."""
_COLUMNS = (
    "server", "steps/s", "steps/cpu-s", "server us/step", "step p50", "p95", "p99 ms", "reset p50 ms",
    "connect p50 ms", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured."""

    sessions: int
    steps: int
    runs: int
    workers: int
    stock_python: Path | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One server."""

    name: str
    command: tuple[str, ...]
    """Without the port, which comes last."""


def bench(plan: Plan) -> int:
    """Measure, print a table per environment, write the figures; return the exit code."""
    obtained = cores_obtained()
    print(f"{cores()} cores allowed; two busy processes got {obtained:.2f} CPU-seconds a second")
    result: dict[str, Any] = {"cores_obtained": obtained, "plan": _plan(plan)}
    trivial = Load(sessions=plan.sessions, steps=plan.steps, actions=[{"command": "x"}])
    result["trivial"] = _environment("trivial environment", TRIVIAL, _contenders(plan), trivial, plan.runs)
    real = Load(sessions=plan.sessions, steps=min(plan.steps, 24), actions=MIX)
    contenders = [contender for contender in _contenders(plan, REAL) if contender.name != "echo"]
    result["real"] = _environment("real environment, stated mix", REAL, contenders, real, plan.runs)
    result["cores_obtained_after"] = cores_obtained()
    print(f"afterwards they got {result['cores_obtained_after']:.2f}")
    if plan.out is not None:
        plan.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def cores_obtained(seconds: float = 1.0) -> float:
    """Return how many CPU-seconds a second two busy processes get here, at present."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        return sum(pool.map(_spin, [seconds, seconds])) / seconds


def _spin(seconds: float) -> float:
    end, began = time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < end:
        pass
    return time.process_time() - began


def _plan(plan: Plan) -> dict[str, Any]:
    return {"sessions": plan.sessions, "steps": plan.steps, "runs": plan.runs, "workers": plan.workers}


def _contenders(plan: Plan, environment: str = TRIVIAL) -> list[Contender]:
    own = "app.bench.served" if environment == TRIVIAL else "app.cli"
    serve = (() if environment == TRIVIAL else ("serve",)) + ("--host", "127.0.0.1", "--log-level", "WARNING")
    workers = (sys.executable, "-m", own, *serve, "--workers", str(plan.workers), "--port")
    threads = (sys.executable, "-m", own, *serve, "--workers", "0", "--port")
    contenders = [
        Contender(name="echo", command=(sys.executable, "-m", "app.bench.echo", "--port")),
        Contender(name=f"molforge, {plan.workers} workers", command=workers),
        Contender(name="molforge, threads", command=threads),
    ]
    if plan.stock_python is not None:
        stock = (str(plan.stock_python), str(STOCK_HOST), environment)
        contenders.append(Contender(name="stock openenv", command=stock))
    return contenders


def _environment(
    title: str, factory: str, contenders: Sequence[Contender], load: Load, runs: int
) -> dict[str, list[dict[str, float]]]:
    """Measure all contenders, taking turns; print medians; return every run."""
    found: dict[str, list[dict[str, float]]] = {}
    for run in range(1, runs + 1):
        found.setdefault("in process", []).append(_in_process(factory, load))
        for contender in contenders:
            print(f"{title}: run {run} of {runs}, {contender.name}", file=sys.stderr)
            with _running(contender) as (url, pid):
                found.setdefault(contender.name, []).append(_figures(asyncio.run(put_on(url, pid, load))))
    print(f"\n{title}: {load.sessions} sessions, {load.steps} steps each, medians of {runs} runs")
    print(" | ".join(_COLUMNS))
    for name, rows in found.items():
        median = [statistics.median(row[column] for row in rows) for column in rows[0]]
        print(" | ".join([name, *(f"{value:.4g}" for value in median)]))
    return found


def _figures(outcome: Outcome) -> dict[str, float]:
    steps = len(outcome.step)
    cut = statistics.quantiles(outcome.step, n=100)
    return {
        "steps_per_second": steps / outcome.wall,
        "steps_per_cpu_second": steps / max(outcome.server_cpu, 1e-9),
        "server_cpu_us_per_step": outcome.server_cpu / steps * 1e6,
        "step_p50_ms": cut[49] * 1e3,
        "step_p95_ms": cut[94] * 1e3,
        "step_p99_ms": cut[98] * 1e3,
        "reset_p50_ms": statistics.median(outcome.reset) * 1e3,
        "connect_p50_ms": statistics.median(outcome.connect) * 1e3,
        "failed": outcome.failed,
    }


def _in_process(factory: str, load: Load) -> dict[str, float]:
    """Play the same without a server, session after session."""
    make = load_entry(factory)(None)
    Hosted(make, "warm").reset({})
    outcome = Outcome()
    hosted = [Hosted(make, str(number)) for number in range(load.sessions)]
    for seed, one in enumerate(hosted):
        began = time.perf_counter()
        one.reset({"seed": seed})
        outcome.reset.append(time.perf_counter() - began)
    wall, cpu = time.perf_counter(), time.process_time()
    for first, one in enumerate(hosted):
        for number in range(first, first + load.steps):
            began = time.perf_counter()
            one.step(load.actions[number % len(load.actions)])
            outcome.step.append(time.perf_counter() - began)
    outcome.wall = time.perf_counter() - wall
    outcome.server_cpu = time.process_time() - cpu
    outcome.connect = [0.0]
    return _figures(outcome)


@contextmanager
def _running(contender: Contender) -> Iterator[tuple[str, int]]:
    """Start a server; yield its URL and process id once it is ready for work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([*contender.command, str(port)], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        ready = "/ready" if "molforge" in contender.name else "/health"
        while not _answers(url + ready):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{contender.name} did not start")
            time.sleep(0.1)
        yield url, server.pid
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=2.0) as reply:
        return bool(reply.status == 200)
    return False
