"""Grader of the ``nogo`` family: a better molecule where there is one, a well-founded stop elsewhere."""

from __future__ import annotations

import math

from graders.parts import Record, economy, grade_nominee
from graders.score import Score

CONVINCED = 8.0
"""Log likelihood ratio from which the evidence is complete (odds of 3,000 to 1)."""
STOP_WEIGHTS = {"base": 0.90, "economy": 0.10}


def grade(episode: Record) -> Score:
    """Return the score of a finished episode.

    A nominee is graded as elsewhere (in a dead programme none is worth anything). A stop earns
    ``E x (0.90 + 0.10 economy)`` in a dead programme and nothing in one that can be solved.
    """
    if episode["phase"] != "stopped":
        return grade_nominee(episode)
    parts = {"evidence": 0.0, "economy": economy(episode)}
    if episode["twins"]["is_dead"] and episode["reason"] != "out_of_time":
        parts["evidence"] = min(1.0, max(0.0, log_likelihood_ratio(episode) / CONVINCED))
    return Score(
        parts["evidence"] * (STOP_WEIGHTS["base"] + STOP_WEIGHTS["economy"] * parts["economy"]), parts
    )


def log_likelihood_ratio(episode: Record) -> float:
    """Return how much the paid readings speak for the dead twin against the solvable one, in nats.

    What a dead programme's readings are worth as evidence (Neyman and Pearson 1933): the sum over calls.
    Readings at a bound of their assay do not count.
    """
    return math.fsum(
        ratio_of_call(r["mean"], dead=r["dead"], solvable=r["solvable"], variance=r["variance"])
        for r in episode["twins"]["readings"]
    )


def ratio_of_call(mean: float, *, dead: float, solvable: float, variance: float) -> float:
    """Return ``log N(mean | dead) - log N(mean | solvable)``: values in the twins, variance of the mean."""
    return ((mean - solvable) ** 2 - (mean - dead) ** 2) / (2.0 * variance)
