"""A claimed series of structures: the lead's own series as a patent would cover it, in three plain tests."""

from __future__ import annotations

from typing import Any, NamedTuple

from molforge.chem.environments import ring_key, ring_systems_of
from molforge.chem.structure import Structure, framework, similarity

MAX_SIMILARITY = 0.5
"""MinMax similarity to the lead above which a structure is inside the claim."""


class Series:
    """The claim on a lead: its framework, its fused ring systems, and what is much like it."""

    def __init__(self, lead: Structure) -> None:
        self._lead = lead.light()

    def covers(self, structure: Structure) -> bool:
        """Say whether a structure is inside the claim."""
        if similarity(structure, self._lead) > MAX_SIMILARITY:
            return True
        mine, own = _scaffold(self._lead), _scaffold(structure)
        return own.framework == mine.framework or not mine.fused.isdisjoint(own.fused)


class _Scaffold(NamedTuple):
    framework: str
    fused: frozenset[int]
    """Keys of the ring systems that are made of two rings or more."""


_CARBON = 6
_SATURATED = 4
"""Neighbours of such a carbon, and its label."""
_REMEMBERED = 8192
"""Structures whose scaffold is remembered (0.5 kB each): pool members come again and again."""
_scaffolds: dict[str, _Scaffold] = {}


def _scaffold(structure: Structure) -> _Scaffold:
    """Return what the claim asks of a structure (2 ms), remembered by SMILES."""
    found = _scaffolds.get(structure.smiles)
    if found is None:
        if len(_scaffolds) >= _REMEMBERED:
            _scaffolds.clear()
        found = _scaffolds[structure.smiles] = _Scaffold(framework(structure), _fused(structure))
    return found


def _fused(structure: Structure) -> frozenset[int]:
    """Return the skeletons' keys of the ring systems with two rings or more, the same for every drawing.

    What tautomers share is kept: elements, ring bonds, and which carbons have four neighbours.
    """
    mol = structure.mol
    rings = [set(ring) for ring in mol.GetRingInfo().AtomRings()]
    systems = [set(system.atoms) for system in ring_systems_of(structure)]
    return frozenset(_skeleton(mol, atoms) for atoms in systems if sum(ring <= atoms for ring in rings) > 1)


def _skeleton(mol: Any, atoms: set[int]) -> int:
    place = {index: position for position, index in enumerate(sorted(atoms))}
    kinds = []
    for index in place:
        atom = mol.GetAtomWithIdx(index)
        is_saturated = atom.GetAtomicNum() == _CARBON and atom.GetTotalDegree() == _SATURATED
        kinds.append((atom.GetAtomicNum(), _SATURATED if is_saturated else 0))
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds() if bond.IsInRing()]
    bonds = [(place[first], place[second]) for first, second in ends if first in place and second in place]
    return ring_key(tuple(kinds), tuple(bonds))
