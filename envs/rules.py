"""The sentences of a brief that say how the game is played and scored; ``docs/game.md`` has the rest."""

from __future__ import annotations

from molforge.programme import PRIOR_ART_LIMIT

_MAKE = "assay makes what is not made: 10 + 4 (SA - 2) credits, and SA > 3 can fail."
_NOISE = "Readings are noisy (se); those of one call share the run's offset."
_SCORE = (
    "Nominate one made compound with 90 % intervals. Its true values are scored: 0 at {}, 1 when all limits "
    "are met; two paid readings of every objective, honest intervals and unspent credits scale the last 30 %."
)
_WORTHLESS = f"Given compounds and copies of published actives (prior_art > {PRIOR_ART_LIMIT}) score 0."

_CLAIM = (
    "The lead's series is claimed: a nominee inside the claim scores 0. Inside is what has the lead's generic"
    " framework, shares a fused ring system with it or is more than half similar to it; design says so free."
)
_CHANGE = (
    "When 25 to 45 % of the budget is spent the profile changes: the target turns into a resistant variant, "
    "or a second off-target has to be spared. The nominee is judged by the profile that holds in the end."
)
_DEAD = (
    "A third of the programmes are dead: the relative follows the target so closely that nothing is"
    " selective. In a dead one only stop earns, as paid readings show it: a compound counts from 0 to 1,"
    " by how good it would be but for the relative; 4 in all prove nothing, 8 all. Elsewhere stop earns 0."
)

DESIGN = (_MAKE, _NOISE, _SCORE.format("the lead (M1)"), _WORTHLESS)
TRIAGE = ("All compounds are made; choose what to measure.", _NOISE, _SCORE.format("the set's mean"))
HOP = (*DESIGN, _CLAIM)
SHIFT = (*DESIGN, _CHANGE)
NOGO = (_MAKE, _NOISE, _SCORE.format("a worthless value of any objective"), _WORTHLESS, _DEAD)
