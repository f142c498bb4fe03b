"""Genetic search without an assay: on what is free, and on the shipped mean models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

import numpy as np

from envs.family import roles_of
from molforge.contract import Environment
from molforge.landscapes.model import Sighting, landscape
from molforge.landscapes.world import World
from molforge.policies.objectives import Floats
from molforge.policies.search import Candidate
from redteam.insight import recognise
from redteam.memory import TIE, Picker

POPULATION = 30
OWN_WORLDS = 24


class _Evolving(Picker):
    """Breeds from the given compounds by a value it works out for free."""

    name = "evolving"
    generations = 10
    children = 120

    def pick(self) -> Candidate | None:
        """Return the fittest structure that may be made."""
        if not self.log.offers_design:
            return self.candidate(self.log.made[0])
        value = self.value()
        given = [self.candidate(compound) for compound in self.log.made]
        population, known = given, {candidate.identity for candidate in given}
        fitness: dict[str, float] = {c.identity: -1.0 for c in given}
        rng = self.stream("evolution")
        for _ in range(self.generations):
            born = []
            for _ in range(self.children):
                child = self.search.edited(rng.choice(population), rng)
                if child is not None and child.identity not in known:
                    known.add(child.identity)
                    born.append(child)
            fitness.update(zip((c.identity for c in born), value(born), strict=True))
            population = self._fittest([*population, *born], fitness, {c.identity for c in given})
        own = [c for c in population if c.identity not in {g.identity for g in given}]
        return own[0] if own else None

    def _fittest(
        self, found: Sequence[Candidate], fitness: Mapping[str, float], given: Collection[str]
    ) -> list[Candidate]:
        """Return the next population; only who would be in it is asked whether it may be made."""
        ranked = sorted(found, key=lambda c: -fitness[c.identity])
        allowed = (c for c in ranked if c.identity in given or self.search.is_allowed(c))
        return list(islice(allowed, POPULATION))

    def value(self) -> Callable[[Sequence[Candidate]], list[float]]:
        """Return the function that is searched on."""
        raise NotImplementedError


class FreeSearchPolicy(_Evolving):
    """Searches on computed properties: the middle of the logP scale, easy synthesis, far from the lead."""

    name = "free_search"

    def value(self) -> Callable[[Sequence[Candidate]], list[float]]:
        """Return the negative distance from a drug-like ideal."""
        return lambda found: [-abs(c.logp - 2.5) - 0.5 * self.search.sa_score(c) for c in found]


class ModelSearchPolicy(_Evolving):
    """Searches on the desirability expected over worlds of its own: 1,200 structures a programme."""

    name = "model_search"

    def value(self) -> Callable[[Sequence[Candidate]], list[float]]:
        """Return the mean desirability over own worlds."""
        target = recognise([compound.smiles for compound in self.log.made])
        roles = roles_of(self.log.profile.roles, target)
        worlds = [World(roles, key=bytes([number]) * 32) for number in range(OWN_WORLDS)]

        def value(found: Sequence[Candidate]) -> list[float]:
            if not found:
                return []
            draws = _draws([Sighting(c.tokens) for c in found], worlds, list(roles))
            mean = self.log.profile.desirability(draws).mean(axis=0)
            margin = self.log.profile.margin({role: d.mean(axis=0) for role, d in draws.items()})
            return [float(v) for v in mean + 1e-3 * np.clip(margin, -20.0, 2.0)]

        return value


class MeanSearchPolicy(_Evolving):
    """Searches on the desirability under the mean models, ties by margin: 5,000 structures a programme."""

    name = "mean_search"
    generations = 20
    children = 250

    def value(self) -> Callable[[Sequence[Candidate]], list[float]]:
        """Return the desirability under the mean models."""
        target = recognise([compound.smiles for compound in self.log.made])
        models = {role: landscape(name) for role, name in roles_of(self.log.profile.roles, target).items()}

        def value(found: Sequence[Candidate]) -> list[float]:
            seen = [Sighting(candidate.tokens) for candidate in found]
            means = {
                role: np.array([model.mean_value(each) / 1000 for each in seen], np.float64)
                for role, model in models.items()
            }
            worth = self.log.profile.desirability(means) + TIE * self.log.profile.margin(means)
            return [float(each) for each in worth]

        return value


def _draws(seen: Sequence[Sighting], worlds: Sequence[World], roles: Sequence[str]) -> dict[str, Floats]:
    """Return property to values, shape (worlds, structures)."""
    found = {}
    for role in roles:
        drawn = [world.draw(role) for world in worlds]
        rows = [[d.landscape.value(s, d.weights, d.vector) / 1000 for s in seen] for d in drawn]
        found[role] = np.array(rows)
    return found


def free_search(_: Environment) -> FreeSearchPolicy:
    """Search on what is free."""
    return FreeSearchPolicy()


def mean_search(_: Environment) -> MeanSearchPolicy:
    """Search on the mean models."""
    return MeanSearchPolicy()


def model_search(_: Environment) -> ModelSearchPolicy:
    """Search on the models."""
    return ModelSearchPolicy()
