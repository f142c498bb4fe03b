"""The sentences of a brief that say how the game is played and scored."""

from __future__ import annotations

from molforge.programme import PRIOR_ART_LIMIT

_NOISE = "Readings are noisy (se); readings of one call share the run's offset; < and > mean censored."
_ENDING = (
    "Nominate one made compound, with 90 % intervals for objectives. No decision, or stop, scores 0."
)
_SCORE = (
    "Score = profile x (0.70 + 0.12 evidence + 0.08 calibration + 0.10 economy). Profile: weighted geometric "
    "mean of the true desirabilities, 0 at {}, 1 when all limits are met. Evidence: two paid readings of "
    "every objective from two calls are full. Economy: unspent budget."
)

DESIGN_RULES = (
    "A synthesis costs 10 + 4 (SA - 2) credits and can fail if SA > 3; assay first makes what is not made.",
    _NOISE,
    _SCORE.format("the lead"),
    (
        f"The compounds in hand, and nominees more than {PRIOR_ART_LIMIT} similar to a published active of "
        "the target (assay prior_art tells the similarity, made or not), score 0."
    ),
    _ENDING,
)
TRIAGE_RULES = (
    "All compounds are made. Choose which to measure and by which assay.",
    _NOISE,
    _SCORE.format("the set's mean"),
    _ENDING,
)
