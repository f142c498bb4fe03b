"""Memory of a whole server: ``python benchmarks/memory.py [--check]`` (Linux).

Starts a server as anybody would, and prints the proportional set size (``Pss`` of ``/proc/PID/smaps_rollup``:
pages that processes share are counted once) of all of its processes together

    default   when the default programme of every family has been opened
    all       when every family has been opened on every target, on every worker

With ``--check`` the exit code is 1 where a figure is above its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from envs import CATALOGUE  # noqa: E402
from molforge.agent.local_server import local_server  # noqa: E402

LIMITS = {"default": 400.0, "all": 700.0}
"""Megabytes."""
SESSIONS = 4
SETTLING_SECONDS = 5.0
QUIET = 4
"""Looks in a row that must see the same, within 1 MB."""
MB = 1e6


def descendants(root: int) -> list[int]:
    """Return the processes below a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found[1:]


def pss(pids: list[int]) -> float:
    """Return the memory of processes in MB, shared pages counted once."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / MB


async def opened(url: str, resets: list[dict[str, object]]) -> None:
    """Open programmes one after another in several sessions at once, so that all workers have them."""

    async def play(http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(f"{url}/ws", max_msg_size=2**24) as socket:
            for arguments in resets:
                await socket.send_json({"type": "reset", "data": arguments})
                reply = await socket.receive_json()
                if reply["type"] == "error":
                    raise SystemExit(f"reset {arguments}: {reply['data']}")

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(play(http) for _ in range(SESSIONS)))


async def settled() -> float:
    """Return the memory once it has stopped changing."""
    seen = [0.0]
    while max(seen[-QUIET:]) - min(seen[-QUIET:]) > 1.0 or len(seen) < QUIET:
        await asyncio.sleep(SETTLING_SECONDS)
        seen.append(pss(descendants(os.getpid())))
    return seen[-1]


async def measure() -> dict[str, float]:
    """Start a server and load it."""
    async with local_server(ROOT) as url:
        await opened(url, [{"task_id": task} for task in CATALOGUE])
        default = pss(descendants(os.getpid()))
        pairs = [(task, target) for task, spec in CATALOGUE.items() for target in spec.targets]
        await settled()
        await opened(url, [{"task_id": task, "targets": [target]} for task, target in pairs])
        return {"default": default, "all": await settled()}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = asyncio.run(measure())
    for name, megabytes in found.items():
        sys.stdout.write(f"{name}: {megabytes:.0f} MB of at most {LIMITS[name]:.0f}\n")
    return int(options.check and any(found[name] > LIMITS[name] for name in LIMITS))


if __name__ == "__main__":
    sys.exit(main())
