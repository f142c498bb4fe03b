"""The ``admet`` family: the decision is which of many properties the next change may cost."""

from __future__ import annotations

from collections.abc import Mapping

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily
from envs.drawing import FloatArray, objective_desirability
from envs.family import Family
from envs.objectives import EFFLUX, HERG, HLM, POTENCY, SOLUBILITY, STRICTER_OFF_TARGET
from molforge.profile import Profile

LEAD_POTENCY = 0.8
"""The lead's potency has at least this desirability."""
BUDGET = 2400.0
"""One reading of everything costs twice as much as in ``potency``."""


class Admet(DesignFamily):
    """See the package."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Say which leads are potent already."""
        return objective_desirability(profile.objective("potency"), values) >= LEAD_POTENCY


FAMILY: Family = Admet(
    task_id="admet",
    objectives=(POTENCY, SOLUBILITY, HLM, EFFLUX, HERG, STRICTER_OFF_TARGET),
    rules=rules.DESIGN,
    budget=BUDGET,
)
