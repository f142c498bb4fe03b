"""What a family is: the parts that differ, over the shared assembly."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envs.arguments import Request
from envs.drawing import FloatArray, share_of_difficulty
from envs.objectives import Template
from molforge import seeding
from molforge.assays import ASSAYS, PRIOR_ART, Assay
from molforge.chem.structure import Structure
from molforge.landscapes.catalogue import ANTI, OFF_TARGET
from molforge.landscapes.tokens import Tokens
from molforge.landscapes.world import World
from molforge.profile import Profile
from molforge.programme import Programme

if TYPE_CHECKING:
    from molforge.landscapes.pool import Pool


class TargetWorld:
    """The hidden world of one programme, as the kernel asks for it; remembers what it was asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._values: dict[str, Mapping[str, float]] = {}

    def values(self, structure: Structure) -> Mapping[str, float]:
        """Return every property of a structure."""
        found = self._values.get(structure.identity)
        if found is None:
            found = self._values[structure.identity] = self.world.values(structure)
        return found

    def values_of(self, tokens: Tokens) -> Mapping[str, float]:
        """Return every property of a structure with these tokens."""
        return self.world.values_of(tokens)

    def nearest(self, structure: Structure) -> float:
        """Return the similarity to the closest published active of the programme's target."""
        return self.world.nearest(structure, "potency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A world with a drawn profile, before compounds are chosen for it."""

    request: Request
    seed: int
    key: bytes
    target: str
    pool: Pool
    world: TargetWorld
    values: Mapping[str, FloatArray]
    """Property to its values over the pool in this world, shape (pool,)."""
    profile: Profile
    """What the nominee will be judged by."""

    def truth(self, member: int) -> Mapping[str, float]:
        """Return the properties of a pool member on the path that everything published goes through."""
        return self.world.values_of(self.pool.tokens[member])

    @property
    def noise_key(self) -> bytes:
        """Key of this episode's noise."""
        return seeding.noise_key(self.key, self.request.noise_seed)

    @property
    def code_name(self) -> str:
        """A name for the target that tells nothing."""
        rng = seeding.stream(self.key, "code name")
        letters = "".join(rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(2))
        return f"{letters}-{rng.randint(100, 999)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(ABC):
    """One task family."""

    task_id: str
    objectives: tuple[Template, ...]
    """What the nominee is judged by."""
    rules: tuple[str, ...]
    """Sentences of the brief."""
    also_drawn: tuple[str, ...] = ()
    """Properties of the world besides those that the objectives are made of."""

    def templates(self, key: bytes) -> tuple[Template, ...]:  # noqa: ARG002
        """Return the objectives of the programme with this world key."""
        return self.objectives

    def share(self, difficulty: float) -> float:
        """Return the share of the pool that is to meet the whole profile."""
        return share_of_difficulty(difficulty)

    @abstractmethod
    def compose(self, opening: Opening, rng: random.Random) -> Programme | None:
        """Choose the compounds and close the programme; None where the profile has to be redrawn."""


def menu_of(templates: Sequence[Template], *, searches: bool = True) -> tuple[Assay, ...]:
    """Return every assay that reads one of the objectives, and the prior-art search."""
    names = dict.fromkeys(name for template in templates for name in template.assays)
    return tuple(ASSAYS[name] for name in (*names, *([PRIOR_ART] if searches else ())))


def roles_of(properties: Sequence[str], target: str) -> dict[str, str]:
    """Return property to the model behind it for a programme about ``target``."""
    models = {
        "potency": target,
        "potency_variant": target,
        "anti_target": ANTI.get(target, ""),
        "off_target_2": OFF_TARGET,
    }
    return {name: models.get(name, name) for name in properties}


def properties_of(templates: Sequence[Template]) -> tuple[str, ...]:
    """Return the properties that objectives are made of, each once."""
    return tuple(dict.fromkeys(name for template in templates for name, _ in template.terms))
