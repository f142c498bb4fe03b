"""The ``potency`` family: the decision is which direction of the structure to spend money on."""

from __future__ import annotations

import random
from dataclasses import dataclass

from envs.assembly import Mask, compose_design
from envs.drawing import share_of_difficulty
from envs.family import Family, Opening, menu_of
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SOLUBILITY, Template
from molforge.assays import PRIOR_ART, Assay
from molforge.programme import Programme

BUDGET = 800.0
LEAD_GAP = 0.5
"""The lead's potency lies at least this far below the goal, in log units."""


@dataclass(frozen=True, slots=True)
class Potency:
    """See the package."""

    task_id: str = "potency"
    templates: tuple[Template, ...] = (POTENCY, LOGD, SOLUBILITY, OFF_TARGET)
    menu: tuple[Assay, ...] = menu_of(
        "potency", "potency_confirm", "logd", "solubility", "off_target", PRIOR_ART
    )

    def share(self, difficulty: float) -> float:
        """Return the share of the pool that is to meet the whole profile."""
        return share_of_difficulty(difficulty)

    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Choose a lead that is short of potency."""
        return compose_design(opening, rng, family=self, lead_mask=_weak_leads, budget=BUDGET)


def _weak_leads(opening: Opening) -> Mask:
    goal = opening.profile.objectives[0].limits[1]
    weak: Mask = opening.values["potency"] <= goal - LEAD_GAP
    return weak


FAMILY: Family = Potency()
