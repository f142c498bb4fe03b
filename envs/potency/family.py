"""The ``potency`` family: the decision is which direction of the structure to spend money on."""

from __future__ import annotations

import random

from envs.assembly import Mask, compose_design
from envs.family import Family, Opening, menu_of
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SOLUBILITY
from molforge.assays import PRIOR_ART
from molforge.programme import Programme

BUDGET = 800.0
LEAD_GAP = 0.5
"""The lead's potency lies at least this far below the goal, in log units."""


class Potency(Family):
    """See the package."""

    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Choose a lead that is short of potency."""
        return compose_design(opening, rng, family=self, lead_mask=_weak_leads, budget=BUDGET)


def _weak_leads(opening: Opening) -> Mask:
    goal = opening.profile.objectives[0].limits[1]
    weak: Mask = opening.values["potency"] <= goal - LEAD_GAP
    return weak


FAMILY: Family = Potency(
    task_id="potency",
    templates=(POTENCY, LOGD, SOLUBILITY, OFF_TARGET),
    menu=menu_of("potency", "potency_confirm", "logd", "solubility", "off_target", PRIOR_ART),
)
