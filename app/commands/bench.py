"""``molforge bench``: this server, a stock one and the least possible one, side by side in one run."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.bench import parts
from app.bench.figures import Runs, Target, median, plot, table, target_table
from app.bench.parts import Setting
from app.workers import cores

Part = Callable[[Setting, float], tuple[Runs, list[Target]]]
PARTS: Mapping[str, Part] = {
    "trivial": parts.trivial,
    "real": parts.real,
    "single": parts.single,
    "start": parts.start,
    "many": parts.many,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured, and where it goes."""

    parts: tuple[str, ...] = ()
    """Names; empty: all."""
    setting: Setting = field(default_factory=Setting)
    out: Path | None = None
    """Folder for bench.json, bench.md and a picture of each part."""


def bench(plan: Plan) -> int:
    """Measure, print tables, write the figures; return the exit code."""
    obtained = cores_obtained()
    said = [f"{cores()} cores allowed; two busy processes got {obtained:.2f} CPU-seconds a second"]
    print(said[0], flush=True)
    result: dict[str, Any] = {"cores_obtained": obtained, "setting": asdict(plan.setting), "parts": {}}
    targets: list[Target] = []
    for name in plan.parts or PARTS:
        runs, reached = PARTS[name](plan.setting, obtained)
        targets += reached
        result["parts"][name] = {"runs": runs, "targets": [asdict(target) for target in reached]}
        if runs:
            said += [f"\n## {name}\n", table(runs)]
            print("\n".join(said[-2:]), flush=True)
        _save(plan, result, said, targets, runs, name)
    result["cores_obtained_after"] = cores_obtained()
    said.append(f"\nafterwards two busy processes got {result['cores_obtained_after']:.2f}\n")
    print(said[-1] + target_table(targets))
    _save(plan, result, said, targets, {}, "")
    return 0


def _save(
    plan: Plan, result: dict[str, Any], said: list[str], targets: list[Target], runs: Runs, name: str
) -> None:
    """Write what there is so far: a long run that is cut off leaves what it measured."""
    if plan.out is None:
        return
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "bench.json").write_text(json.dumps(result, indent=1, default=str) + "\n")
    (plan.out / "bench.md").write_text("\n".join([*said, "", target_table(targets), ""]))
    if runs:
        bars = {server: median(rows)["cpu_us"] for server, rows in runs.items()}
        picture = plot(f"{name}: CPU of the server's processes per step", bars, "us")
        (plan.out / f"bench-{name}.svg").write_text(picture)


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
