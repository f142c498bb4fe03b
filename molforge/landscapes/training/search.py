"""A genetic algorithm over structures (Jensen 2019), maximising whatever score it is given."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from molforge.chem.edits import crossover, mutate
from molforge.chem.structure import Structure

_POPULATION = 40
_MUTATION = 0.6
_MUTATION_AFTER_CROSSING = 0.3
_STALLED = 40
_TRIES = 8

Score = Callable[[Structure], float | None]
"""What to maximise; None for a structure that may not be made."""


def search(score: Score, starts: Sequence[Structure], *, evaluations: int, rng: random.Random) -> None:
    """Breed from ``starts`` until ``evaluations`` different structures were scored.

    Nothing is returned: the scoring function sees, and may keep, everything on the way.
    """
    seen: set[Structure] = set()
    population: list[tuple[float, Structure]] = []
    brood, stalled = list(starts), 0
    while stalled < _STALLED:
        fresh = [child for child in dict.fromkeys(brood) if child not in seen]
        seen.update(fresh)
        scored = [(value, child) for child in fresh if (value := score(child)) is not None]
        stalled = 0 if fresh else stalled + 1
        population = sorted(population + scored, key=lambda pair: -pair[0])[:_POPULATION]
        if len(seen) >= evaluations or not population:
            return
        brood = _brood([structure for _, structure in population], rng)


def _brood(parents: Sequence[Structure], rng: random.Random) -> list[Structure]:
    """Return up to 40 children; better parents have more of them."""
    chances = [math.exp(-3 * rank / len(parents)) for rank in range(len(parents))]
    children: list[Structure] = []
    for _ in range(_TRIES * _POPULATION):
        child = _child(rng.choices(parents, chances, k=2), rng)
        if child is not None:
            children.append(child)
        if len(children) == _POPULATION:
            break
    return children


def _child(parents: Sequence[Structure], rng: random.Random) -> Structure | None:
    first, second = parents
    if rng.random() < _MUTATION:
        return mutate(first, rng)
    child = crossover(first, second, rng)
    if child is not None and rng.random() < _MUTATION_AFTER_CROSSING:
        return mutate(child, rng) or child
    return child
