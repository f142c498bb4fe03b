"""The sentences of a brief that say how the game is played and scored; ``docs/game.md`` has the rest."""

from __future__ import annotations

from molforge.programme import PRIOR_ART_LIMIT

_NOISE = "Readings are noisy (se); those of one call share the run's offset."
_SCORE = (
    "Nominate one made compound with 90 % intervals. Its true values are scored: 0 at {}, 1 when all limits "
    "are met; two paid readings of every objective, honest intervals and unspent credits scale the last 30 %."
)

DESIGN_RULES = (
    "assay makes what is not made: 10 + 4 (SA - 2) credits, and SA > 3 can fail.",
    _NOISE,
    _SCORE.format("the lead (M1)"),
    f"Given compounds and copies of published actives (prior_art > {PRIOR_ART_LIMIT}) score 0.",
)
TRIAGE_RULES = (
    "All compounds are made; choose what to measure.",
    _NOISE,
    _SCORE.format("the set's mean"),
)
