"""What a family is: the parts that differ, over the shared assembly."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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


_WORLDS = 128
"""Worlds that are kept drawn (100 kB each); any other is drawn again when it is asked for."""
_REMEMBERED = 1024
"""Structures whose values a world remembers while it is kept."""


class _Drawn:
    """A world that is kept for a while, with what it was asked."""

    def __init__(self, roles: Sequence[tuple[str, str]], key: bytes) -> None:
        self.world = World(dict(roles), key=key)
        self.values: dict[str, Mapping[str, float]] = {}


@lru_cache(maxsize=_WORLDS)
def _drawn(roles: tuple[tuple[str, str], ...], key: bytes) -> _Drawn:
    return _Drawn(roles, key)


class TargetWorld:
    """The hidden world of one programme, as the kernel asks for it; holds no more than roles and key."""

    def __init__(self, roles: Mapping[str, str], *, key: bytes) -> None:
        self._roles = tuple(roles.items())
        self._key = key

    @property
    def world(self) -> World:
        """The world itself."""
        return _drawn(self._roles, self._key).world

    def values(self, structure: Structure) -> Mapping[str, float]:
        """Return every property of a structure."""
        return self.values_of(structure.identity, structure.tokens)

    def values_of(self, identity: str, tokens: Tokens) -> Mapping[str, float]:
        """Return every property of a structure with this identity and these tokens."""
        drawn = _drawn(self._roles, self._key)
        found = drawn.values.get(identity)
        if found is None:
            if len(drawn.values) >= _REMEMBERED:
                drawn.values.clear()
            found = drawn.values[identity] = drawn.world.values_of(tokens)
        return found

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
    attempt: int = 0
    """Profiles that were drawn before this one."""

    def structure(self, member: int) -> Structure:
        """Return the structure of a pool member, with what is known of it."""
        pool = self.pool
        known = {"described": pool.described(member)}
        return Structure(pool.smiles[member], pool.identities[member], None, pool.tokens[member], known)

    def truth(self, member: int) -> Mapping[str, float]:
        """Return the properties of a pool member on the path that everything published goes through."""
        return self.world.values_of(self.pool.identities[member], self.pool.tokens[member])

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
