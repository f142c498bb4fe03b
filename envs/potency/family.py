"""The ``potency`` family: the decision is which direction of the structure to spend money on."""

from __future__ import annotations

from collections.abc import Mapping

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily
from envs.drawing import FloatArray
from envs.family import Family
from envs.objectives import LOGD, POTENCY, SOLUBILITY, STRICTER_OFF_TARGET
from molforge.profile import Profile

LEAD_GAP = 0.5
"""The lead's potency lies at least this far below the goal, in log units."""


class Potency(DesignFamily):
    """See the package."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Say which leads are short of potency."""
        weak: Mask = values["potency"] <= profile.objective("potency").limits[1] - LEAD_GAP
        return weak


FAMILY: Family = Potency(
    task_id="potency", objectives=(POTENCY, LOGD, SOLUBILITY, STRICTER_OFF_TARGET), rules=rules.DESIGN
)
