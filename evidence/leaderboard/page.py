"""The board as Markdown and as plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from envs import CATALOGUE
from evidence.leaderboard.plan import ELSEWHERE, ENTRIES, ORDER, TEST
from evidence.models.standing import told
from molforge.evaluation import provenance
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean, paired, standings

CLEAR = 2.0
"""Standard errors by which a step of the order has to be above the one before."""

Curve = Mapping[float, Sequence[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything that was played."""

    rows: Sequence[Row]
    difficulties: Curve
    """Rows of test programmes, by difficulty."""
    budgets: Curve
    """Rows of test programmes, by the share of the budget that the policy was told of."""


def as_json(board: Board) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        **provenance.record(),
        "standings": [
            {
                "task": s.task,
                "policy": s.policy,
                "split": split,
                "programmes": s.score.count,
                "score": s.score.value,
                "score_se": s.score.error,
                "profile": s.profile.value,
                "solved": s.solved,
                "spent": s.spent,
                "steps": s.steps,
                "cpu_seconds": s.cpu_seconds,
            }
            for split in (TEST, *ELSEWHERE)
            for s in standings([row for row in board.rows if row.split == split])
        ],
        "order": order_of(board.rows),
        "difficulty": points(board.difficulties, "difficulty"),
        "budget": points(board.budgets, "share"),
    }


def order_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return every claimed step of the order with its paired gap.

    Random play holds its place if it is not below doing nothing; the others are above by two standard errors.
    """
    found = []
    for split in (TEST, *ELSEWHERE):
        for task in CATALOGUE:
            mine = [row for row in rows if row.split == split and row.task == task]
            for worse, better in pairwise(ORDER):
                gap = paired(mine, better, worse)
                if gap is not None:
                    good = gap.value >= 0 if worse == "noop" else gap.value > CLEAR * gap.error
                    found.append(
                        {
                            "split": split,
                            "task": task,
                            "better": better,
                            "worse": worse,
                            "gap": gap.value,
                            "gap_se": gap.error,
                            "paired": gap.count,
                            "holds": good,
                        }
                    )
    return found


def points(curve: Curve, along: str) -> list[dict[str, Any]]:
    """Return mean scores by policy and what varies along the curve, over all families."""
    found = []
    for value, rows in curve.items():
        for policy in dict.fromkeys(row.policy for row in rows):
            mine = [row for row in rows if row.policy == policy]
            mean = Mean.of([row.score for row in mine])
            found.append(
                {
                    along: value,
                    "policy": policy,
                    "spent": sum(row.spent for row in mine) / len(mine),
                    "score": mean.value,
                    "score_se": mean.error,
                    "programmes": mean.count,
                }
            )
    return found


def render(board: Board, models: Path | None) -> str:
    """Return the page."""
    rows = board.rows
    failing = [step for step in order_of(rows) if not step["holds"]]
    bad = ", ".join(f"{s['better']} over {s['worse']} in {s['task']} ({s['split']})" for s in failing)
    lines = [
        "# Leaderboard",
        "",
        f"Made by `make leaderboard` with {provenance.stamp()}: default difficulty, public secret, mean",
        "score ± standard error over programmes (their number). Every row meets the same programmes",
        "under the same noise. `molforge evaluate --add-to docs/figures/models.json` adds a model.",
        "",
        f"The order {' ≤ '.join(ORDER[:2])} < {' < '.join(ORDER[2:])}",
        f"does not hold by two standard errors in: {bad or 'no row'}.",
        "",
    ]
    for split in (TEST, *ELSEWHERE):
        of_split = [row for row in rows if row.split == split]
        if of_split:
            lines += [f"## Split `{split}`", "", *_board(of_split), ""]
    lines += ["![Scores by family](figures/leaderboard.svg)", ""]
    lines += _models(board, models)
    if board.difficulties:
        lines += ["## Difficulty", "", *_table(points(board.difficulties, "difficulty"), "difficulty"), ""]
        lines += ["![Score against difficulty](figures/difficulty.svg)", ""]
    if board.budgets:
        lines += ["## Budget", "", "What a policy scores that is told of a part of the budget only.", ""]
        lines += [*_table(points(board.budgets, "share"), "share"), ""]
        lines += ["![Score against credits spent](figures/budget.svg)", ""]
    lines += ["## Steps of the order", "", "Paired by programme.", ""]
    lines += ["| split | family | gap | score | in SE | programmes |", "|---|---|---|---|---|---|"]
    lines += [_step(step) for step in order_of(rows)]
    lines += ["", "## Made with", "", "| artefact | SHA-256 |", "|---|---|"]
    lines += [f"| {name} | `{digest}` |" for name, digest in provenance.artefacts().items()]
    return "\n".join(lines) + "\n"


def _board(rows: Sequence[Row]) -> list[str]:
    tasks = [task for task in CATALOGUE if any(row.task == task for row in rows)]
    lines = ["| | " + " | ".join(tasks) + " | credits | CPU s |", "|---|" + "---|" * (len(tasks) + 2)]
    for name, entry in ENTRIES.items():
        mine = [row for row in rows if row.policy == name]
        if not mine:
            continue
        cells = []
        for task in tasks:
            scores = [row.score for row in mine if row.task == task]
            cells.append(_cell(Mean.of(scores)) if scores else "")
        spent = sum(row.spent for row in mine) / len(mine)
        cpu = sum(row.cpu_seconds for row in mine) / len(mine)
        lines.append(f"| {entry.title} | " + " | ".join(cells) + f" | {spent:.0f} | {cpu:.1f} |")
    return lines


def _models(board: Board, path: Path | None) -> list[str]:
    """Return the models' rows: by family, and paired with greedy on the programmes both played."""
    lines = ["## Language models", ""]
    found = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else []
    if not found:
        return [*lines, "None yet.", ""]
    greedy = {(row.split, row.task, row.seed): row.score for row in board.rows if row.policy == "greedy"}
    lines += [
        "`molforge evaluate` makes these rows: 95 % intervals; the gap to greedy is paired by programme.",
        "",
    ]
    heads = ["model", "split", "settings", "all", *CATALOGUE, "minus greedy", "parsed", "errors", "no text"]
    heads += ["cut", "again", "tokens", "credits", "made with"]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in found:
        f = row["all"]
        by_family = [_figures(row["tasks"].get(task)) for task in CATALOGUE]
        gaps = [
            score - greedy[row["split"], task, seed]
            for task, seed, score in row["scores"]
            if (row["split"], task, seed) in greedy
        ]
        cells = [row["model"], row["split"], row["settings"], _figures(f), *by_family]
        cells += [_cell(Mean.of(gaps)) if gaps else "", f"{f['parse_rate']:.0%}", f"{f['error_rate']:.0%}"]
        cells += [str(f[name]) for name in ("failed_calls", "cut", "again")]
        cells += [f"{f['prompt_tokens'] + f['completion_tokens']:.0f}", f"{f['spent']:.0f}"]
        lines.append(f"| {' | '.join([*cells, ', '.join(row['made_with'])])} |")
    return [*lines, ""]


def _figures(figures: dict[str, Any] | None) -> str:
    return f"{told(figures)} ({figures['programmes']})" if figures else ""


def _table(found: Sequence[Mapping[str, Any]], along: str) -> list[str]:
    policies = list(dict.fromkeys(point["policy"] for point in found))
    lines = [f"| {along} | " + " | ".join(policies) + " |", "|---|" + "---|" * len(policies)]
    for value in dict.fromkeys(point[along] for point in found):
        cells = [_cell(Mean(p["score"], p["score_se"], p["programmes"])) for p in found if p[along] == value]
        lines.append(f"| {value:g} | " + " | ".join(cells) + " |")
    return lines


def _step(step: Mapping[str, Any]) -> str:
    errors = step["gap"] / step["gap_se"] if step["gap_se"] else math.inf
    mark = "" if step["holds"] else " **does not hold**"
    return (
        f"| {step['split']} | {step['task']} | {step['better']} − {step['worse']}{mark} "
        f"| {step['gap']:+.3f} ± {step['gap_se']:.3f} | {errors:.1f} | {step['paired']} |"
    )


def _cell(mean: Mean) -> str:
    error = f" ± {mean.error:.3f}" if math.isfinite(mean.error) else ""
    return f"{mean.value:.3f}{error} ({mean.count})"
