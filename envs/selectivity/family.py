"""The ``selectivity`` family: the decision is which of two potencies to read, and to move."""

from __future__ import annotations

from collections.abc import Mapping

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily
from envs.drawing import FloatArray, objective_desirability
from envs.family import Family
from envs.objectives import LOGD, POTENCY, SELECTIVITY, STRICT_OFF_TARGET
from molforge.profile import Profile

LEAD_SELECTIVITY = 0.5
"""The lead's selectivity has a desirability below this."""


class Selectivity(DesignFamily):
    """See the package."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Say which leads hit the relative too."""
        return objective_desirability(profile.objective("selectivity"), values) < LEAD_SELECTIVITY


FAMILY: Family = Selectivity(
    task_id="selectivity", objectives=(POTENCY, SELECTIVITY, LOGD, STRICT_OFF_TARGET), rules=rules.DESIGN
)
