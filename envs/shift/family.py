"""The ``shift`` family: the decision is how much to learn about what may soon not count any more."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from envs import rules
from envs.assembly import Mask, standard_rounds, synthesis_price
from envs.designing import DesignFamily, Given
from envs.drawing import FloatArray
from envs.family import Family, Opening, menu_of
from envs.objectives import (
    LOGD,
    OFF_TARGET_2,
    POTENCY,
    POTENCY_VARIANT,
    SOLUBILITY,
    STRICT_OFF_TARGET,
    Template,
)
from molforge import seeding
from molforge.actions import MAX_REPLICATES
from molforge.chem.structure import Structure
from molforge.profile import Objective, Profile
from molforge.programme import Programme, Round, Shift, Stage

EARLY = (POTENCY, LOGD, SOLUBILITY, STRICT_OFF_TARGET)
LATE = {
    "resistance": (POTENCY_VARIANT, LOGD, SOLUBILITY, STRICT_OFF_TARGET),
    "new liability": (*EARLY, OFF_TARGET_2),
}
"""What holds in the end, by kind of shift; which it is, is drawn per programme."""
NOTICES = {
    "resistance": (
        "The profile has changed: the target has become resistant. Potency is now judged on the resistant "
        "variant (potency_variant); readings of potency no longer count."
    ),
    "new liability": "The profile has changed: a second off-target (off_target_2) has to be spared too.",
}
THRESHOLDS = (0.25, 0.45)
"""Share of the budget whose spending brings the shift, drawn uniformly between these."""
BUDGET = 1500.0


class Changing(DesignFamily):
    """See the package. Lead, limits and witness are set on the late profile."""

    def templates(self, key: bytes) -> tuple[Template, ...]:
        """Return the late objectives."""
        return LATE[_kind(key)]

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:  # noqa: ARG002
        """Say that any lead will do."""
        anything: Mask = values["potency"] == values["potency"]
        return anything

    def programme(self, opening: Opening, given: Given) -> Programme:
        """Return the programme with the early stage first and the shift behind it."""
        early = Stage(early_profile(opening), menu_of(EARLY))
        late = Stage(opening.profile, menu_of(self.templates(opening.key)))
        threshold = self.budget * seeding.stream(opening.key, "threshold").uniform(*THRESHOLDS)
        shift = Shift(stage=late, threshold=round(threshold, 1), notice=NOTICES[_kind(opening.key)])
        return dataclasses.replace(super().programme(opening, given), stage=early, shift=shift)

    def rounds(self, opening: Opening, programme: Programme, witness: Structure) -> tuple[Round, ...]:
        """Read what stays until the shift comes, then what is new."""
        assert programme.shift is not None
        early, late = programme.stage, programme.shift.stage
        stays = [name for name in early.profile.properties if name in late.profile.properties]
        kept = tuple(early.standard_assay(name).name for name in stays)
        new = tuple(late.standard_assay(name).name for name in late.profile.properties if name not in stays)
        missing = programme.shift.threshold - synthesis_price(opening, witness)
        readings = max(2, math.ceil(missing / sum(a.price for a in early.menu if a.name in kept)))
        calls = max(2, math.ceil(readings / MAX_REPLICATES))
        counts = [readings // calls + (place < readings % calls) for place in range(calls)]
        return (*(Round(kept, count) for count in counts), *(Round(new),) * len(standard_rounds(late)))


def _kind(key: bytes) -> str:
    return seeding.stream(key, "shift").choice(tuple(LATE))


def early_profile(opening: Opening) -> Profile:
    """Return the profile before the shift: what stays keeps its limits, weights sum to 1 again.

    Where potency is replaced, the early goal is as hard as the late one: as many of the pool meet it.
    """
    late = {objective.name: objective for objective in opening.profile.objectives}
    variant = late.get(POTENCY_VARIANT.name)
    kept = [
        _early_potency(opening, variant)
        if variant is not None and template is POTENCY
        else late[template.name]
        for template in EARLY
    ]
    total = sum(objective.weight for objective in kept)
    weights = [round(objective.weight / total, 2) for objective in kept]
    weights[0] = round(weights[0] + 1.0 - sum(weights), 2)
    return Profile(
        tuple(dataclasses.replace(o, weight=weight) for o, weight in zip(kept, weights, strict=True))
    )


def _early_potency(opening: Opening, variant: Objective) -> Objective:
    harder = float(np.mean(opening.values[POTENCY_VARIANT.name] < variant.limits[1]))
    low, high = POTENCY.bounds()
    goal = round(min(max(float(np.quantile(opening.values["potency"], harder)), low + POTENCY.span), high), 2)
    return dataclasses.replace(
        variant,
        name=POTENCY.name,
        limits=(round(goal - POTENCY.span, 2), goal),
        terms=POTENCY.terms,
        assays=POTENCY.assays,
    )


FAMILY: Family = Changing(
    task_id="shift", objectives=EARLY, rules=rules.SHIFT, also_drawn=("potency",), budget=BUDGET
)
