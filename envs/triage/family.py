"""The ``triage`` family: the decision is which compound deserves the next reading."""

from __future__ import annotations

import math
import random

import numpy as np

from envs.assembly import PLAN_READINGS, close, reading_price, true_desirability, truly_meets
from envs.drawing import desirability, met
from envs.family import Family, Opening, menu_of
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SOLUBILITY
from molforge.programme import Programme, ReferencePlan

MIN_SET, MAX_SET = 8, 24
"""Size of the set at difficulty 0 and 1."""
SHARE = 0.01
"""Share of the pool that meets the profile; the set holds one or two such members."""
BUDGET_SHARE = 0.45
"""Budget over the price of one reading of everything for the whole set."""
MIDDLING = 0.7
"""At least half of the other members have a desirability between 0 and this."""
MAX_MEAN = 0.45


class Triage(Family):
    """See the package."""

    def share(self, difficulty: float) -> float:  # noqa: ARG002
        """Return the share of the pool that meets the profile; difficulty sets the size of the set."""
        return SHARE

    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Draw the set: one or two members that meet the profile among others that do not."""
        size = MIN_SET + round((MAX_SET - MIN_SET) * opening.request.difficulty)
        members = _draw_members(opening, rng, size)
        if members is None:
            return None
        winner = members[0]
        mean = math.fsum(true_desirability(opening, member) for member in members) / size
        one_reading = reading_price(opening.profile, self.menu) / PLAN_READINGS
        budget = round(BUDGET_SHARE * size * one_reading, 1)
        price = PLAN_READINGS * one_reading
        if mean > MAX_MEAN or price > 0.6 * budget:
            return None
        rng.shuffle(members)
        return close(
            opening,
            family=self,
            given=[opening.pool.smiles[member] for member in members],
            lead_desirability=mean,
            plan=ReferencePlan(witness=opening.pool.smiles[winner], readings=PLAN_READINGS, price=price),
            budget=budget,
            designs=False,
        )


def _draw_members(opening: Opening, rng: random.Random, size: int) -> list[int] | None:
    """Return pool members, those that meet the profile first; None where the split holds too few."""
    in_part = np.asarray([part == opening.request.split for part in opening.pool.part])
    overall = desirability(opening.profile, opening.values)
    meets = met(opening.profile, opening.values)
    winners = [i for i in np.flatnonzero(in_part & meets).tolist() if truly_meets(opening, i)]
    middling = np.flatnonzero(in_part & ~meets & (overall > 0) & (overall < MIDDLING)).tolist()
    if not winners:
        return None
    chosen = rng.sample(winners, min(len(winners), rng.randint(1, 2)))
    rest = size - len(chosen)
    half = math.ceil(rest / 2)
    if len(middling) < half:
        return None
    chosen += rng.sample(middling, half)
    others = np.flatnonzero(in_part & ~meets & (overall < MIDDLING)).tolist()
    others = [i for i in rng.sample(others, len(others)) if i not in chosen]
    return chosen + others[: size - len(chosen)]


FAMILY: Family = Triage(
    task_id="triage",
    templates=(POTENCY, LOGD, SOLUBILITY, OFF_TARGET),
    menu=menu_of("potency", "potency_confirm", "logd", "solubility", "off_target"),
)
