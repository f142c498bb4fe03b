"""What the runs add up to: the rise on held-out programmes, the control, and pictures with bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from molforge.evaluation import provenance
from molforge.evaluation.table import Mean
from molforge.policies.objectives import Floats

Run = Mapping[str, Any]
SMOOTHED = 5
"""Updates of the moving mean in the picture."""


def rise(runs: Sequence[Run], task: str) -> Mean:
    """Return the paired difference end - start over programmes, each the mean of its runs.

    Runs meet the same programmes: their differences on one programme are not independent.
    """
    return Mean.of((_of_programmes(runs, "end", task) - _of_programmes(runs, "start", task)).tolist())


def summary(runs: Sequence[Run], control: Sequence[Run], greedy: Mapping[str, Mean]) -> dict[str, Any]:
    """Return the figures that the conclusion rests on, as plain values."""
    tasks = runs[0]["plan"]["tasks"]
    return {
        **provenance.record(),
        "seeds": [run["plan"]["seed"] for run in runs],
        "episodes": sum(run["episodes"] for run in [*runs, *control]),
        "seconds_per_run": [run["seconds"] for run in [*runs, *control]],
        "rise": {task: _plain(rise(runs, task)) for task in tasks},
        "control_rise": {task: _plain(rise(control, task)) for task in tasks} if control else {},
        "start": {task: _plain(_scores(runs, "start", task)) for task in tasks},
        "end": {task: _plain(_scores(runs, "end", task)) for task in tasks},
        "control_end": {task: _plain(_scores(control, "end", task)) for task in tasks} if control else {},
        "greedy": {task: _plain(mean) for task, mean in greedy.items()},
        "runs": [*runs, *control],
    }


def table(found: Mapping[str, Any]) -> str:
    """Return the summary as Markdown."""
    lines = [
        "| family | start | trained | rise, in its errors | control | control's rise | greedy |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, gain in found["rise"].items():
        cells = [task, _told(found["start"][task]), _told(found["end"][task])]
        cells.append(f"{gain['mean']:+.3f} ± {gain['error']:.3f}, {gain['in_errors']:.1f}")
        if found["control_rise"]:
            cells += [
                _told(found["control_end"][task]),
                f"{found['control_rise'][task]['in_errors']:+.1f} errors",
            ]
        else:
            cells += ["", ""]
        lines.append(f"| {' | '.join([*cells, _told(found['greedy'][task])])} |")
    return "\n".join(lines)


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Draw the training scores: mean over seeds with its band, the control beside it, one panel a family."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    tasks = list(found["rise"])
    figure, panels = plt.subplots(1, len(tasks), figsize=(4.0 * len(tasks), 3.2), sharey=True, squeeze=False)
    kinds = {"trained": (False, "C0"), "control, shuffled advantages": (True, "C7")}
    for axes, task in zip(panels[0], tasks, strict=True):
        for label, (is_control, colour) in kinds.items():
            curves = [_curve(r, task) for r in found["runs"] if r["plan"]["is_control"] is is_control]
            if not curves:
                continue
            length = min(map(len, curves))
            stacked = np.stack([curve[:length] for curve in curves])
            mean, x = stacked.mean(axis=0), np.arange(1, length + 1)
            spread = stacked.std(axis=0, ddof=1) / math.sqrt(len(curves)) if len(curves) > 1 else 0.0 * mean
            axes.plot(x, mean, color=colour, label=label)
            axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.25)
        if task in found["greedy"]:
            axes.axhline(found["greedy"][task]["mean"], color="C2", ls="--", lw=1, label="greedy, held out")
        axes.set_title(task)
        axes.set_xlabel("update (128 episodes each)")
    panels[0][0].set_ylabel("score of the training batches")
    panels[0][0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _curve(run: Run, task: str) -> Any:
    values = np.array([point["scores"].get(task, math.nan) for point in run["curve"]])
    window = [values[max(0, n - SMOOTHED + 1) : n + 1] for n in range(len(values))]
    return np.array([np.nanmean(each) if np.isfinite(each).any() else math.nan for each in window])


def _scores(runs: Sequence[Run], when: str, task: str) -> Mean:
    return Mean.of(_of_programmes(runs, when, task).tolist())


def _of_programmes(runs: Sequence[Run], when: str, task: str) -> Floats:
    """Return the score of every held-out programme, averaged over the runs."""
    return np.asarray(np.mean([run[when][task] for run in runs], axis=0))


def _plain(mean: Mean) -> dict[str, float]:
    in_errors = mean.value / mean.error if mean.error else 0.0
    return {"mean": mean.value, "error": mean.error, "count": mean.count, "in_errors": in_errors}


def _told(mean: Mapping[str, float]) -> str:
    return f"{mean['mean']:.3f} ± {mean['error']:.3f}"
