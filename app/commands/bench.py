"""``molforge bench``: this server, a stock one and the least possible one, side by side in one run."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
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
    """Measure, print tables, write the figures; return the exit code.

    A part that was measured before takes the place of its old figures in the folder; the others stay.
    """
    result = _measured_before(plan.out)
    for name in plan.parts or PARTS:
        obtained, load = cores_obtained(), os.getloadavg()[0]
        runs, targets = PARTS[name](plan.setting, obtained)
        result[name] = {
            "date": datetime.now(UTC).date().isoformat(),
            "cores": {"allowed": cores(), "obtained": obtained, "obtained_after": cores_obtained()},
            "load": load,
            "setting": {key: value for key, value in asdict(plan.setting).items() if key != "stock_python"},
            "runs": runs,
            "targets": [asdict(target) for target in targets],
        }
        print(_told(name, result[name]), flush=True)
        _save(plan.out, result)  # a long run that is cut off leaves what it measured
    return 0


def _measured_before(out: Path | None) -> dict[str, Any]:
    file = None if out is None else out / "bench.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file is not None and file.exists() else {}
    return found


def _told(name: str, part: Mapping[str, Any]) -> str:
    """Return a part as Markdown."""
    got = part["cores"]
    circumstances = (
        f"{part['date']}; {got['allowed']} cores allowed, two busy processes got {got['obtained']:.2f} "
        f"CPU-seconds a second before and {got['obtained_after']:.2f} after; load {part['load']:.1f}.\n"
    )
    lines = [f"## {name}\n", circumstances]
    if part["runs"]:
        lines += [table(part["runs"]), ""]
    return "\n".join([*lines, target_table([Target(**target) for target in part["targets"]]), ""])


def _save(out: Path | None, result: Mapping[str, Any]) -> None:
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    done = [name for name in PARTS if name in result]
    (out / "bench.md").write_text("\n".join(_told(name, result[name]) for name in done))
    for name in done:
        if runs := result[name]["runs"]:
            bars = {server: median(rows)["cpu_us"] for server, rows in runs.items()}
            picture = plot(f"{name}: CPU of the server's processes per step", bars, "us")
            (out / f"bench-{name}.svg").write_text(picture)


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
