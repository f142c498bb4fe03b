"""Text becomes a molecule here and nowhere else: past ``parse``, types prove validity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from rdkit import Chem, RDLogger

from molforge.chem.skeleton import Tokens, skeleton
from molforge.chem.standard import check_atoms, neutralise, sanitise
from molforge.chem.syntax import check_text, refuse_unreadable
from molforge.errors import RefusedStructure

RDLogger.DisableLog("rdApp.*")

T = TypeVar("T")

_READ = Chem.SmilesParserParams()
_READ.sanitize = False
_READ.removeHs = False
_REWRITES = 3
"""Canonical SMILES is a fixed point after one writing for all but a few structures in a million."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One compound; two are equal when they are drawings of the same compound."""

    smiles: str
    """Canonical isomeric SMILES of the neutral form, without isotopes and atom maps."""
    identity: str
    """16 hex digits, the same for every protonation state and heteroatom tautomer."""
    drawn: Any = field(repr=False)
    """RDKit's molecule of ``smiles`` (30 kB), None where it is made anew when asked for: use ``mol``."""
    tokens: Tokens = field(repr=False)
    """Sorted Morgan-2 tokens of the skeleton, ``feature << 8 | copy``."""
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    """What others worked out about the molecule and would need again."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(self.identity)

    @property
    def mol(self) -> Any:
        """RDKit's molecule of ``smiles``, atoms in the order of the string; not to be changed."""
        return _redrawn(self.smiles) if self.drawn is None else self.drawn

    def once(self, name: str, work: Callable[[Structure], T]) -> T:
        """Return ``work`` of the structure; it is done once."""
        if name not in self.memo:
            self.memo[name] = work(self)
        found: T = self.memo[name]
        return found

    def in_full(self) -> Structure:
        """Return the structure with its molecule at hand, for whoever asks for it many times."""
        return self if self.drawn is not None else replace(self, drawn=self.mol)

    def light(self) -> Structure:
        """Return the structure without its molecule and what was worked out about it: 1 kB to keep."""
        return Structure(self.smiles, self.identity, None, self.tokens)


@lru_cache(maxsize=64)
def _redrawn(smiles: str) -> Any:
    # kept, since what RDKit returns of a molecule (its rings, its atoms) does not keep the molecule alive
    return Chem.MolFromSmiles(smiles)


def parse(smiles: str) -> Structure:
    """Read a SMILES string; raise ``RefusedStructure`` with gate, atom (as given) and reason.

    Protonated and deprotonated forms come back neutral. What may be *made* is the business of ``gates``.
    Any string is answered within 100 ms.
    """
    check_text(smiles)
    mol = Chem.MolFromSmiles(smiles, _READ)
    if mol is None:
        refuse_unreadable(smiles)
    check_atoms(mol, smiles)
    sanitise(mol, smiles)
    # as RDKit's own reader does it; without the flag the stereocentres left open would not be counted
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True, flagPossibleStereoCenters=True)
    return _canonical(neutralise(mol, smiles), smiles)


def similarity(a: Structure, b: Structure) -> float:
    """Return the MinMax similarity of the token sets, 0 to 1."""
    shared = int(np.intersect1d(a.tokens, b.tokens, assume_unique=True).size)
    union = a.tokens.size + b.tokens.size - shared
    return shared / union if union else 1.0


def framework(structure: Structure) -> str:
    """Return the generic framework (Bemis and Murcko 1996) as SMILES of carbons; '' without rings.

    Rings and the chains between them, all atoms carbon, all bonds single, exocyclic double bonds gone.
    """
    mol = structure.mol
    if not mol.GetRingInfo().NumRings():
        return ""
    neighbours: dict[int, set[int]] = {atom: set() for atom in range(mol.GetNumAtoms())}
    for atom, other in np.argwhere(Chem.GetAdjacencyMatrix(mol)).tolist():
        neighbours[atom].add(other)
    ends = [atom for atom, others in neighbours.items() if len(others) <= 1]
    while ends:
        end = ends.pop()
        for other in neighbours.pop(end):
            neighbours[other].discard(end)
            if len(neighbours[other]) == 1:
                ends.append(other)
    generic = Chem.RWMol()
    index = {atom: generic.AddAtom(Chem.Atom(6)) for atom in sorted(neighbours)}
    for atom, others in neighbours.items():
        for other in others:
            if atom < other:
                generic.AddBond(index[atom], index[other], Chem.BondType.SINGLE)
    return str(Chem.MolToSmiles(generic))


def _canonical(mol: Any, given: str) -> Structure:
    smiles = given
    for _ in range(_REWRITES):
        written = Chem.MolToSmiles(mol)
        if written == smiles:
            break
        smiles = written
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise RefusedStructure(
                given, gate="valence", reason="the neutral form of this structure is not a valid molecule"
            )
    bones = skeleton(mol)
    return Structure(smiles, bones.identity, mol, bones.tokens)
