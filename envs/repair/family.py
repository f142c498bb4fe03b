"""The ``repair`` family: the decision is which part of the lead to change and which to leave alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily
from envs.drawing import FloatArray, objective_desirability
from envs.family import Family
from envs.objectives import HERG, HLM, LOGD, OFF_TARGET, POTENCY, SOLUBILITY, Template
from molforge import seeding
from molforge.profile import Profile

LIABILITIES = (SOLUBILITY, HLM, HERG)
"""One of them, drawn per programme, is an objective beside potency, logD and off-target."""
BROKEN = 0.4
"""Exactly one objective of the lead has a desirability below this."""


class Repair(DesignFamily):
    """See the package."""

    def templates(self, key: bytes) -> tuple[Template, ...]:
        """Return the objectives with the liability that is drawn."""
        return (POTENCY, LOGD, seeding.stream(key, "liability").choice(LIABILITIES), OFF_TARGET)

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Say which leads are potent enough and have exactly one thing to mend."""
        parts = [objective_desirability(objective, values) for objective in profile.objectives]
        potent = objective_desirability(profile.objective("potency"), values) >= 1.0
        one_broken: Mask = potent & (np.sum([part < BROKEN for part in parts], axis=0) == 1)
        return one_broken


FAMILY: Family = Repair(
    task_id="repair", objectives=(POTENCY, LOGD, SOLUBILITY, OFF_TARGET), rules=rules.DESIGN
)
