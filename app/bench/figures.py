"""From times to columns, from columns to a table, and the picture of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from app.bench.load import Outcome

Row = dict[str, float]
Runs = dict[str, list[Row]]
"""Rows of every run by the server's name."""
COLUMNS: Mapping[str, str] = {
    "batch": "batch",
    "success": "ok %",
    "connect_p50": "connect p50",
    "connect_p95": "p95",
    "connect_p99": "p99 ms",
    "reset_p50": "reset p50",
    "reset_p95": "p95",
    "reset_p99": "p99 ms",
    "step_p50": "step p50",
    "step_p95": "p95",
    "step_p99": "p99 ms",
    "steps_per_second": "steps/s",
    "per_core": "steps/s/core",
    "per_cpu_second": "steps/CPU-s",
    "cpu_us": "server us/step",
}
"""As the openenv-scaling benchmark has them, and what a step costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What has to be reached, and what was."""

    name: str
    value: float
    must: str
    is_reached: bool

    def __str__(self) -> str:
        return f"| {self.name} | {self.value:.3g} | {self.must} | {'yes' if self.is_reached else 'NO'} |"


def row(outcome: Outcome, *, batch: int, cores: float) -> Row:
    """Return the columns of one run; times in milliseconds."""
    tried = len(outcome.reset) + len(outcome.step)
    found: Row = {"batch": batch, "success": 100.0 * (1 - outcome.failed / max(1, tried))}
    for name in ("connect", "reset", "step"):
        cut = cuts(getattr(outcome, name))
        found |= {f"{name}_p{share}": cut[share] * 1e3 for share in (50, 95, 99)}
    steps = len(outcome.step)
    found["steps_per_second"] = steps / max(outcome.wall, 1e-9)
    found["per_core"] = found["steps_per_second"] / cores
    found["per_cpu_second"] = steps / max(outcome.server_cpu, 1e-9)
    found["cpu_us"] = outcome.server_cpu / max(1, steps) * 1e6
    tails = [cuts(times)[99] / max(cuts(times)[50], 1e-9) for times in outcome.by_action.values()]
    found["p99_over_p50"] = max(tails, default=0.0)
    return found


def cuts(times: Sequence[float]) -> dict[int, float]:
    """Return the 50th, 95th and 99th percentile; zeros of nothing."""
    ordered = sorted(times)
    if not ordered:
        return dict.fromkeys((50, 95, 99), 0.0)
    return {share: ordered[min(len(ordered) - 1, share * len(ordered) // 100)] for share in (50, 95, 99)}


def median(rows: Sequence[Row]) -> Row:
    """Return the median of every column."""
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


def table(runs: Runs) -> str:
    """Return medians as Markdown."""
    lines = ["| server | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, rows in runs.items():
        found = median(rows)
        lines.append(f"| {name} | " + " | ".join(f"{found[column]:.4g}" for column in COLUMNS) + " |")
    return "\n".join(lines)


def target_table(targets: Sequence[Target]) -> str:
    """Return what had to be reached as Markdown."""
    return "\n".join(["| measure | value | must | reached |", "|---|---|---|---|", *map(str, targets)])


def plot(title: str, bars: Mapping[str, float], unit: str) -> str:
    """Return a bar chart as SVG."""
    high, wide, left = 28, 420, 190
    most = max(bars.values(), default=1.0) or 1.0
    parts = [f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>']
    for place, (name, value) in enumerate(bars.items()):
        y = 36 + place * high
        colour = "#2a7f62" if name.startswith("molforge") else "#9aa5b1"
        width = max(1.0, value / most * wide)
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="20" fill="{colour}"/>')
        parts.append(f'<text x="{left + width + 6:.1f}" y="{y + 14}">{value:.4g} {escape(unit)}</text>')
    height = 44 + high * len(bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 160}" height="{height}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        + "".join(parts)
        + "</svg>\n"
    )
