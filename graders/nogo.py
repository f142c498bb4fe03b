"""Grader of the ``nogo`` family: a better molecule where there is one, a well-founded stop elsewhere."""

from __future__ import annotations

import math

from graders.parts import Record, economy, grade_nominee, objectives
from graders.score import Score
from molforge.profile import Profile

CONVINCED = 8.0
"""Compounds' worth of proof from which the evidence is complete ..."""
UNCONVINCED = 4.0
"""... and up to which there is none: what few compounds show may be true of them alone."""
COUNTS = 1.0
"""Log likelihood ratio from which a compound counts in full (odds of 2.7 to 1)."""
STOP_WEIGHTS = {"base": 0.90, "economy": 0.10}


def grade(episode: Record) -> Score:
    """Return the score of a finished episode.

    A nominee is graded as elsewhere (in a dead programme none is worth anything). A stop earns
    ``E x (0.90 + 0.10 economy)`` in a dead programme and nothing in one that can be solved;
    ``E = clip((proof - 4) / (8 - 4), 0, 1)``.
    """
    if episode["phase"] != "stopped":
        return grade_nominee(episode)
    parts = {"evidence": 0.0, "economy": economy(episode)}
    if episode["twins"]["is_dead"] and episode["reason"] != "out_of_time":
        convinced = (proof(episode) - UNCONVINCED) / (CONVINCED - UNCONVINCED)
        parts["evidence"] = min(1.0, max(0.0, convinced))
    return Score(
        parts["evidence"] * (STOP_WEIGHTS["base"] + STOP_WEIGHTS["economy"] * parts["economy"]), parts
    )


def proof(episode: Record) -> float:
    """Return how many good compounds speak for the dead twin against the solvable one.

    The sum over compounds of what their paid readings show, the log likelihood ratio in nats (Neyman and
    Pearson 1933) held between -1 and 1, times how good they would be were it not for the coupling: the
    desirability of the objectives that the twins agree on. That a compound nobody wants is not selective
    proves little.
    """
    twins = episode["twins"]
    others = Profile(tuple(objectives(episode))).without({reading["reads"] for reading in twins["readings"]})
    ratios: dict[str, float] = {}
    for r in twins["readings"]:
        ratio = ratio_of_call(r["mean"], dead=r["dead"], solvable=r["solvable"], variance=r["variance"])
        ratios[r["compound"]] = ratios.get(r["compound"], 0.0) + ratio
    return math.fsum(
        counted(ratio) * others.desirability(twins["values"][compound]) for compound, ratio in ratios.items()
    )


def counted(ratio: float) -> float:
    """Return how much a compound counts whose readings have this log likelihood ratio, in [-1, 1]."""
    return max(-COUNTS, min(COUNTS, ratio))


def ratio_of_call(mean: float, *, dead: float, solvable: float, variance: float) -> float:
    """Return ``log N(mean | dead) - log N(mean | solvable)``: values in the twins, variance of the mean."""
    return ((mean - solvable) ** 2 - (mean - dead) ** 2) / (2.0 * variance)
