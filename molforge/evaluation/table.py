"""Rows of matches as a table for people: means with standard errors, and paired gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from molforge.evaluation.match import Row


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds and its standard error (NaN for a single seed)."""

    value: float
    error: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """Return the mean of at least one value."""
        error = stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        return cls(fmean(values), error, len(values))

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy on one task."""

    task: str
    policy: str
    score: Mean
    profile: Mean
    nothing: float
    """Share of programmes with profile 0."""
    solved: float
    """Share of programmes with profile of at least 0.95."""
    spent: float
    steps: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Gap:
    """How much better one policy is than another on the same programmes."""

    task: str
    better: str
    worse: str
    mean: Mean

    @property
    def in_errors(self) -> float:
        """Return the gap in its own standard errors; infinite where every seed differs alike."""
        return self.mean.value / self.mean.error if self.mean.error else math.inf


def standings(rows: Iterable[Row]) -> list[Standing]:
    """Return one standing per task and policy, in the order they first appear."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((row.task, row.policy), []).append(row)
    return [_standing(task, policy, group) for (task, policy), group in grouped.items()]


def _standing(task: str, policy: str, rows: Sequence[Row]) -> Standing:
    profiles = [row.parts.get("profile", 0.0) for row in rows]
    return Standing(
        task=task,
        policy=policy,
        score=Mean.of([row.score for row in rows]),
        profile=Mean.of(profiles),
        nothing=fmean(value <= 0.0 for value in profiles),
        solved=fmean(value >= 0.95 for value in profiles),
        spent=fmean(row.spent for row in rows),
        steps=fmean(row.steps for row in rows),
        cpu_seconds=fmean(row.cpu_seconds for row in rows),
    )


def gaps(rows: Iterable[Row]) -> list[Gap]:
    """Return the paired gaps between policies that follow each other by mean score, per task."""
    scores: dict[str, dict[str, dict[tuple[str, int], float]]] = {}
    for row in rows:
        scores.setdefault(row.task, {}).setdefault(row.policy, {})[row.split, row.seed] = row.score
    found = []
    for task, by_policy in scores.items():
        ranked = sorted(by_policy, key=lambda policy: fmean(by_policy[policy].values()))
        for worse, better in pairwise(ranked):
            shared = by_policy[better].keys() & by_policy[worse].keys()
            differences = [by_policy[better][seed] - by_policy[worse][seed] for seed in sorted(shared)]
            if differences:
                found.append(Gap(task, better, worse, Mean.of(differences)))
    return found


def paired(rows: Iterable[Row], better: str, worse: str) -> Mean | None:
    """Return the mean paired difference in score; None without two shared programmes."""
    scores: dict[str, dict[tuple[str, str, int], float]] = {better: {}, worse: {}}
    for row in rows:
        if row.policy in scores:
            scores[row.policy][row.task, row.split, row.seed] = row.score
    shared = sorted(scores[better].keys() & scores[worse].keys())
    if len(shared) < 2:
        return None
    return Mean.of([scores[better][key] - scores[worse][key] for key in shared])


def render(rows: Sequence[Row]) -> str:
    """Return standings and gaps as Markdown."""
    lines = [
        "| task | policy | n | score | profile | 0 | >= .95 | spent | steps | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.task} | {s.policy} | {s.score.count} | {s.score} | {s.profile} | {s.nothing:.2f} "
        f"| {s.solved:.2f} | {s.spent:.0f} | {s.steps:.1f} | {s.cpu_seconds:.1f} |"
        for s in standings(rows)
    ]
    lines += ["", "| task | gap | score | in SE |", "|---|---|---|---|"]
    lines += [f"| {g.task} | {g.better} - {g.worse} | {g.mean} | {g.in_errors:.1f} |" for g in gaps(rows)]
    return "\n".join(lines)
