"""The reward: a potential of what the agent itself can read off its notebook.

``B`` is the best, over compounds made so far, of the mean desirability of the estimates. What is inside
somebody's claim is worth nothing, and counts only in ``B0``, the best at reset;
``phi = 0.5 max(0, B - B0) / (1 - B0)``. Steps pay differences of phi, the last one pays
``score - phi``: so the rewards of an episode sum to its score whatever the agent does
(potential-based shaping: Ng, Harada and Russell, ICML 1999).
"""

from __future__ import annotations

from molforge.notebook import Notebook
from molforge.profile import Profile


def compound_progress(profile: Profile, notebook: Notebook, compound_id: str) -> float:
    """Return the mean over the objectives of the desirability of the estimate, 0 where there is none."""
    total = 0.0
    for objective in profile.objectives:
        estimate = notebook.estimate_objective(objective, compound_id)
        if estimate is not None:
            total += objective.desirability(estimate.value)
    return total / len(profile.objectives)


def best_progress(profile: Profile, notebook: Notebook, *, at_reset: bool = False) -> float:
    """Return B over the compounds made so far, 0 where there are none; ``at_reset`` also the claimed ones."""
    compounds = notebook.compounds.values()
    made = (c.id for c in compounds if c.made and (at_reset or not c.properties.get("inside_claim")))
    return max((compound_progress(profile, notebook, compound_id) for compound_id in made), default=0.0)


def potential(progress: float, start: float) -> float:
    """Return phi in [0, 0.5] from B now and B at reset."""
    if start >= 1.0:
        return 0.0
    return 0.5 * max(0.0, progress - start) / (1.0 - start)
