"""From attempts to a row of the leaderboard."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.models.player import Attempt

RESAMPLES = 2000


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of the mean (percentile method, fixed stream)."""
    rng = random.Random("bootstrap")
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def row(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return what the leaderboard tells of one model."""
    tasks: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        tasks.setdefault(attempt.task, []).append(attempt)
    return {
        "model": attempts[0].model,
        "split": attempts[0].split,
        "settings": attempts[0].settings,
        "made_with": sorted({attempt.made_with for attempt in attempts}),
        "scores": [[a.task, a.seed, a.score] for a in attempts],
        "all": _figures(attempts),
        "tasks": {task: _figures(found) for task, found in tasks.items()},
    }


def _figures(attempts: Sequence[Attempt]) -> dict[str, Any]:
    scores = [attempt.score for attempt in attempts]
    low, high = interval(scores)
    steps = sum(attempt.steps for attempt in attempts) or 1
    return {
        "programmes": len(attempts),
        "score": fmean(scores),
        "low": low,
        "high": high,
        "parse_rate": sum(a.parsed for a in attempts) / steps,
        "error_rate": sum(a.refused for a in attempts) / (sum(a.parsed for a in attempts) or 1),
        "failed_calls": sum(a.failed_calls for a in attempts),
        "cut": sum(a.ending == "cut" for a in attempts),
        "again": sum(a.number > 1 for a in attempts),
        "steps": fmean(a.steps for a in attempts),
        "prompt_tokens": fmean(a.prompt_tokens for a in attempts),
        "completion_tokens": fmean(a.completion_tokens for a in attempts),
        "spent": fmean(a.spent for a in attempts),
    }


def table(found: dict[str, Any]) -> str:
    """Return a row, family by family, as Markdown."""
    lines = [
        f"{found['model']} on `{found['split']}` ({found['settings']}); 95 % bootstrap intervals. Cut: begun",
        "and not finished, counted at the floor; again: those that had been cut before.",
        "",
        "| family | n | score | parsed | errors | no text | steps | tokens | out | credits | cut | again |",
        "|" + "---|" * 12,
    ]
    for name, f in [*found["tasks"].items(), ("all", found["all"])]:
        lines.append(
            f"| {name} | {f['programmes']} | {told(f)} | {f['parse_rate']:.0%} | {f['error_rate']:.0%} "
            f"| {f['failed_calls']} | {f['steps']:.1f} | {f['prompt_tokens']:.0f} "
            f"| {f['completion_tokens']:.0f} | {f['spent']:.0f} | {f['cut']} | {f['again']} |"
        )
    return "\n".join(lines)


def told(figures: dict[str, Any]) -> str:
    """Return a score with its interval, which a single programme has not got."""
    if figures["programmes"] < 2:
        return f"{figures['score']:.3f}"
    return f"{figures['score']:.3f} [{figures['low']:.3f}, {figures['high']:.3f}]"


def add(path: Path, found: dict[str, Any]) -> None:
    """Put a row into the file of rows; the same model's earlier row with the same settings is replaced.

    Raises ``ValueError`` where that row counts programmes which this one does not.
    """
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kept = [row for row in rows if _of(row) != _of(found)]
    now = {(task, seed) for task, seed, _ in found["scores"]}
    lost = sum((task, seed) not in now for r in rows if _of(r) == _of(found) for task, seed, _ in r["scores"])
    if lost:
        raise ValueError(
            f"the row of {found['model']} in {path} counts {lost} programmes that this one does not"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, found], indent=1) + "\n", encoding="utf-8")


def _of(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["model"], row["split"], row["settings"]
