"""The ``nogo`` family: the decision is when to stop looking for what may not exist."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping

import numpy as np

from envs import rules
from envs.assembly import PLAN_SHARE, in_part, priced
from envs.designing import KNOWN_COMPOUNDS, LEAD_SA, DesignFamily, Given
from envs.drawing import desirability, objective_values
from envs.family import Family, Opening, TargetWorld
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SELECTIVITY
from graders.nogo import CONVINCED, ratio_of_call
from molforge import seeding
from molforge.chem.structure import Structure, parse
from molforge.estimate import variance_of_call
from molforge.profile import Profile
from molforge.programme import Programme, ReferencePlan, Round, Twins

DEAD_SHARE = 0.4
"""Of the programmes. With a half of them, a script that always stops earned .65 of the planner's score."""
MAX_CALLS = 12
"""Calls within which the plan of a dead programme is convinced; where it is not, the profile is redrawn."""
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
        others = [o for o in opening.profile.objectives if o.name != SELECTIVITY.name]
        elsewhere = desirability(Profile(tuple(others)), opening.values)
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
        assert programme.twins is not None
        if solving is None:
            return None
        witness = parse(solving.witness)
        showing = rounds_to_conviction(opening, programme.twins, witness, programme)
        if showing is None:
            return None
        dead = priced(opening, witness, showing, (programme.stage,))
        if dead.price > PLAN_SHARE * self.budget:
            return None
        return dead if programme.twins.is_dead else solving


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


def rounds_to_conviction(
    opening: Opening, twins: Twins, witness: Structure, programme: Programme
) -> tuple[Round, ...] | None:
    """Return the calls that show a dead programme to be dead, as the readings of noise seed 0 fall."""
    assay = programme.stage.standard_assay("anti_target")
    dead = twins.dead.values(witness)["anti_target"]
    solvable = twins.solvable.values(witness)["anti_target"]
    noise = seeding.noise_key(opening.key, 0)
    variance = variance_of_call(1, well_se=assay.well_se, run_se=assay.run_se)
    ratio = 0.0
    for call in range(MAX_CALLS):
        # The compounds in hand were read in the assay's first call.
        value, qualifier = assay.read(
            dead, key=noise, call=call + 1, identity=witness.identity, replicate=call
        )
        if not qualifier:
            ratio += ratio_of_call(value, dead=dead, solvable=solvable, variance=variance)
        if ratio >= CONVINCED:
            return (Round((assay.name,)),) * (call + 1)
    return None


FAMILY: Family = NoGo(task_id="nogo", objectives=(POTENCY, SELECTIVITY, LOGD, OFF_TARGET), rules=rules.NOGO)
