"""What chemists have made before: atom environments and ring systems, counted in a large reference.

Generative nonsense is built of atoms in surroundings that no made compound has. An environment is RDKit's
Morgan environment of radius 0 to 2 on the neutral molecule; a ring system is its atoms, aromatic or not,
with doubly bonded outer atoms, whatever its charges, hydrogens and drawing. ``reference`` makes the tables.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molforge.chem.structure import Structure
from molforge.errors import EnvironmentFault

DATA = Path(__file__).parent / "data"
ENVIRONMENTS_FILE = "environments.npz"
RING_SYSTEMS_FILE = "ring_systems.npz"

Keys = npt.NDArray[np.unsignedinteger[Any]]

_NEAR = rdFingerprintGenerator.GetMorganGenerator(radius=1)
_FAR = rdFingerprintGenerator.GetMorganGenerator(radius=2)
_HUNG = Chem.MolFromSmarts("[R]=!@[*]")
_AROMATIC, _OUTER = 1, 2


@dataclass(frozen=True, slots=True)
class Environments:
    """The atom environments of one molecule."""

    near: frozenset[int]
    """Radius 0 and 1."""
    far: frozenset[int]
    """Radius 2."""
    counts: dict[int, int]
    """How often each occurs, all radii."""


@dataclass(frozen=True, slots=True)
class RingSystem:
    """Rings that share atoms, as one key."""

    key: int
    atoms: tuple[int, ...]
    outer: tuple[int, ...]
    """Atoms that hang on the rings by double bonds."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The shipped tables, each sorted."""

    near: Keys
    """Environments of radius 0 and 1 in at least five reference compounds."""
    far: Keys
    """Environments of radius 2 in at least one reference compound."""
    rings: Keys
    """Ring systems in at least ten compounds."""


def environments_of(structure: Structure) -> Environments:
    """Return the Morgan environments of a structure; worked out once."""
    return structure.once("environments", lambda whole: environments(whole.mol))


def environments(mol: Any) -> Environments:
    """Return the Morgan environments of a molecule."""
    near = frozenset(_NEAR.GetSparseCountFingerprint(mol).GetNonzeroElements())
    counts = _FAR.GetSparseCountFingerprint(mol).GetNonzeroElements()
    return Environments(near, frozenset(counts.keys() - near), counts)


def centre(mol: Any, environment: int) -> int:
    """Return an atom at the centre of an environment of radius 0 to 2."""
    wanted = rdFingerprintGenerator.AdditionalOutput()
    wanted.AllocateBitInfoMap()
    _FAR.GetSparseCountFingerprint(mol, additionalOutput=wanted)
    atom, _ = wanted.GetBitInfoMap()[environment][0]
    return int(atom)


def ring_systems_of(structure: Structure) -> list[RingSystem]:
    """Return the ring systems of a structure; worked out once."""
    return structure.once("ring_systems", lambda whole: ring_systems(whole.mol))


def ring_systems(mol: Any) -> list[RingSystem]:
    """Return the ring systems of a molecule with their drawing-independent keys."""
    systems: list[tuple[set[int], list[tuple[int, ...]]]] = []
    for ring in mol.GetRingInfo().AtomRings():
        atoms, rings = set(ring), [ring]
        apart = []
        for system in systems:
            if atoms.isdisjoint(system[0]):
                apart.append(system)
            else:
                atoms |= system[0]
                rings += system[1]
        systems = [*apart, (atoms, rings)]
    hung = mol.GetSubstructMatches(_HUNG, uniquify=False) if systems else ()
    return [_ring_system(mol, tuple(sorted(atoms)), rings, hung) for atoms, rings in systems]


def _ring_system(
    mol: Any, atoms: tuple[int, ...], rings: list[tuple[int, ...]], hung: tuple[tuple[int, int], ...]
) -> RingSystem:
    place = {atom: position for position, atom in enumerate(atoms)}
    kinds = []
    for index in atoms:
        atom = mol.GetAtomWithIdx(index)
        kinds.append((atom.GetAtomicNum(), _AROMATIC if atom.GetIsAromatic() else 0))
    bonds = set()
    for ring in rings:
        for first, second in zip(ring, (*ring[1:], ring[0]), strict=True):
            bonds.add((place[min(first, second)], place[max(first, second)]))
    outside = [(inner, outer) for inner, outer in hung if inner in place and outer not in place]
    for inner, outer in outside:
        bonds.add((place[inner], len(kinds)))
        kinds.append((mol.GetAtomWithIdx(outer).GetAtomicNum(), _OUTER))
    key = ring_key(tuple(kinds), tuple(sorted(bonds)))
    return RingSystem(key, atoms, tuple(outer for _, outer in outside))


@lru_cache(maxsize=65_536)
def ring_key(kinds: tuple[tuple[int, int], ...], bonds: tuple[tuple[int, int], ...]) -> int:
    """Hash a graph of (element, label) atoms; most ring systems come again, so the cache answers mostly."""
    graph = Chem.RWMol()
    for element, label in kinds:
        atom = Chem.Atom(element)
        atom.SetNoImplicit(True)
        atom.SetIsotope(label)
        graph.AddAtom(atom)
    for first, second in bonds:
        graph.AddBond(first, second, Chem.BondType.SINGLE)
    digest = hashlib.blake2b(Chem.MolToSmiles(graph).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def unknown(keys: frozenset[int], table: Keys) -> list[int]:
    """Return which keys are not in a sorted table, in ascending order."""
    wanted = np.array(sorted(keys), dtype=table.dtype)
    places = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return [int(key) for key in wanted[table[places] != wanted]]


@cache
def reference() -> Reference:
    """Load the shipped tables once; about 0.7 MB."""
    try:
        with np.load(DATA / ENVIRONMENTS_FILE) as file:
            near, far = (unpack_keys(file[name]) for name in ("near", "far"))
        with np.load(DATA / RING_SYSTEMS_FILE) as file:
            rings = file["rings"]
    except (OSError, KeyError, ValueError) as problem:
        raise EnvironmentFault(f"the reference tables in {DATA} cannot be read: {problem}") from problem
    return Reference(near, far, rings)


def pack_keys(keys: Keys) -> npt.NDArray[np.uint8]:
    """Return sorted 32-bit keys as byte planes of their differences, which compress well."""
    gaps = np.diff(keys.astype(np.uint32), prepend=np.uint32(0))
    return np.ascontiguousarray(gaps.astype("<u4").view(np.uint8).reshape(-1, 4).T)


def unpack_keys(planes: npt.NDArray[np.uint8]) -> Keys:
    """Undo ``pack_keys``."""
    gaps = np.ascontiguousarray(planes.T).view("<u4").ravel()
    return np.cumsum(gaps, dtype=np.uint32)
