"""From a request to a programme: world, profile, lead, known compounds, witness and plan."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt

from envs.arguments import Request
from envs.drawing import desirability, draw_profile, met, objective_values, prior_width
from envs.family import Family, Opening, TargetWorld, roles_of
from envs.rules import DESIGN_RULES, TRIAGE_RULES
from molforge import assays as assaying
from molforge import seeding
from molforge.assays import Assay
from molforge.chem import gates
from molforge.chem.properties import sa_score
from molforge.chem.structure import Structure, parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World
from molforge.profile import Profile
from molforge.programme import Programme, ReferencePlan

MAX_REDRAWS = 20
MIN_CANDIDATES = 3
KNOWN_COMPOUNDS = 3
"""Known compounds besides the lead, none better than it."""
LEAD_DESIRABILITY = (0.15, 0.45)
LEAD_SA = 3.6
WITNESS_SA = 4.2
PLAN_READINGS = 2
"""Readings of everything in the reference plan, from two calls: full evidence."""
PLAN_SHARE = 0.6
"""A plan that costs more than this share of the budget is no plan: redraw."""

OFF_TARGET_WIDTH = 3.29
"""Central 90 % of a unit normal: the off-target has no data and an amplitude of 1.0."""

Mask = npt.NDArray[np.bool_]


def assemble(family: Family, request: Request, *, secret: bytes, seed: int) -> Programme:
    """Return the programme; the same request, secret and seed give the same programme."""
    key = seeding.world_key(secret, family=family.task_id, split=request.split, seed=seed)
    target = seeding.stream(key, "target").choice(request.targets)
    roles = roles_of(family.templates, target)
    pool = Pool.load(target)
    world = World(roles, key=key)
    values = pool.values(world)
    widths = _prior_widths(family.task_id, target, family)
    for attempt in range(MAX_REDRAWS):
        rng = seeding.stream(key, "profile", attempt)
        profile = draw_profile(
            rng, family.templates, values, share=family.share(request.difficulty), prior_widths=widths
        )
        opening = Opening(
            request=request,
            seed=seed,
            key=key,
            target=target,
            pool=pool,
            world=TargetWorld(world),
            values=values,
            profile=profile,
        )
        programme = family.compose(opening, rng)
        if programme is not None:
            return programme
    raise EnvironmentFault(
        f"no {family.task_id} programme in {MAX_REDRAWS} draws "
        f"(split {request.split}, seed {seed}, difficulty {request.difficulty})"
    )


_WIDTHS: dict[tuple[str, str], dict[str, float]] = {}


def _prior_widths(task_id: str, target: str, family: Family) -> dict[str, float]:
    """Return objective to the width of its central 90 % over the pool under the mean model."""
    if (task_id, target) not in _WIDTHS:
        means = Pool.load(target).mean_values(roles_of(family.templates, target))
        widths = {
            t.name: prior_width(objective_values(t.terms, means))
            for t in family.templates
            if t.name != "off_target"
        }
        widths["off_target"] = 3.29
        _WIDTHS[task_id, target] = widths
    return _WIDTHS[task_id, target]


@lru_cache(maxsize=256)
def _pool_structure(smiles: str) -> Structure:
    return parse(smiles)


def compose_design(
    opening: Opening,
    rng: random.Random,
    *,
    family: Family,
    lead_mask: Callable[[Opening], Mask],
    budget: float,
) -> Programme | None:
    """Choose lead, known compounds and witness for a family with design; None: redraw."""
    pool, profile = opening.pool, opening.profile
    overall = desirability(profile, opening.values)
    in_part = np.asarray([part == opening.request.split for part in pool.part])
    low, high = LEAD_DESIRABILITY
    leads = np.flatnonzero(
        in_part & (overall >= low) & (overall <= high) & (pool.sa < LEAD_SA) & lead_mask(opening)
    ).tolist()
    if len(leads) < MIN_CANDIDATES:
        return None
    lead = rng.choice(leads)
    lead_desirability = true_desirability(opening, lead)
    if not low <= lead_desirability <= high:
        return None
    others = np.flatnonzero(in_part & (overall > 0) & (overall <= lead_desirability)).tolist()
    others = [i for i in rng.sample(others, len(others)) if i != lead]
    acceptable = (i for i in others if 0.0 < true_desirability(opening, i) <= lead_desirability)
    known = list(islice(acceptable, KNOWN_COMPOUNDS))
    plan = find_plan(opening, rng, budget=budget, menu=family.menu)
    if len(known) < KNOWN_COMPOUNDS or plan is None:
        return None
    given = [lead, *known]
    return close(
        opening,
        family=family,
        given=[pool.smiles[i] for i in given],
        lead_desirability=lead_desirability,
        plan=plan,
        budget=budget,
        designs=True,
    )


def true_desirability(opening: Opening, member: int) -> float:
    """Return D of a pool member on the path that everything published goes through."""
    return opening.profile.desirability(opening.world.values(_pool_structure(opening.pool.smiles[member])))


def truly_meets(opening: Opening, member: int) -> bool:
    """Say whether a pool member meets the whole profile, on that same path."""
    return opening.profile.is_met(opening.world.values(_pool_structure(opening.pool.smiles[member])))


def find_plan(
    opening: Opening, rng: random.Random, *, budget: float, menu: Sequence[Assay]
) -> ReferencePlan | None:
    """Return a plan to a pool member that meets the whole profile, None where no plan is affordable."""
    pool = opening.pool
    members = np.flatnonzero(met(opening.profile, opening.values) & (pool.sa <= WITNESS_SA)).tolist()
    for member in rng.sample(members, len(members)):
        structure = _pool_structure(pool.smiles[member])
        if opening.profile.is_met(opening.world.values(structure)) and gates.is_makeable(structure):
            price = _synthesis_price(structure, opening.key) + reading_price(opening.profile, menu)
            if price <= PLAN_SHARE * budget:
                return ReferencePlan(
                    witness=pool.smiles[member], readings=PLAN_READINGS, price=round(price, 1)
                )
    return None


def reading_price(profile: Profile, menu: Sequence[Assay]) -> float:
    """Return the price of the plan's readings of one compound."""
    prices = (next(a.price for a in menu if a.reads == name) for name in profile.properties)
    return PLAN_READINGS * sum(prices)


def _synthesis_price(structure: Structure, key: bytes) -> float:
    """Return what making the witness costs under noise seed 0, failed attempts included."""
    noise, sa = seeding.noise_key(key, 0), sa_score(structure)
    attempts = 1
    while assaying.synthesis_fails(sa, key=noise, identity=structure.identity, attempt=attempts - 1):
        attempts += 1
    return attempts * assaying.make_price(sa)


def close(
    opening: Opening,
    *,
    family: Family,
    given: Sequence[str],
    lead_desirability: float,
    plan: ReferencePlan,
    budget: float,
    designs: bool,
) -> Programme:
    """Put the programme together."""
    request = opening.request
    return Programme(
        task_id=request.spec.task_id,
        family=family.task_id,
        split=request.split,
        seed=opening.seed,
        noise_seed=request.noise_seed,
        noise_key=opening.noise_key,
        title=f"{request.spec.title} programme on target {opening.code_name}. {request.spec.description}",
        rules=DESIGN_RULES if designs else TRIAGE_RULES,
        profile=opening.profile,
        menu=family.menu,
        budget=budget,
        max_steps=request.max_steps,
        reward_mode=request.reward_mode,
        designs=designs,
        given=tuple(given),
        given_readings=designs,
        world=opening.world,
        lead_desirability=lead_desirability,
        plan=plan,
        difficulty=request.difficulty,
        targets=(opening.target,),
    )
