"""The ``nogo`` family: the decision is when to stop looking for what may not exist."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Mapping
from itertools import islice

import numpy as np

from envs import rules
from envs.assembly import PLAN_SHARE, WITNESS_SA, in_part
from envs.designing import KNOWN_COMPOUNDS, LEAD_SA, DesignFamily, Given
from envs.drawing import desirability, objective_values
from envs.family import Family, Opening, TargetWorld
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SELECTIVITY
from graders.nogo import CONVINCED, counted, ratio_of_call
from molforge import seeding
from molforge.actions import MAX_STRUCTURES
from molforge.assays import Assay, make_price, synthesis_fails
from molforge.chem.structure import Structure
from molforge.estimate import variance_of_call
from molforge.programme import Programme, ReferencePlan, Round, Twins

DEAD_SHARE = 1 / 3
"""Of the programmes: as much as somebody can earn who stops always, with whatever proof money buys."""
PROOF_CALLS = 2
"""Calls within which the plan of a dead programme is convinced; where it is not, the profile is redrawn."""
TELLING = 1.0
"""Log units between the twins from which the plan reads a compound."""
ANTI_TARGET = "anti_target"
ELSEWHERE = (0.1, 0.8)
"""Desirability of the compounds in hand by the objectives other than selectivity."""
BELOW_RAMP = (0.0, 0.3)
"""How far the bound of a dead programme lies below the selectivity ramp, drawn uniformly, in log units."""
ABOVE_GOAL = (0.3, 1.0)
"""How far the bound of a solvable programme lies above the selectivity goal."""


class Coupled:
    """A world in which the relative follows the target: selectivity is at most ``bound`` everywhere."""

    def __init__(self, uncoupled: TargetWorld, bound: float) -> None:
        self.uncoupled = uncoupled
        self.bound = bound

    def values(self, structure: Structure) -> Mapping[str, float]:
        """Return every property of a structure."""
        return self.coupled(self.uncoupled.values(structure))

    def coupled(self, values: Mapping[str, float]) -> Mapping[str, float]:
        """Return the values with the relative's potency at least the target's less the bound."""
        follows = round(values["potency"] - self.bound, 3)
        return {**values, "anti_target": max(values["anti_target"], follows)}

    def nearest(self, structure: Structure) -> float:
        """Return the similarity to the closest published active of the target."""
        return self.uncoupled.nearest(structure)


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """Selectivity, in log units, that no compound exceeds."""

    dead: float
    solvable: float


class NoGo(DesignFamily):
    """See the package. Limits and compounds are set on the uncoupled world, the coupling comes after."""

    def given(self, opening: Opening, rng: random.Random) -> Given | None:
        """Draw compounds that the coupling does not touch: less selective than the dead bound."""
        bound = bounds_of(opening).dead
        selectivity = objective_values(SELECTIVITY.terms, opening.values)
        elsewhere = desirability(opening.profile.without((ANTI_TARGET,)), opening.values)
        low, high = ELSEWHERE
        mask = in_part(opening) & (selectivity < bound) & (elsewhere >= low) & (elsewhere <= high)
        members = [i for i in np.flatnonzero(mask).tolist() if opening.pool.sa[i] < LEAD_SA]
        chosen = rng.sample(members, min(len(members), 1 + KNOWN_COMPOUNDS))
        if len(members) < 1 + KNOWN_COMPOUNDS or not all(_is_below(opening, i, bound) for i in chosen):
            return None
        return Given(tuple(chosen), 0.0)

    def programme(self, opening: Opening, given: Given) -> Programme:
        """Return the programme in one of the twins."""
        bounds = bounds_of(opening)
        is_dead = seeding.stream(opening.key, "dead").random() < DEAD_SHARE
        twins = Twins(
            solvable=Coupled(opening.world, bounds.solvable),
            dead=Coupled(opening.world, bounds.dead),
            is_dead=is_dead,
        )
        plain = super().programme(opening, given)
        return dataclasses.replace(plain, twins=twins, world=twins.dead if is_dead else twins.solvable)

    def plan(self, opening: Opening, rng: random.Random, programme: Programme) -> ReferencePlan | None:
        """Return the plan of the twin; both twins must have one, so that no redraw tells them apart."""
        solving = super().plan(opening, rng, programme)
        showing = None if solving is None else self._showing(opening, programme, solving.witness)
        if solving is None or showing is None:
            return None
        assert programme.twins is not None
        return showing if programme.twins.is_dead else solving

    def _showing(self, opening: Opening, programme: Programme, witness: str) -> ReferencePlan | None:
        """Return the plan that shows the dead twin to be dead."""
        assay = programme.stage.standard_assay(ANTI_TARGET)
        assert programme.twins is not None
        proof = proof_of_death(opening, programme.twins, assay)
        if proof is None:
            return None
        price = math.fsum(make_price(float(opening.pool.sa[i])) + assay.price for i in proof)
        if price > PLAN_SHARE * self.budget:
            return None
        return ReferencePlan(
            witness=witness,
            rounds=(Round((assay.name,)),),
            price=round(price, 1),
            proof=tuple(opening.pool.smiles[i] for i in proof),
        )


def bounds_of(opening: Opening) -> Bounds:
    """Draw how selective a compound can be in the two twins of a programme."""
    rng = seeding.stream(opening.key, "bounds")
    unacceptable, goal = opening.profile.objective(SELECTIVITY.name).limits
    return Bounds(
        dead=round(unacceptable - rng.uniform(*BELOW_RAMP), 3),
        solvable=round(goal + rng.uniform(*ABOVE_GOAL), 3),
    )


def _is_below(opening: Opening, member: int, bound: float) -> bool:
    return opening.profile.objective(SELECTIVITY.name).value(opening.truth(member)) < bound


def proof_of_death(opening: Opening, twins: Twins, assay: Assay) -> list[int] | None:
    """Return pool members whose readings show the dead twin to be dead, as they fall under noise seed 0.

    Of those that one reading tells apart and that come at the first attempt, the best but for the coupling.
    """
    noise, others = seeding.noise_key(opening.key, 0), opening.profile.without((assay.reads,))
    variance = variance_of_call(1, well_se=assay.well_se, run_se=assay.run_se)
    chosen: list[int] = []
    shown = 0.0
    for member in _telling(opening, noise):
        structure = opening.structure(member)
        dead, solvable = (twin.values(structure) for twin in (twins.dead, twins.solvable))
        # The compounds in hand were read in the assay's first call.
        call = 1 + len(chosen) // MAX_STRUCTURES
        value, qualifier = assay.read(
            dead[assay.reads], key=noise, call=call, identity=structure.identity, replicate=0
        )
        chosen.append(member)
        if not qualifier:
            ratio = ratio_of_call(
                value, dead=dead[assay.reads], solvable=solvable[assay.reads], variance=variance
            )
            shown += counted(ratio) * others.desirability(dead)
        if shown >= CONVINCED:
            return chosen
    return None


def _telling(opening: Opening, noise: bytes) -> list[int]:
    """Return pool members in which the twins differ, the best but for the coupling first."""
    bounds, values, pool = bounds_of(opening), opening.values, opening.pool
    dead, solvable = (
        np.maximum(values[ANTI_TARGET], values["potency"] - bound) for bound in (bounds.dead, bounds.solvable)
    )
    good = desirability(opening.profile.without((ANTI_TARGET,)), values)
    good[(dead - solvable < TELLING) | (pool.sa > WITNESS_SA)] = 0.0
    made = (
        i
        for i in np.argsort(-good, kind="stable").tolist()
        if not synthesis_fails(float(pool.sa[i]), key=noise, identity=pool.identities[i], attempt=0)
    )
    return list(islice(made, PROOF_CALLS * MAX_STRUCTURES))


FAMILY: Family = NoGo(task_id="nogo", objectives=(POTENCY, SELECTIVITY, LOGD, OFF_TARGET), rules=rules.NOGO)
