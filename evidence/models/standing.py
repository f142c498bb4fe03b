"""From attempts to a row of the leaderboard."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

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
        "made_with": sorted({attempt.made_with for attempt in attempts}),
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
        "error_rate": sum(a.refused for a in attempts) / steps,
        "failed_calls": sum(a.failed_calls for a in attempts),
        "cut": sum(a.ending == "cut" for a in attempts),
        "steps": fmean(a.steps for a in attempts),
        "prompt_tokens": fmean(a.prompt_tokens for a in attempts),
        "completion_tokens": fmean(a.completion_tokens for a in attempts),
        "spent": fmean(a.spent for a in attempts),
    }


def table(found: dict[str, Any]) -> str:
    """Return a row, family by family, as Markdown."""
    lines = [
        f"{found['model']} on `{found['split']}`, one attempt per programme; 95 % bootstrap intervals",
        "",
        "| family | n | score | parsed | errors | steps | tokens in | out | credits | cut |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, f in [*found["tasks"].items(), ("all", found["all"])]:
        lines.append(
            f"| {name} | {f['programmes']} | {f['score']:.3f} [{f['low']:.3f}, {f['high']:.3f}] "
            f"| {f['parse_rate']:.0%} | {f['error_rate']:.0%} | {f['steps']:.1f} | {f['prompt_tokens']:.0f} "
            f"| {f['completion_tokens']:.0f} | {f['spent']:.0f} | {f['cut']} |"
        )
    return "\n".join(lines)


def add(path: Path, found: dict[str, Any]) -> None:
    """Put a row into the file of rows; the model's earlier row on the same split is replaced."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    kept = [r for r in rows if (r["model"], r["split"]) != (found["model"], found["split"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, found], indent=1) + "\n", encoding="utf-8")
