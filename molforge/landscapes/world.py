"""A world: one draw of every property of a programme, decided by a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from molforge.landscapes import minhash
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import Floats, PropertyModel, Sighting, landscape

if TYPE_CHECKING:
    from molforge.chem.structure import Structure


@dataclass(frozen=True, slots=True)
class Draw:
    """One property in one world."""

    landscape: PropertyModel
    weights: Floats
    vector: Floats


class World:
    """The hidden truth of one programme; a pure function of roles and key, without state."""

    def __init__(self, roles: Mapping[str, str], *, key: bytes) -> None:
        """Draw a world (0.3 ms a property once the models are loaded).

        Args:
            roles: What each property is called in the programme, and the landscape behind it. Two
                roles of one landscape are two independent draws.
            key: Secret bytes; the same key gives the same world.
        """
        self.roles = dict(roles)
        self._draws = {role: _draw(role, landscape(name), key) for role, name in roles.items()}

    @classmethod
    def over(cls, landscapes: Mapping[str, PropertyModel], *, key: bytes) -> World:
        """Draw a world of landscapes that are in hand rather than in the catalogue."""
        world = cls({}, key=key)
        world.roles = {role: each.name for role, each in landscapes.items()}
        world._draws = {role: _draw(role, each, key) for role, each in landscapes.items()}
        return world

    def values(self, structure: Structure) -> dict[str, float]:
        """Return the hidden value of every property, rounded to 0.001 of its unit.

        Bit-identical on every machine, in any order, for every way of drawing the compound.
        """
        sighting = Sighting(structure.tokens)
        return {
            role: draw.landscape.value(sighting, draw.weights, draw.vector) / 1000
            for role, draw in self._draws.items()
        }

    def nearest(self, structure: Structure, role: str) -> float:
        """Return the MinMax similarity to the nearest measured ligand behind a role, to 0.001.

        It is 0 for a role without data.
        """
        grown = self._draws[role].landscape.nearest(Sighting(structure.tokens))
        return (grown * 1000 + SCALE // 2) // SCALE / 1000

    def draw(self, role: str) -> Draw:
        """Return the draw behind a role, for evaluating many molecules at once."""
        return self._draws[role]


def _draw(role: str, landscape: PropertyModel, key: bytes) -> Draw:
    weights = minhash.weights(key, role, landscape.name, landscape.columns)
    return Draw(landscape, weights, landscape.draw(weights))
