"""A world: one draw of every property of a programme, decided by a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from molforge.landscapes import minhash
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import PropertyModel, Sighting, Thin, landscape
from molforge.landscapes.tokens import Tokens

if TYPE_CHECKING:
    from molforge.chem.structure import Structure


@dataclass(frozen=True, slots=True)
class Draw:
    """One property in one world."""

    landscape: PropertyModel
    weights: Thin
    vector: Thin


class World:
    """The hidden truth of one programme; a pure function of roles and key, without state."""

    def __init__(
        self,
        roles: Mapping[str, str],
        *,
        key: bytes,
        find: Callable[[str], PropertyModel] = landscape,
    ) -> None:
        """Draw a world (0.3 ms a property once the models are loaded).

        Args:
            roles: What each property is called in the programme, and the landscape behind it. Two
                roles of one landscape are two independent draws.
            key: Secret bytes; the same key gives the same world.
            find: Where landscapes come from; by default what the package ships.
        """
        self.roles = dict(roles)
        self._draws = {role: _draw(role, find(name), key) for role, name in roles.items()}

    def values(self, structure: Structure) -> dict[str, float]:
        """Return the hidden value of every property, rounded to 0.001 of its unit.

        Bit-identical on every machine, in any order, for every way of drawing the compound.
        """
        return self.values_of(structure.tokens)

    def values_of(self, tokens: Tokens) -> dict[str, float]:
        """Return what ``values`` returns for a structure with these tokens."""
        sighting = Sighting(tokens)
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
