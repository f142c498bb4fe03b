"""Searches that may look where no agent may: ``python -m redteam.optimisers``.

ungated   climbs a potency model as it is, with nothing to hold it: what it finds, the gates must refuse
gated     climbs the *true* hidden value of a world among structures that may be made: what it finds must
          stay in the range of real activities
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from molforge.chem.gates import is_makeable
from molforge.chem.structure import Structure, parse
from molforge.landscapes.catalogue import TARGETS
from molforge.landscapes.curves import GRAIN
from molforge.landscapes.model import PropertyModel, Sighting
from molforge.landscapes.pool import Pool
from molforge.landscapes.training.search import Score, search
from molforge.landscapes.world import World

EVALUATIONS = 4000
"""As many as in the study that found that gates are needed."""
BEST = 20
STARTS = 40


@dataclass(frozen=True, slots=True)
class Finds:
    """The best of what a search scored."""

    best: tuple[tuple[float, Structure], ...]
    """Value and structure, best first."""
    scored: int

    @property
    def top(self) -> float:
        """The highest value."""
        return self.best[0][0]

    def makeable(self) -> int:
        """Count those of the best that every gate lets pass."""
        return sum(is_makeable(structure) for _, structure in self.best)


def ungated(target: str, *, evaluations: int = EVALUATIONS, seed: int = 0) -> Finds:
    """Maximise the mean of a potency model, weighted by nothing and refused nothing.

    It starts from designs of another target, which are as drug-like as anything and mean nothing here.
    """
    model = PropertyModel.load(target)
    rng = random.Random(f"ungated {target} {seed}")
    elsewhere = Pool.load("fxa" if target == "h3" else "h3")
    starts = [parse(text) for text in rng.sample(elsewhere.smiles, STARTS)]
    return _climb(lambda each: model.centre(Sighting(each.tokens)) / GRAIN, starts, evaluations, rng)


def gated(target: str, key: bytes, *, evaluations: int = EVALUATIONS) -> Finds:
    """Maximise the hidden potency of one world among structures that may be made."""
    world = World({"potency": target}, key=key)
    rng = random.Random(f"gated {target}")
    starts = [parse(text) for text in rng.sample(Pool.load(target).smiles, STARTS)]
    return _climb(partial(_true, world), starts, evaluations, rng)


def _true(world: World, structure: Structure) -> float | None:
    return world.values(structure)["potency"] if is_makeable(structure) else None


def _climb(score: Score, starts: Sequence[Structure], evaluations: int, rng: random.Random) -> Finds:
    values: dict[Structure, float] = {}

    def note(structure: Structure) -> float | None:
        value = score(structure)
        if value is not None:
            values[structure] = value
        return value

    search(note, starts, evaluations=evaluations, rng=rng)
    best = sorted(values.items(), key=lambda pair: -pair[1])[:BEST]
    return Finds(tuple((value, structure) for structure, value in best), len(values))


def main() -> None:
    """Print what both searches find for every target."""
    parser = argparse.ArgumentParser(prog="python -m redteam.optimisers", description=__doc__)
    parser.add_argument("--targets", nargs="+", default=TARGETS, choices=TARGETS)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS)
    parser.add_argument("--worlds", type=int, default=1, help="worlds a target for the gated search")
    options = parser.parse_args()
    for target in options.targets:
        _tell(f"{target}, ungated", ungated(target, evaluations=options.evaluations))
        for number in range(options.worlds):
            key = f"optimiser {number}".encode()
            _tell(f"{target}, world {number}", gated(target, key, evaluations=options.evaluations))


def _tell(name: str, found: Finds) -> None:
    passing = f"{found.makeable()} of the best {len(found.best)} pass the gates"
    sys.stdout.write(f"{name}: {found.top:.2f}, {passing}; {found.best[0][1].smiles}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
