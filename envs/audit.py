"""Proof that programmes are what they claim to be, programme by programme.

For each: the reference plan is played (solved within its price), the lead is nominated (the floor), the
share of the pool that meets the profile is counted, dead programmes are searched for anything alive.
"""

from __future__ import annotations

import dataclasses
import json
import random
import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from envs import CATALOGUE
from envs.drawing import desirability, met
from envs.environment import MolforgeEnvironment
from envs.family import Family, TargetWorld, properties_of, roles_of
from envs.reference import ReferencePlan
from molforge.actions import Action, ActionType
from molforge.chem import gates
from molforge.chem.structure import Structure, parse
from molforge.episode import FLOOR
from molforge.landscapes.pool import Pool
from molforge.landscapes.training.search import search
from molforge.programme import Programme
from molforge.seeding import MAX_SEED

SOLVED = 0.92
"""Least score of the reference plan."""
_CENT = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found of one programme."""

    task: str
    split: str
    seed: int
    difficulty: float
    target: str
    redraws: int
    reset_ms: float
    """CPU time of reset."""
    reset_bytes: int
    """Size of the reset observation as JSON."""
    plan_score: float
    plan_share: float
    """Price of the plan over the budget."""
    plan_as_priced: bool
    """The plan cost what it was priced at."""
    lead_score: float
    """Score of nominating the lead; the floor where there is none."""
    asked_share: float
    """Share of the pool that was to meet the profile."""
    got_share: float
    is_dead: bool | None
    """None where no programme of the family can be dead."""
    alive_members: int
    """Pool members of a dead programme with D > 0."""

    def faults(self) -> list[str]:
        """Say what is wrong; nothing for a sound programme."""
        found = []
        if self.plan_score < SOLVED:
            found.append(f"the reference plan scores {self.plan_score:.3f}")
        if not self.plan_as_priced:
            found.append("the reference plan does not cost what it was priced at")
        if self.lead_score > FLOOR:
            found.append(f"nominating the lead scores {self.lead_score:.3f}")
        if self.is_dead and self.alive_members:
            found.append(f"{self.alive_members} reference designs of a dead programme are alive")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return dataclasses.asdict(self)


def audit(task: str, split: str, seed: int, **arguments: Any) -> Audit:
    """Open one programme, play its plan and check what it promises."""
    asked = {"task_id": task, "split": split, "seed": seed, **arguments}
    _warm(task)
    environment = MolforgeEnvironment()
    before = time.process_time()
    opening = environment.reset(asked).observation
    reset_ms = 1000 * (time.process_time() - before)
    episode = environment.episode
    programme = episode.programme
    plan = ReferencePlan(episode)
    step = environment.step(plan.act(opening))
    while not step.done:
        step = environment.step(plan.act(step.observation))
    spent = programme.budget - episode.laboratory.budget_left
    values = _pool_values(programme)
    profile = programme.judged.profile
    is_dead = None if programme.twins is None else programme.twins.is_dead
    return Audit(
        task=task,
        split=split,
        seed=seed,
        difficulty=programme.difficulty,
        target=programme.targets[0],
        redraws=programme.redraws,
        reset_ms=round(reset_ms, 2),
        reset_bytes=len(json.dumps(opening, separators=(",", ":"))),
        plan_score=float(step.observation["score"]),
        plan_share=round(programme.plan.price / programme.budget, 4),
        plan_as_priced=abs(spent - programme.plan.price) <= _CENT,
        lead_score=_lead_score(asked) if programme.designs else FLOOR,
        asked_share=_family(task).share(programme.difficulty),
        got_share=float(met(profile, values).mean()),
        is_dead=is_dead,
        alive_members=_alive(programme) if is_dead else 0,
    )


def _family(task: str) -> Family:
    family: Family = import_module(f"envs.{task}.family").FAMILY
    return family


@cache
def _warm(task: str) -> None:
    """Load all that a family needs, so that resets are timed without that.

    Its models, and its pools seen through them; what all share comes with a programme nobody audits.
    """
    family = _family(task)
    names = (*properties_of(family.objectives), *family.also_drawn)
    for target in CATALOGUE[task].targets:
        Pool.load(target).mean_values(roles_of(names, target))
    MolforgeEnvironment().reset({"task_id": task, "seed": MAX_SEED})


def _lead_score(asked: dict[str, Any]) -> float:
    environment = MolforgeEnvironment()
    environment.reset(asked)
    step = environment.step(Action(action_type=ActionType.NOMINATE, compound="M1"))
    return float(step.observation["score"])


def _pool_values(programme: Programme) -> Any:
    """Return the pool in the world that the limits were set on."""
    return Pool.load(programme.targets[0]).values(uncoupled(programme).world)


def uncoupled(programme: Programme) -> TargetWorld:
    """Return the world that the limits were set on."""
    world = programme.world
    return world if isinstance(world, TargetWorld) else world.uncoupled  # type: ignore[attr-defined]


def _alive(programme: Programme) -> int:
    """Count the pool members of a dead programme that are worth anything."""
    values = dict(_pool_values(programme))
    bound = programme.world.bound  # type: ignore[attr-defined]
    values["anti_target"] = np.maximum(values["anti_target"], values["potency"] - bound)
    return int((desirability(programme.judged.profile, values) > 0.0).sum())


@dataclass(frozen=True, slots=True)
class Search:
    """What a search on the true values of one programme came to."""

    evaluations: int
    """Structures that passed the gates."""
    best_desirability: float
    best_selectivity: float
    goal: float


def search_truth(programme: Programme, *, evaluations: int, seed: int = 0) -> Search:
    """Let a genetic search see the true values of a programme and maximise D, then selectivity."""
    profile = programme.judged.profile
    selectivity = profile.objective("selectivity")
    best = {"d": 0.0, "s": -99.0, "n": 0.0}

    def score(structure: Structure) -> float | None:
        if not gates.is_makeable(structure):
            return None
        values = programme.world.values(structure)
        found = profile.desirability(values), selectivity.value(values)
        best.update(d=max(best["d"], found[0]), s=max(best["s"], found[1]), n=best["n"] + 1)
        return found[0] + 0.1 * found[1] + 0.05 * values["potency"]

    pool = Pool.load(programme.targets[0])
    starts = [parse(smiles) for smiles in random.Random(seed).sample(pool.smiles, 40)]
    search(score, starts, evaluations=evaluations, rng=random.Random(seed))
    return Search(int(best["n"]), best["d"], best["s"], selectivity.limits[1])


def every_case(count: int, *, tasks: tuple[str, ...], splits: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Return (task, split, seed) of ``count`` programmes of every task and split."""
    unknown = [task for task in tasks if task not in CATALOGUE]
    if unknown:
        raise ValueError(f"no task {unknown[0]!r}; there are {', '.join(CATALOGUE)}")
    return [(task, split, seed) for task in tasks for split in splits for seed in range(count)]
