"""``molforge faults``: harm is done to a real server, and what it does about it is measured."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from app.faults import bullies, kills, storage, strangers
from app.faults.verdict import Verdict, table

Scenario = Callable[[float], Awaitable[Verdict]]
SCENARIOS: Mapping[str, Scenario] = {
    "worker-kills": kills.worker_kills,
    "real-kills": kills.real_kills,
    "server-kills": kills.server_kills,
    "stopped-worker": kills.stopped_worker,
    "hungry-step": kills.hungry_step,
    "hanging-step": kills.hanging_step,
    "aborts": strangers.aborts,
    "full-disk": storage.full_disk,
    "read-only": storage.read_only,
    "intruders": strangers.intruders,
    "slow-peers": bullies.slow_peers,
    "sigterm": strangers.sigterm,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is played."""

    only: tuple[str, ...] = ()
    """Names of scenarios; empty: all."""
    share: float = 1.0
    """Of times and counts; below 1 it is a rehearsal."""
    out: Path | None = None
    """Folder for faults.json and faults.md."""


def faults(plan: Plan) -> int:
    """Play the scenarios, print a table, save it; return 1 if anything was not as it must be."""
    verdicts = [asyncio.run(_played(name, plan.share)) for name in plan.only or SCENARIOS]
    print(f"\n{table(verdicts)}")
    if plan.out is not None:
        plan.out.mkdir(parents=True, exist_ok=True)
        (plan.out / "faults.md").write_text(table(verdicts) + "\n")
        found = {"share": plan.share, "verdicts": [asdict(verdict) for verdict in verdicts]}
        (plan.out / "faults.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(verdict.is_good for verdict in verdicts) else 1


async def _played(name: str, share: float) -> Verdict:
    print(f"{name} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        verdict = await SCENARIOS[name](share)
    except Exception as why:  # noqa: BLE001 - a scenario that breaks off is a result too, and others follow
        verdict = Verdict(scenario=name, trouble=f"broken off: {type(why).__name__}: {why}")
    verdict.seconds = time.monotonic() - began
    print(f"{name}: {'good' if verdict.is_good else 'BAD'}", file=sys.stderr, flush=True)
    return verdict
