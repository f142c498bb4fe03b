"""Pictures of the board (matplotlib, from the extra ``evidence``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from envs import CATALOGUE
from evidence.leaderboard.page import Curves, curve_points
from evidence.leaderboard.plan import ENTRIES, TEST
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean


def draw(rows: Sequence[Row], curves: Curves, folder: Path) -> None:
    """Write ``leaderboard.svg``, ``budget.svg`` and ``difficulty.svg`` into a folder."""
    import matplotlib as mpl

    mpl.use("svg")
    folder.mkdir(parents=True, exist_ok=True)
    of_test = [row for row in rows if row.split == TEST]
    _bars(of_test, folder / "leaderboard.svg")
    _budget(of_test, folder / "budget.svg")
    if curves:
        _difficulty(curves, folder / "difficulty.svg")


def _bars(rows: Sequence[Row], path: Path) -> None:
    from matplotlib import pyplot as plt

    tasks = [task for task in CATALOGUE if any(row.task == task for row in rows)]
    names = [name for name in ENTRIES if any(row.policy == name for row in rows)]
    figure, axes = plt.subplots(figsize=(1.6 + 1.25 * len(tasks), 3.6))
    width = 0.85 / len(names)
    for number, name in enumerate(names):
        for place, task in enumerate(tasks):
            mean = _mean([r.score for r in rows if r.policy == name and r.task == task])
            if mean is not None:
                axes.bar(
                    place + (number - len(names) / 2 + 0.5) * width,
                    mean.value,
                    width,
                    yerr=mean.error if math.isfinite(mean.error) else 0.0,
                    color=f"C{number}",
                    error_kw={"lw": 0.8},
                    label=ENTRIES[name].title if place == 0 else None,
                )
    axes.set_xticks(range(len(tasks)), tasks)
    axes.set_ylabel("score")
    axes.set_ylim(0, 1)
    axes.legend(ncols=4, frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _save(figure, path)


def _budget(rows: Sequence[Row], path: Path) -> None:
    """Score against the share of the budget that was spent, over all families."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.6))
    for number, name in enumerate(ENTRIES):
        mine = [row for row in rows if row.policy == name]
        mean, spent = _mean([row.score for row in mine]), _mean([row.spent for row in mine])
        if mean is not None and spent is not None:
            axes.errorbar(
                spent.value,
                mean.value,
                yerr=mean.error if math.isfinite(mean.error) else 0.0,
                fmt="o",
                color=f"C{number}",
                label=ENTRIES[name].title,
            )
    axes.set_xlabel("credits spent, mean over families")
    axes.set_ylabel("score, mean over families")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def _difficulty(curves: Curves, path: Path) -> None:
    from matplotlib import pyplot as plt

    points = curve_points(curves)
    figure, axes = plt.subplots(figsize=(4.8, 3.4))
    for policy in dict.fromkeys(point["policy"] for point in points):
        mine = [point for point in points if point["policy"] == policy]
        x = [point["difficulty"] for point in mine]
        errors = [point["score_se"] for point in mine]
        axes.errorbar(x, [p["score"] for p in mine], yerr=errors, marker="o", capsize=2, label=policy)
    axes.set_xlabel("difficulty")
    axes.set_ylabel("score, mean over families")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _save(figure, path)


def _mean(values: Sequence[float]) -> Mean | None:
    return Mean.of(values) if values else None


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
