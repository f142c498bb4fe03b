"""From a request to a programme: world, profile, and the choices of the family on top of them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from envs.arguments import Request
from envs.drawing import draw_profile, met, objective_values, prior_width
from envs.family import Family, Opening, TargetWorld, properties_of, roles_of
from envs.objectives import Template
from molforge import assays as assaying
from molforge import seeding
from molforge.chem.properties import sa_score
from molforge.chem.structure import Structure
from molforge.errors import EnvironmentFault
from molforge.landscapes.catalogue import OFF_TARGET
from molforge.landscapes.pool import Pool
from molforge.programme import Programme, ReferencePlan, Round, Stage

PROFILES = 100
"""Profiles that are drawn for one world: of 24,000 programmes one needed more, the next worst 93."""
WORLDS = 10
"""Worlds that are drawn before a programme is given up: a few ask too much of any profile."""
WITNESS_SA = 4.2
PLAN_READINGS = 2
"""Readings of everything in the reference plan, from two calls: full evidence."""
PLAN_SHARE = 0.6
"""A plan that costs more than this share of the budget is no plan: redraw."""

_PROGRAMMES = 256
"""Programmes that are remembered (20 kB each)."""
OFF_TARGET_WIDTH = 3.29
"""Central 90 % of a unit normal: the off-target has no data and an amplitude of 1.0."""

Mask = npt.NDArray[np.bool_]


def assemble(family: Family, request: Request, *, secret: bytes, seed: int) -> Programme:
    """Return the programme; the same request, secret and seed give the same programme.

    Programmes are remembered: another attempt at one, or another noise seed, costs a tenth of the first.
    """
    plain = dataclasses.replace(
        request, seed=seed, noise_seed=0, max_steps=0, reward_mode="", episode_id=None, ignored=()
    )
    key = seeding.world_key(
        secret, family=family.task_id, split=request.split, seed=seed, settings=request.settings()
    )
    programme = _assembled(family, plain, key, seed)
    return dataclasses.replace(
        programme,
        noise_seed=request.noise_seed,
        noise_key=seeding.noise_key(key, request.noise_seed),
        opening_noise_key=seeding.noise_key(key, 0),
        max_steps=request.max_steps,
        reward_mode=request.reward_mode,
    )


@lru_cache(maxsize=_PROGRAMMES)
def _assembled(family: Family, request: Request, key: bytes, seed: int) -> Programme:
    """Return the programme of a world key, still without what each attempt at it says for itself."""
    target = drawn_target(request, key)
    templates = family.templates(key)
    roles = roles_of(tuple(dict.fromkeys((*properties_of(templates), *family.also_drawn))), target)
    pool = Pool.load(target)
    widths = {template.name: _prior_width(template, target) for template in templates}
    for attempt in range(WORLDS * PROFILES):
        if attempt % PROFILES == 0:
            again = attempt // PROFILES
            world = TargetWorld(roles, key=seeding.derive(key, "world", again) if again else key)
            values = pool.values(world.world)
        rng = seeding.stream(key, "profile", attempt)
        profile = draw_profile(
            rng, templates, values, share=family.share(request.difficulty), prior_widths=widths
        )
        opening = Opening(
            request=request,
            seed=seed,
            key=key,
            target=target,
            pool=pool,
            world=world,
            values=values,
            profile=profile,
            attempt=attempt,
        )
        programme = family.compose(opening, rng)
        if programme is not None:
            return dataclasses.replace(programme, redraws=attempt)
    raise EnvironmentFault(
        f"no {family.task_id} programme in {WORLDS} worlds with {PROFILES} profiles each "
        f"(split {request.split}, seed {seed}, difficulty {request.difficulty})"
    )


def drawn_target(request: Request, key: bytes) -> str:
    """Return the target of the programme with this world key."""
    return seeding.stream(key, "target").choice(request.targets)


@lru_cache(maxsize=1024)
def _prior_width(template: Template, target: str) -> float:
    """Return the width of an objective's central 90 % over the pool under the mean model."""
    roles = roles_of(properties_of((template,)), target)
    if OFF_TARGET in roles.values():
        return OFF_TARGET_WIDTH
    return prior_width(objective_values(template.terms, Pool.load(target).mean_values(roles)))


def in_part(opening: Opening) -> Mask:
    """Return which pool members belong to the split of the programme, shape (pool,)."""
    return opening.pool.is_in[opening.request.split]


def true_desirability(opening: Opening, member: int) -> float:
    """Return D of a pool member, exactly."""
    return opening.profile.desirability(opening.truth(member))


def witnesses(opening: Opening, rng: random.Random) -> Iterator[Structure]:
    """Return pool members that truly meet the whole profile, lazily and in random order."""
    pool = opening.pool
    members = np.flatnonzero(met(opening.profile, opening.values) & (pool.sa <= WITNESS_SA)).tolist()
    meeting = (i for i in rng.sample(members, len(members)) if opening.profile.is_met(opening.truth(i)))
    return (opening.structure(member) for member in meeting)


def standard_rounds(stage: Stage) -> tuple[Round, ...]:
    """Return the plan's usual calls: everything that the profile asks for, twice."""
    names = tuple(stage.standard_assay(name).name for name in stage.profile.properties)
    return (Round(names),) * PLAN_READINGS


def priced(
    opening: Opening, witness: Structure, rounds: Sequence[Round], stages: Sequence[Stage]
) -> ReferencePlan:
    """Return the plan with what it costs under noise seed 0, failed attempts at the synthesis included."""
    prices = {assay.name: assay.price for stage in stages for assay in stage.menu}
    readings = sum(each.replicates * sum(prices[name] for name in each.assays) for each in rounds)
    return ReferencePlan(
        witness=witness.smiles,
        rounds=tuple(rounds),
        price=round(synthesis_price(opening, witness) + readings, 1),
    )


def synthesis_price(opening: Opening, witness: Structure) -> float:
    """Return what making the witness costs under noise seed 0, failed attempts included."""
    noise, sa = seeding.noise_key(opening.key, 0), sa_score(witness)
    attempts = 1
    while assaying.synthesis_fails(sa, key=noise, identity=witness.identity, attempt=attempts - 1):
        attempts += 1
    return attempts * assaying.make_price(sa)
