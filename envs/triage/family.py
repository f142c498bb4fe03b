"""The ``triage`` family: the decision is which compound deserves the next reading."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from envs import rules
from envs.assembly import (
    PLAN_READINGS,
    PLAN_SHARE,
    in_part,
    standard_rounds,
    true_desirability,
)
from envs.designing import Given, close
from envs.drawing import FloatArray, desirability, met
from envs.family import Family, Opening, menu_of, roles_of
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SOLUBILITY
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World
from molforge.programme import Programme, ReferencePlan, Stage

MIN_SET, MAX_SET = 8, 24
"""Size of the set at difficulty 0 and 1."""
STRICTEST_OFF_TARGET = dataclasses.replace(OFF_TARGET, tightness=(6.0, 7.0))
"""A set can be read through at the off-target for two thirds of the budget: four compounds are no match."""
SHARE = 0.01
"""Share of the pool that meets the profile; the set holds one or two such members."""
BUDGET_READINGS = 9.0
"""Budget over the price of one reading of everything, however large the set: 45 % of what it would take to
read all of the default's 20 compounds once. (45 % of any set makes small ones the hardest: of eight compounds
three can be read, and the planner scored .58 there, .69 with 24.)"""
MIDDLING = 0.7
"""At least half of the other members have a desirability between 0 and this."""
MAX_MEAN = 0.45
PRIOR_WORLDS = 8
LEAST_CHANCE = 1e-6
"""Weight of a member of no promise, so that every set can be filled."""


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
        winner = opening.pool.smiles[members[0]]
        mean = math.fsum(true_desirability(opening, member) for member in members) / size
        stage = Stage(opening.profile, menu_of(self.objectives, searches=False))
        one_reading = sum(stage.standard_assay(name).price for name in opening.profile.properties)
        budget = round(BUDGET_READINGS * one_reading, 1)
        price = PLAN_READINGS * one_reading
        if mean > MAX_MEAN or price > PLAN_SHARE * budget:
            return None
        rng.shuffle(members)
        programme = close(
            self, opening, Given(tuple(members), mean), stage=stage, budget=budget, designs=False
        )
        plan = ReferencePlan(witness=winner, rounds=standard_rounds(stage), price=price)
        return dataclasses.replace(programme, plan=plan)


def _draw_members(opening: Opening, rng: random.Random, size: int) -> list[int] | None:
    """Return pool members, those that meet the profile first; None where the split holds too few."""
    eligible = in_part(opening)
    overall = desirability(opening.profile, opening.values)
    meets = met(opening.profile, opening.values)
    winners = [
        i for i in np.flatnonzero(eligible & meets).tolist() if opening.profile.is_met(opening.truth(i))
    ]
    middling = np.flatnonzero(eligible & ~meets & (overall > 0) & (overall < MIDDLING)).tolist()
    if not winners:
        return None
    promise = _promise(opening)
    chosen = _promising(rng, winners, promise, rng.randint(1, 2))
    rest = size - len(chosen)
    half = math.ceil(rest / 2)
    if len(middling) < half:
        return None
    chosen += _promising(rng, middling, promise, half)
    others = np.flatnonzero(eligible & ~meets & (overall < MIDDLING)).tolist()
    others = [i for i in others if i not in chosen]
    return chosen + _promising(rng, others, promise, size - len(chosen))


def _promise(opening: Opening) -> FloatArray:
    """Return the desirability that is expected of each pool member before a reading, shape (pool,)."""
    worlds = _prior_worlds(opening.target, tuple(opening.values))
    found = [desirability(opening.profile, values) for values in worlds]
    mean: FloatArray = np.stack(found).mean(axis=0).round(6)
    return mean


@lru_cache(maxsize=32)
def _prior_worlds(target: str, properties: tuple[str, ...]) -> tuple[Mapping[str, FloatArray], ...]:
    """Return property to pool values in worlds of no programme (5 ms each)."""
    pool, roles = Pool.load(target), roles_of(properties, target)
    return tuple(pool.values(World(roles, key=b"prior %d" % number)) for number in range(PRIOR_WORLDS))


def _promising(rng: random.Random, members: Sequence[int], promise: FloatArray, count: int) -> list[int]:
    """Draw members without replacement, each with a chance that grows with the square of its promise.

    Exponential clocks (Efraimidis and Spirakis 2006). So that what the models say of a compound before a
    reading does not tell who meets the profile: a member that does is as promising.
    """
    clocks = {member: rng.expovariate(promise[member] ** 2 + LEAST_CHANCE) for member in members}
    return sorted(clocks, key=clocks.__getitem__)[:count]


FAMILY: Family = Triage(
    task_id="triage", objectives=(POTENCY, LOGD, SOLUBILITY, STRICTEST_OFF_TARGET), rules=rules.TRIAGE
)
