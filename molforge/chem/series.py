"""A claimed series of structures: the lead's own series as a patent would cover it, in three plain tests."""

from __future__ import annotations

from functools import cached_property

from molforge.chem.environments import ring_systems
from molforge.chem.structure import Structure, framework, similarity

MAX_SIMILARITY = 0.5
"""MinMax similarity to the lead above which a structure is inside the claim."""


class Series:
    """The claim on a lead: its framework, its fused ring systems, and what is much like it."""

    def __init__(self, lead: Structure) -> None:
        self._lead = lead.light()

    def covers(self, structure: Structure) -> bool:
        """Say whether a structure is inside the claim."""
        return (
            similarity(structure, self._lead) > MAX_SIMILARITY
            or framework(structure) == self._framework
            or not self._fused.isdisjoint(_fused_systems(structure))
        )

    @cached_property
    def _framework(self) -> str:
        return framework(self._lead)

    @cached_property
    def _fused(self) -> frozenset[int]:
        return _fused_systems(self._lead)


def _fused_systems(structure: Structure) -> frozenset[int]:
    """Return the keys of the ring systems that are made of two rings or more."""
    mol = structure.mol
    rings = [set(ring) for ring in mol.GetRingInfo().AtomRings()]
    return frozenset(
        system.key for system in ring_systems(mol) if sum(ring <= set(system.atoms) for ring in rings) > 1
    )
