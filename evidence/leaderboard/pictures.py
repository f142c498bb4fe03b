"""Pictures of the board (matplotlib, from the extra ``evidence``)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envs import CATALOGUE
from evidence.leaderboard.page import Board, points
from evidence.leaderboard.plan import ENTRIES, TEST
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean


def draw(board: Board, folder: Path) -> None:
    """Write ``leaderboard.svg``, ``budget.svg`` and ``difficulty.svg`` into a folder."""
    import matplotlib as mpl

    mpl.use("svg")
    folder.mkdir(parents=True, exist_ok=True)
    of_test = [row for row in board.rows if row.split == TEST]
    _bars(of_test, folder / "leaderboard.svg")
    if board.budgets:
        _budget(of_test, points(board.budgets, "share"), folder / "budget.svg")
    if board.difficulties:
        _difficulty(points(board.difficulties, "difficulty"), folder / "difficulty.svg")


def _bars(rows: Sequence[Row], path: Path) -> None:
    from matplotlib import pyplot as plt

    tasks = [task for task in CATALOGUE if any(row.task == task for row in rows)]
    names = [name for name in ENTRIES if any(row.policy == name for row in rows)]
    figure, axes = plt.subplots(figsize=(4.0 + 0.95 * len(tasks), 3.6))
    width = 0.85 / len(names)
    for number, name in enumerate(names):
        for place, task in enumerate(tasks):
            mean = _mean([r.score for r in rows if r.policy == name and r.task == task])
            if mean is not None:
                axes.bar(
                    place + (number - len(names) / 2 + 0.5) * width,
                    mean.value,
                    width,
                    yerr=_finite(mean.error),
                    color=f"C{number}",
                    error_kw={"lw": 0.8},
                    label=ENTRIES[name].title if place == 0 else None,
                )
    axes.set_xticks(range(len(tasks)), tasks)
    axes.set_ylabel("score")
    axes.set_ylim(0, 1)
    axes.legend(ncols=4, frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _save(figure, path)


def _budget(rows: Sequence[Row], curve: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Score against credits spent, over all families: curves where shares were played, else points."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.6))
    for number, (name, entry) in enumerate(ENTRIES.items()):
        shares = [point for point in curve if point["policy"] == name]
        mine = [row for row in rows if row.policy == name]
        mean, spent = _mean([row.score for row in mine]), _mean([row.spent for row in mine])
        style = {"color": f"C{number}", "marker": "o", "capsize": 2, "label": entry.title}
        if shares:
            _points(axes, "spent", shares, style)
        elif mean is not None and spent is not None:
            axes.errorbar([spent.value], [mean.value], yerr=[_finite(mean.error)], **style)
    axes.set_xlabel("credits spent, mean over families")
    axes.set_ylabel("score, mean over families")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, fontsize=8)
    _save(figure, path)


def _difficulty(curve: Sequence[Mapping[str, Any]], path: Path) -> None:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4.8, 3.4))
    for policy in dict.fromkeys(point["policy"] for point in curve):
        mine = [point for point in curve if point["policy"] == policy]
        _points(axes, "difficulty", mine, {"marker": "o", "capsize": 2, "label": policy})
    axes.set_xlabel("difficulty")
    axes.set_ylabel("score, mean over families")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _save(figure, path)


def _points(axes: Any, along: str, found: Sequence[Mapping[str, Any]], style: Mapping[str, Any]) -> None:
    errors = [_finite(point["score_se"]) for point in found]
    axes.errorbar([p[along] for p in found], [p["score"] for p in found], yerr=errors, **style)


def _finite(error: float) -> float:
    """Return the standard error, 0 where a single programme has none."""
    return error if math.isfinite(error) else 0.0


def _mean(values: Sequence[float]) -> Mean | None:
    return Mean.of(values) if values else None


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
