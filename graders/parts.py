"""The parts of a score, shared by all families.

``score = profile x (0.70 + 0.12 evidence + 0.08 calibration + 0.10 economy)``: nothing but a better
molecule earns anything; the other parts only scale it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graders.score import Score
from molforge.estimate import Run, combine
from molforge.profile import Objective, Profile

WEIGHTS = {"base": 0.70, "evidence": 0.12, "calibration": 0.08, "economy": 0.10}
ALPHA = 0.1
"""Predictions are central 90 % intervals."""

Record = Mapping[str, Any]


def objectives(episode: Record) -> list[Objective]:
    """Return the episode's objectives."""
    return [Objective.from_record(record) for record in episode["objectives"]]


def profile(episode: Record) -> float:
    """Return ``max(0, (D - D_lead) / (1 - D_lead))``; 0 for prior art and inside somebody's claim."""
    nominee, truth = episode["nominee"], episode["truth"]
    if nominee["inside_claim"] or nominee["nearest"] > truth["prior_art_limit"]:
        return 0.0
    lead = float(truth["lead_desirability"])
    desirability = Profile(tuple(objectives(episode))).desirability(nominee["values"])
    value = (desirability - lead) / (1.0 - lead)
    return min(1.0, max(0.0, value))


def evidence(episode: Record) -> float:
    """Return the mean over objectives of ``min(1, (SE_ref / SE)^2)`` for the nominee's paid readings.

    SE_ref is the standard error of two standard readings from two calls, so one reading gives half.
    """
    nominee = episode["nominee"]
    total = 0.0
    for objective in objectives(episode):
        variance = reference = 0.0
        for name, _ in objective.terms:
            readings = [r for r in nominee["readings"] if r["reads"] == name]
            variance += _variance(readings) if readings else math.inf
            reference += episode["standard_se"][name] ** 2 / 2
        total += min(1.0, reference / variance)
    return total / len(episode["objectives"])


def _variance(readings: Sequence[Record]) -> float:
    """Return the variance of what the readings add up to, as the agent's own notebook has it."""
    groups: dict[tuple[str, int], list[Record]] = {}
    for reading in readings:
        groups.setdefault((reading["assay"], reading["call"]), []).append(reading)
    return combine(
        Run(
            assay=name,
            values=tuple(reading["value"] for reading in group),
            qualifiers=tuple(reading["qualifier"] for reading in group),
            well_se=group[0]["well_se"],
            run_se=group[0]["run_se"],
            micromolar=group[0]["micromolar"],
        )
        for (name, _), group in groups.items()
    ).variance


def interval_score(low: float, high: float, true: float) -> float:
    """Return the interval score at 90 % (Gneiting and Raftery, JASA 102, 359, 2007); smaller is better."""
    return (high - low) + 2.0 / ALPHA * (max(0.0, low - true) + max(0.0, true - high))


def calibration(episode: Record) -> float:
    """Return the mean over objectives of ``max(0, 1 - IS / IS_prior)``; absent intervals earn 0."""
    nominee = episode["nominee"]
    total = 0.0
    for objective in objectives(episode):
        predicted = nominee["predicted"].get(objective.name)
        if predicted is not None:
            true = objective.value(nominee["values"])
            score = interval_score(predicted["low"], predicted["high"], true)
            total += max(0.0, 1.0 - score / objective.prior_width)
    return total / len(episode["objectives"])


def economy(episode: Record) -> float:
    """Return ``clip(left / (budget - plan), 0, 1)``: what is left over what the reference plan leaves."""
    spare = float(episode["budget"]) - float(episode["truth"]["plan_price"])
    return min(1.0, max(0.0, float(episode["budget_left"]) / spare))


def grade_nominee(episode: Record) -> Score:
    """Grade an episode by its nominee; without one every part is 0."""
    names = ("profile", "evidence", "calibration", "economy")
    if episode["phase"] != "nominated":
        return Score(0.0, dict.fromkeys(names, 0.0))
    parts = {
        "profile": 0.0 if episode["nominee"]["given"] else profile(episode),
        "evidence": evidence(episode),
        "calibration": calibration(episode),
        "economy": economy(episode),
    }
    return Score(weigh(parts), parts)


def weigh(parts: Mapping[str, float]) -> float:
    """Return the score from its parts."""
    scale = WEIGHTS["base"] + sum(
        WEIGHTS[name] * parts[name] for name in ("evidence", "calibration", "economy")
    )
    return min(1.0, parts["profile"] * scale)
