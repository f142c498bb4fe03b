"""The same play without a server: what the environment itself costs on the machine as it is."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from app.bench.load import Load, Outcome
from app.hosting import Hosted
from app.parent import load as load_entry

_together: Any = None


def in_process(factory: str, load: Load, *, processes: int = 1) -> Outcome:
    """Play all sessions, one after another in each of so many processes, which begin together."""
    if processes == 1:
        return _play(factory, load, range(load.sessions))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, initializer=_meet_at, initargs=(barrier,)) as pool:
        shares = [range(first, load.sessions, processes) for first in range(processes)]
        played = list(pool.map(_play, [factory] * processes, [load] * processes, shares))
    together = Outcome(connect=[0.0], wall=max(one.wall for one in played))
    for one in played:
        together.reset += one.reset
        together.step += one.step
        together.server_cpu += one.server_cpu
    return together


def _meet_at(barrier: Any) -> None:
    global _together  # noqa: PLW0603 - a pool hands a barrier to its processes in no other way
    _together = barrier


def _play(factory: str, load: Load, seeds: range) -> Outcome:
    make = load_entry(factory)(None)
    outcome = Outcome(connect=[0.0])
    hosted = [(seed, Hosted(make, str(seed))) for seed in seeds]
    for seed, one in hosted:
        began = time.perf_counter()
        one.reset({**load.arguments, "seed": seed})
        outcome.reset.append(time.perf_counter() - began)
    hosted[0][1].step(load.actions[0])
    if _together is not None:
        _together.wait()
    wall, cpu = time.perf_counter(), time.process_time()
    for seed, one in hosted:
        for number in range(seed, seed + load.steps):
            began = time.perf_counter()
            one.step(load.actions[number % len(load.actions)])
            outcome.step.append(time.perf_counter() - began)
    outcome.wall = time.perf_counter() - wall
    outcome.server_cpu = time.process_time() - cpu
    return outcome
