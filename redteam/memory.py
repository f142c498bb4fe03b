"""Attacks without learning: nominate what the shipped models say, whatever this world is.

All of them hold the package (models and reference pools) but not the secret, recognise the target by the
lead's structure, and read their pick only to collect evidence, not to decide.
"""

from __future__ import annotations

import numpy as np

from envs.environment import MolforgeEnvironment
from envs.family import roles_of
from envs.reference import ReferencePlan
from molforge.actions import Action
from molforge.contract import Environment
from molforge.landscapes.pool import Pool
from molforge.policies.logbook import Compound
from molforge.policies.objectives import Floats
from molforge.policies.player import Player
from molforge.policies.search import Candidate
from redteam.insight import expected, is_claimed, own_worlds, recognise

MAX_SA = 4.3
"""Harder designs are not worth the risk of a failed synthesis."""
READINGS = 2
TIE = 1e-3


class Picker(Player):
    """Makes the structure it believes in, reads it twice and nominates it."""

    name = "picker"

    def open(self) -> None:
        """Choose."""
        self._pick = self.pick()

    def pick(self) -> Candidate | None:
        """Return what is to be made and nominated; None to stop."""
        raise NotImplementedError

    def turn(self) -> Action:
        """Return the next step towards nominating the pick."""
        if self._pick is None:
            return self.nominate(None)
        roles = self.log.profile.roles
        compound = self._registered(self._pick)
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

    def _registered(self, pick: Candidate) -> Compound | None:
        found = (c for c in self.log.compounds.values() if self.candidate(c).identity == pick.identity)
        return next(found, None)


class _Insider(Picker):
    """Picks the reference design that is worth most to its belief."""

    def pick(self) -> Candidate:
        """Recognise the target and choose."""
        target = recognise([compound.smiles for compound in self.log.made])
        pool = Pool.load(target)
        value = self.value(pool)
        if self.log.offers_design:
            value = np.where(pool.sa < MAX_SA, value, -np.inf)
        else:
            given = {compound.smiles for compound in self.log.made}
            value = np.where([smiles in given for smiles in pool.smiles], value, -np.inf)
        ranked = (self.search.read(pool.smiles[row]) for row in np.argsort(-value).tolist())
        return next(found for found in ranked if not is_claimed(self.log, found.structure))

    def value(self, pool: Pool) -> Floats:
        """Return what each pool member is believed to be worth."""
        raise NotImplementedError


class MemoryPolicy(_Insider):
    """The memorised champion: the pool's optimum under the mean models, ties by margin."""

    name = "memory"

    def value(self, pool: Pool) -> Floats:
        """Return the desirability under the mean models."""
        values = pool.mean_values(roles_of(self.log.profile.roles, pool.name))
        value: Floats = self.log.profile.desirability(values) + TIE * self.log.profile.margin(values)
        return value


class GuessPolicy(_Insider):
    """The best guess without an assay: the pool's optimum of the mean over worlds of its own."""

    name = "guess"

    def value(self, pool: Pool) -> Floats:
        """Return the desirability expected over worlds drawn with other keys."""
        return expected(self.log.profile, own_worlds(pool.name, self.log.profile.roles))


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


def memory(_: Environment) -> MemoryPolicy:
    """The memorised champion."""
    return MemoryPolicy()


def guess(_: Environment) -> GuessPolicy:
    """The best guess without an assay."""
    return GuessPolicy()


def witness(environment: Environment) -> WitnessPolicy:
    """The oracle."""
    assert isinstance(environment, MolforgeEnvironment)
    return WitnessPolicy(environment)
