"""Attacks without learning: nominate what the shipped models say, whatever this world is.

Both hold the package (models and reference pools) but not the secret, recognise the target by the
lead's structure, and read their pick only to collect evidence, not to decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from envs.environment import MolforgeEnvironment
from envs.reference import ReferencePlan
from molforge.actions import Action
from molforge.chem.structure import parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.catalogue import ANTI, TARGETS
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World
from molforge.policies.logbook import Compound
from molforge.policies.objectives import Floats, Profile
from molforge.policies.player import Player

OWN_WORLDS = 200
MAX_SA = 4.3
"""Harder designs are not worth the risk of a failed synthesis."""
READINGS = 2
TIE = 1e-3


class _Insider(Player):
    """Makes the pool member it believes in, reads it twice and nominates it."""

    def open(self) -> None:
        """Recognise the target and choose."""
        target = _recognise([compound.smiles for compound in self.log.made])
        pool = Pool.load(target)
        models = {"potency": target, "anti_target": ANTI.get(target, "")}
        roles = {role: models.get(role, role) for role in self.log.profile.roles}
        value = self.value(pool, roles)
        if self.log.offers_design:
            value = np.where(pool.sa < MAX_SA, value, -np.inf)
        else:
            given = {compound.smiles for compound in self.log.made}
            value = np.where([smiles in given for smiles in pool.smiles], value, -np.inf)
        self._pick = self.search.read(pool.smiles[int(np.argmax(value))])

    def value(self, pool: Pool, roles: Mapping[str, str]) -> Floats:
        """Return what each pool member is believed to be worth."""
        raise NotImplementedError

    def turn(self) -> Action:
        """Return the next step towards nominating the pick."""
        roles = self.log.profile.roles
        compound = self._registered()
        price = self.log.price(roles)
        can_pay = self.log.budget_left >= price and self.log.steps_left > 1
        if compound is None or not compound.made:
            price += self.search.make_price(self._pick)
            can_pay = can_pay and self.log.budget_left >= price
            return self.make([self._pick], roles) if can_pay else self.nominate(None)
        estimate = self.log.estimate(compound.id, roles[0])
        if can_pay and (estimate is None or estimate.paid_calls < READINGS):
            return self.measure([compound], roles)
        return self.nominate(compound)

    def _registered(self) -> Compound | None:
        identity = self._pick.identity
        found = (c for c in self.log.compounds.values() if self.candidate(c).identity == identity)
        return next(found, None)


class MemoryPolicy(_Insider):
    """The memorised champion: the pool's optimum under the mean models, ties by margin."""

    name = "memory"

    def value(self, pool: Pool, roles: Mapping[str, str]) -> Floats:
        """Return the desirability under the mean models."""
        values = pool.mean_values(roles)
        value: Floats = self.log.profile.desirability(values) + TIE * self.log.profile.margin(values)
        return value


class GuessPolicy(_Insider):
    """The best guess without an assay: the pool's optimum of the mean over worlds of its own."""

    name = "guess"

    def value(self, pool: Pool, roles: Mapping[str, str]) -> Floats:
        """Return the desirability expected over worlds drawn with another secret."""
        return _expected(self.log.profile, _own_worlds(pool.name, tuple(roles.items())))


class WitnessPolicy:
    """The oracle: plays the reference plan, which it takes from the environment itself."""

    name = "witness"

    def __init__(self, environment: MolforgeEnvironment) -> None:
        self._environment = environment

    def begin(self, observation: dict[str, object]) -> None:
        """Take the plan of the programme that was just opened."""
        self._plan = ReferencePlan(self._environment.episode)
        self._plan.begin(observation)

    def act(self, observation: dict[str, object]) -> Action:
        """Return the next action of the plan."""
        return self._plan.act(observation)


def _expected(profile: Profile, worlds: list[Mapping[str, Floats]]) -> Floats:
    total = np.mean([profile.desirability(world) for world in worlds], axis=0)
    return np.asarray(total, dtype=np.float64)


@lru_cache(maxsize=8)
def _own_worlds(target: str, roles: tuple[tuple[str, str], ...]) -> list[Mapping[str, Floats]]:
    pool = Pool.load(target)
    keys = (hashlib.sha256(f"own world {number}".encode()).digest() for number in range(OWN_WORLDS))
    return [pool.values(World(dict(roles), key=key)) for key in keys]


def _recognise(smiles: list[str]) -> str:
    """Return the target whose pool holds the given compounds."""
    identities = {parse(text).smiles for text in smiles}
    for target in TARGETS:
        if identities <= set(Pool.load(target).smiles):
            return target
    raise EnvironmentFault("the given compounds lie in no shipped pool")
