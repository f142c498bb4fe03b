"""Does the environment separate players, and does it teach?"""

from __future__ import annotations

import json
from statistics import fmean, pvariance
from typing import Any

from evidence.certificate.bench import Bench, Outcome
from evidence.certificate.semantic import scores
from evidence.certificate.static import not_here
from molforge.evaluation import provenance
from molforge.evaluation.table import Mean

MAX_VARIANCE = 0.2
"""Bound of the policy on the variance of one policy's score on one programme."""
HEADROOM = 0.05
DIFFICULTIES = (0.0, 0.5, 1.0)
NOISES = 4
LEARNING = "docs/figures/learner.json"
RED_TEAM = "docs/figures/redteam.json"
SURE = 3.0


def reward_reachability(bench: Bench) -> Outcome:
    """Ordinary play earns something: greedy leaves the floor in every family, and scores spread widely."""
    shares = {
        task: fmean(score > 0.011 for score in scores(bench.rows, "greedy", task)) for task in bench.tasks
    }
    spread = {round(score, 1) for row in bench.rows for score in [row.score]}
    worst = min(shares, key=lambda task: shares[task])
    figure = (
        f"greedy leaves the floor in {shares[worst]:.0%} of {worst}, its worst; {len(spread)} tenths reached"
    )
    return Outcome.of(
        shares[worst] > 0.0 and len(spread) >= 5, figure, episodes=bench.programmes * len(bench.tasks)
    )


def difficulty_separation(bench: Bench) -> Outcome:
    """Greedy's score falls from the easiest setting to the hardest, over all families together."""
    means = []
    for difficulty in DIFFICULTIES:
        rows = bench.matches(["greedy"], bench.programmes, difficulty=difficulty)
        means.append(Mean.of([row.score for row in rows]))
    fall = means[0].value - means[-1].value
    error = (means[0].error ** 2 + means[-1].error ** 2) ** 0.5
    told = ", ".join(f"{d:g}: {m}" for d, m in zip(DIFFICULTIES, means, strict=True))
    return Outcome.of(
        fall > 2.0 * error,
        f"mean score by difficulty {told}",
        episodes=len(DIFFICULTIES) * bench.programmes * len(bench.tasks),
        difficulty=list(DIFFICULTIES),
        score=[m.value for m in means],
        error=[m.error for m in means],
    )


def headroom(bench: Bench) -> Outcome:
    """The strongest honest reference leaves room below the oracle in every family."""
    gaps = {
        task: fmean(scores(bench.rows, "witness", task)) - fmean(scores(bench.rows, "planner", task))
        for task in bench.tasks
    }
    least = min(gaps, key=lambda task: gaps[task])
    figure = f"witness - planner at least {gaps[least]:.3f} ({least})"
    return Outcome.of(gaps[least] > HEADROOM, figure, episodes=bench.planner_programmes * len(bench.tasks))


def variance_bound(bench: Bench) -> Outcome:
    """On one programme, luck of the noise moves one policy's score within the bound."""
    per_programme: dict[tuple[str, int], list[float]] = {}
    count = min(bench.programmes, 4)
    for noise in range(1, NOISES + 1):
        for row in bench.matches(["greedy"], count, noise_seed=noise):
            per_programme.setdefault((row.task, row.seed), []).append(row.score)
    variances = [pvariance(found) for found in per_programme.values()]
    figure = f"over noise: mean {fmean(variances):.3f}, largest {max(variances):.3f}, bound {MAX_VARIANCE}"
    return Outcome.of(max(variances) <= MAX_VARIANCE, figure, episodes=NOISES * len(per_programme))


def training_signal(bench: Bench) -> Outcome:
    """A learner rises by three standard errors in three families, above greedy in one; no control does."""
    found = _published(bench, LEARNING, "`make learn` trains the learner and writes it")
    if isinstance(found, Outcome):
        return found
    rises = {task: entry["in_errors"] for task, entry in found["rise"].items()}
    control = {task: entry["in_errors"] for task, entry in found["control_rise"].items()}
    above = [task for task in rises if found["end"][task]["mean"] > found["greedy"][task]["mean"]]
    good = sum(value > SURE for value in rises.values()) >= 3 and bool(above)
    good = good and control.keys() == rises.keys() and all(v <= SURE for v in control.values())
    told = ", ".join(f"{task} {value:+.1f}" for task, value in rises.items())
    against = ", ".join(f"{task} {value:+.1f}" for task, value in control.items()) or "none"
    figure = (
        f"rise in standard errors: {told}; control: {against}; above greedy: {', '.join(above) or 'nowhere'}"
    )
    return Outcome.of(good, figure, episodes=found["episodes"])


def adversarial_floor(bench: Bench) -> Outcome:
    """No empty policy of the red team earns more than random play, no probe is open."""
    found = _published(bench, RED_TEAM, "`molforge redteam --out docs/figures` writes it")
    if isinstance(found, Outcome):
        return found
    empty = [v for v in found["policies"] if v["rank"] in ("empty", "twist")]
    bad = [f"{v['attack']} in {v['task']}" for v in empty if v["outcome"] != "held"]
    bad += [p["probe"] for p in found["probes"] if not p["held"]]
    figure = (
        f"{len(empty)} policies and families, {len(found['probes'])} probes; open: {', '.join(bad) or 'none'}"
    )
    good = not bad and bool(empty) and bool(found["probes"])
    return Outcome.of(good, figure, episodes=sum(v["programmes"] for v in empty))


def gameability_gap(bench: Bench) -> Outcome:
    """Every skilled guess without learning stays two standard errors below the honest planner."""
    found = _published(bench, RED_TEAM, "`molforge redteam --out docs/figures` writes it")
    if isinstance(found, Outcome):
        return found
    skilled = [v for v in found["policies"] if v["rank"] == "skilled" and v["gap"] is not None]
    if not skilled:
        return not_here("the red team's report compares no guess with the planner")
    closest = max(skilled, key=lambda v: v["gap"])
    near = [f"{v['attack']} in {v['task']}" for v in skilled if v["outcome"] != "held"]
    figure = (
        f"closest: {closest['attack']}, {closest['task']} {closest['gap']:+.3f}; "
        f"not 2 SE below: {', '.join(near) or 'none'}"
    )
    return Outcome.of(not near, figure, episodes=sum(v["paired"] for v in skilled))


def _published(bench: Bench, name: str, makes: str) -> dict[str, Any] | Outcome:
    """Return a file of figures, or why it says nothing of these worlds."""
    text = bench.read(name)
    if not text:
        return not_here(f"no {name}: {makes}")
    found: dict[str, Any] = json.loads(text)
    if found.get("stamp") != provenance.stamp():
        return Outcome.of(False, f"{name} is of {found.get('stamp')}, this is {provenance.stamp()}: {makes}")
    return found
