"""What the families with design share: a lead and three more compounds in hand, a witness somewhere else."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from envs.assembly import (
    PLAN_SHARE,
    Mask,
    in_part,
    priced,
    standard_rounds,
    true_desirability,
    witnesses,
)
from envs.drawing import FloatArray, desirability
from envs.family import Family, Opening, menu_of
from molforge.chem.structure import Structure
from molforge.profile import Profile
from molforge.programme import Programme, ReferencePlan, Round, Stage

MIN_CANDIDATES = 3
PICKY_DRAWS = 40
"""Profiles after which one candidate is enough (2 of 24,000 programmes)."""
KNOWN_COMPOUNDS = 3
"""Known compounds besides the lead, none better than it."""
LEAD_DESIRABILITY = (0.15, 0.45)
LEAD_SA = 4.0


@dataclass(frozen=True, slots=True)
class Given:
    """The compounds that come with the brief."""

    members: tuple[int, ...]
    """Pool members, the lead first."""
    lead_desirability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignFamily(Family):
    """A family in which structures are made. Subclasses say what kind of lead they start from."""

    budget: float = 1200.0
    lead_range: tuple[float, float] = LEAD_DESIRABILITY
    """Least and greatest D of the lead."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:
        """Return which structures may be the lead, besides the range of D; shape of one property's values."""
        raise NotImplementedError

    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Choose compounds in hand and witness; None where the profile has to be redrawn."""
        given = self.given(opening, rng)
        if given is None:
            return None
        programme = self.programme(opening, given)
        plan = self.plan(opening, rng, programme)
        return None if plan is None else dataclasses.replace(programme, plan=plan)

    # --- compounds in hand --------------------------------------------------------------------

    def given(self, opening: Opening, rng: random.Random) -> Given | None:
        """Draw a lead of middling desirability and three compounds that are no better."""
        overall = desirability(opening.profile, opening.values)
        low, high = self.lead_range
        leads = self._leads(opening, (overall >= low) & (overall <= high))
        if len(leads) < (MIN_CANDIDATES if opening.attempt < PICKY_DRAWS else 1):
            return None
        lead = rng.choice(leads)
        lead_desirability = true_desirability(opening, lead)
        if not low <= lead_desirability <= high or not self.truly_fits(opening, lead):
            return None
        others = np.flatnonzero(in_part(opening) & (overall > 0) & (overall <= lead_desirability)).tolist()
        shuffled = (i for i in rng.sample(others, len(others)) if i != lead)
        acceptable = (i for i in shuffled if 0.0 < true_desirability(opening, i) <= lead_desirability)
        known = tuple(islice(acceptable, KNOWN_COMPOUNDS))
        return Given((lead, *known), lead_desirability) if len(known) == KNOWN_COMPOUNDS else None

    def _leads(self, opening: Opening, mask: Mask) -> list[int]:
        makeable = opening.pool.sa < LEAD_SA
        fitting = self.fits(opening.profile, opening.values)
        members: list[int] = np.flatnonzero(in_part(opening) & makeable & mask & fitting).tolist()
        return members

    def truly_fits(self, opening: Opening, member: int) -> bool:
        """Say whether a pool member may be the lead, on the path that everything published goes through."""
        values = {name: np.array([value]) for name, value in opening.truth(member).items()}
        return bool(self.fits(opening.profile, values)[0])

    # --- witness ------------------------------------------------------------------------------

    def accepts(self, programme: Programme, witness: Structure) -> bool:  # noqa: ARG002
        """Say whether a structure that meets the profile may be the witness."""
        return True

    def rounds(self, opening: Opening, programme: Programme, witness: Structure) -> tuple[Round, ...]:  # noqa: ARG002
        """Return the calls of the reference plan."""
        return standard_rounds(programme.judged)

    def plan(self, opening: Opening, rng: random.Random, programme: Programme) -> ReferencePlan | None:
        """Return a plan to a witness, None where no plan is affordable."""
        for witness in witnesses(opening, rng):
            if not self.accepts(programme, witness):
                continue
            rounds = self.rounds(opening, programme, witness)
            plan = priced(opening, witness, rounds, (programme.stage, programme.judged))
            if plan.price <= PLAN_SHARE * self.budget:
                return plan
        return None

    # --- programme ----------------------------------------------------------------------------

    def programme(self, opening: Opening, given: Given) -> Programme:
        """Return the programme, still without a plan."""
        stage = Stage(opening.profile, menu_of(self.templates(opening.key)))
        return close(self, opening, given, stage=stage, budget=self.budget)


NO_PLAN = ReferencePlan(witness="", rounds=(), price=0.0)


def close(
    family: Family, opening: Opening, given: Given, *, stage: Stage, budget: float, designs: bool = True
) -> Programme:
    """Put the programme together, but for its plan."""
    request = opening.request
    return Programme(
        task_id=request.spec.task_id,
        family=family.task_id,
        split=request.split,
        seed=opening.seed,
        noise_seed=request.noise_seed,
        noise_key=b"",
        opening_noise_key=b"",
        title=f"{request.spec.title} programme on target {opening.code_name}. {request.spec.description}",
        rules=family.rules,
        stage=stage,
        budget=budget,
        max_steps=request.max_steps,
        reward_mode=request.reward_mode,
        designs=designs,
        given=tuple(opening.structure(member) for member in given.members),
        given_readings=designs,
        world=opening.world,
        lead_desirability=given.lead_desirability,
        plan=NO_PLAN,
        difficulty=request.difficulty,
        targets=(opening.target,),
    )
