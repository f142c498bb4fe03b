"""The ``selectivity`` family: the decision is which of two potencies to read, and to move."""

from __future__ import annotations

import random

from envs.assembly import Mask, compose_design
from envs.drawing import objective_values
from envs.family import Family, Opening, menu_of
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SELECTIVITY
from molforge.assays import PRIOR_ART
from molforge.programme import Programme

BUDGET = 800.0
LEAD_SELECTIVITY = 0.5
"""The lead's selectivity has a desirability below this."""


class Selectivity(Family):
    """See the package."""

    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Choose a lead that hits the relative too."""
        return compose_design(opening, rng, family=self, lead_mask=_unselective_leads, budget=BUDGET)


def _unselective_leads(opening: Opening) -> Mask:
    objective = next(o for o in opening.profile.objectives if o.name == "selectivity")
    unacceptable, goal = objective.limits
    halfway = unacceptable + LEAD_SELECTIVITY * (goal - unacceptable)
    unselective: Mask = objective_values(objective.terms, opening.values) < halfway
    return unselective


FAMILY: Family = Selectivity(
    task_id="selectivity",
    templates=(POTENCY, SELECTIVITY, LOGD, OFF_TARGET),
    menu=menu_of("potency", "potency_confirm", "anti_target", "logd", "off_target", PRIOR_ART),
)
