"""The ``repair`` family: the decision is which part of the lead to change and which to leave alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily
from envs.drawing import FloatArray, objective_desirability
from envs.family import Family
from envs.objectives import HERG, HLM, LOGD, POTENCY, SOLUBILITY, STRICT_OFF_TARGET, Template
from molforge import seeding
from molforge.profile import Profile

LIABILITIES = (SOLUBILITY, HLM, HERG)
"""One of them, drawn per programme, is an objective beside potency, logD and off-target."""
KEPT_POTENCY = dataclasses.replace(POTENCY, tightness=(0.3, 0.9))
"""Potency is to be kept, not gained: more of the pool has enough of it than in other families."""
LEAD_RANGE = (0.15, 0.7)
"""Wider than elsewhere: a lead with one thing to mend and the rest in order has a D of .6, not of .3."""
BROKEN = 0.4
"""Exactly one objective of the lead has a desirability below this."""


class Repair(DesignFamily):
    """See the package."""

    def templates(self, key: bytes) -> tuple[Template, ...]:
        """Return the objectives with the liability that is drawn."""
        return (KEPT_POTENCY, LOGD, seeding.stream(key, "liability").choice(LIABILITIES), STRICT_OFF_TARGET)

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Say which leads are potent enough and have exactly one thing to mend."""
        parts = [objective_desirability(objective, values) for objective in profile.objectives]
        potent = objective_desirability(profile.objective("potency"), values) >= 1.0
        one_broken: Mask = potent & (np.sum([part < BROKEN for part in parts], axis=0) == 1)
        return one_broken


FAMILY: Family = Repair(
    task_id="repair",
    objectives=(KEPT_POTENCY, LOGD, *LIABILITIES, STRICT_OFF_TARGET),
    rules=rules.DESIGN,
    lead_range=LEAD_RANGE,
)
