"""Load on a server that runs: honest agents of every family and hostile clients, together, for a time.

    python -m tests.load.soak URL --seconds 600 --server PID [--kill-workers]

Prints what was played and what the server's processes hold. ``--kill-workers`` ends all its workers at the
end, without a warning, and waits until others have taken their place.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.app.harness import connected
from tests.load.hostile import Hostile, Report
from tests.load.processes import memory_mb, tree
from tests.load.test_load import over_rest, over_websocket

SOCKETS, RESTS, HOSTILES = 4, 2, 2
"""At once: fewer than the eight sessions that the server of the conformance kit has."""
REFUSED_SECONDS = 0.2
"""After which an honest agent asks for a place again."""


async def soak(url: str, seconds: float) -> tuple[int, list[float], Report, list[str]]:
    """Load the server; return programmes played, seconds of every step, and what went wrong."""
    end = time.monotonic() + seconds
    numbers = itertools.count()
    latencies: list[float] = []
    report = Report()
    wrong: list[str] = []
    refused: list[str] = []

    async def play(one: Callable[..., Coroutine[Any, Any, dict[str, Any]]]) -> int:
        played = 0
        while time.monotonic() < end:
            try:
                last = await one(url, next(numbers), latencies)
            except Exception as why:
                if "CAPACITY_REACHED" in str(why):  # hostile clients hold places too
                    refused.append(one.__name__)
                    await asyncio.sleep(REFUSED_SECONDS)
                    continue
                wrong.append(f"{one.__name__}: {type(why).__name__}: {why}"[:300])
                continue
            played += 1
            if not last["done"] or abs(last["total"] - last["observation"]["score"]) > 1e-9:
                wrong.append(f"{one.__name__}: the rewards of a programme do not sum to its score")
        return played

    async def bother(number: int) -> int:
        hostile = Hostile(url, random.Random(f"soak {number}"), report)
        while time.monotonic() < end:
            await hostile.attack()
        await hostile.leave()
        return 0

    tasks = [play(over_websocket) for _ in range(SOCKETS)] + [play(over_rest) for _ in range(RESTS)]
    played = await asyncio.gather(*tasks, *(bother(number) for number in range(HOSTILES)))
    print(f"{len(refused)} programmes found no place at first")
    if len(refused) > sum(played) / 100:
        wrong.append("more than one programme in a hundred found no place")
    return sum(played), latencies, report, wrong


async def kill_workers(url: str, server: int) -> int:
    """End every worker of a server with SIGKILL; return how many, once their successors serve."""
    workers = [pid for parent in tree(server)[1:2] for pid in tree(parent)[1:]]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    async with connected(url) as socket:
        await socket.reset(seed=1)
        await socket.send({"type": "close"})
    return len(workers)


async def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code."""
    before = sum(memory_mb(options.server).values())
    played, latencies, report, wrong = await soak(options.url, options.seconds)
    after = sum(memory_mb(options.server).values())
    if options.seconds:
        slowest = max(latencies, default=0.0)
        median = sorted(latencies)[len(latencies) // 2] if latencies else 0.0
        print(
            f"{played} programmes, {len(latencies)} steps, {median:.3f} s (median), {slowest:.1f} s at most"
        )
        print("\n".join(report.lines()))
        print(f"private memory of all processes: {before:.0f} MB before, {after:.0f} MB after")
    if options.kill_workers:
        print(f"{await kill_workers(options.url, options.server)} workers killed; others serve")
    for line in wrong[:20]:
        print(f"wrong: {line}")
    return 1 if wrong or report.wrong else 0


def main() -> int:
    """Load the server that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--server", type=int, required=True, help="process id of the server")
    parser.add_argument("--kill-workers", action="store_true")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
