"""One drawing for the common tautomers, so that what is computed does not hang on who drew the compound.

A compound's identity and hidden values are the same for every tautomer that moves protons between
heteroatoms (``skeleton``); its computed properties, alerts and price are those of a drawing. ``preferred``
gives the one that a chemist would draw: amide rather than imidic acid, pyridone rather than
2-hydroxypyridine, the double bond of an open-chain amidine or guanidine at its bare nitrogen, the proton
of an azole at one nitrogen by rule. Each is a local move; nothing is enumerated (RDKit's canonical tautomer
takes 5 ms a molecule). Rarer tautomers stay as they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rdkit import Chem

from molforge.chem.structure import Structure, parse
from molforge.errors import RefusedStructure

MAX_MOVES = 8
"""Moves on one structure: a bound, so that no input can keep it busy."""

_SINGLE, _DOUBLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE
_IMIDIC = Chem.MolFromSmarts("[OX2H,SX2H]-[CX3]=[NX2]")
_LACTIM = Chem.MolFromSmarts("[OX2H,SX2H]-[c;r6]:[nX2;r6]")
_AMIDINE = Chem.MolFromSmarts("[NX3H2]-[CX3;H0;!$(C-[O,S])]=[NX2;H0;!R;!$(N-[N,O])]")
_FUSED = Chem.MolFromSmarts("[nH;r6;!r5]:[c;R2]:[nX2;r5;!r6]")
_AZOLE = Chem.MolFromSmarts("[nH;r5]")


def preferred(structure: Structure) -> Structure:
    """Return the compound in its preferred drawing: the same identity and hidden values."""
    for _ in range(MAX_MOVES):
        moved = _moved(structure)
        if moved is None:
            return structure
        structure = moved
    return structure


def _moved(structure: Structure) -> Structure | None:
    """Return the structure after the first move that gives another drawing of the compound."""
    for drawing in _moves(structure):
        drawing.UpdatePropertyCache(False)
        try:
            moved = parse(Chem.MolToSmiles(drawing))
        except RefusedStructure:
            continue  # no alternating double bonds with the proton there
        if moved.identity == structure.identity and moved.smiles != structure.smiles:
            return moved
    return None


def _moves(structure: Structure) -> Iterator[Any]:
    mol = structure.mol
    if "=N" in structure.smiles or "N=" in structure.smiles:
        for donor, carbon, acceptor in _in_order(mol, _IMIDIC):
            yield _shifted(mol, donor, carbon, acceptor)
        for donor, carbon, acceptor in _in_order(mol, _AMIDINE):
            yield _shifted(mol, donor, carbon, acceptor)
    if "n" not in structure.smiles:
        return
    for donor, carbon, acceptor in _in_order(mol, _LACTIM):
        drawing = Chem.RWMol(mol)
        drawing.GetBondBetweenAtoms(donor, carbon).SetBondType(_DOUBLE)
        drawing.GetAtomWithIdx(acceptor).SetNumExplicitHs(1)
        yield drawing
    if "[nH]" not in structure.smiles:
        return
    for donor, _, acceptor in _in_order(mol, _FUSED):
        yield _passed_on(mol, donor, acceptor)
    yield from _azole_moves(mol)


def _in_order(mol: Any, query: Any) -> list[tuple[int, ...]]:
    """Return the matches of a pattern in an order that does not hang on the drawing."""
    matches = mol.GetSubstructMatches(query)
    if len(matches) < 2:
        return list(matches)
    ranks = _ranks(mol)
    return sorted(matches, key=lambda match: [ranks[atom] for atom in match])


def _shifted(mol: Any, donor: int, carbon: int, acceptor: int) -> Any:
    """Move a proton from ``donor`` to ``acceptor`` of donor-carbon=acceptor, outside aromatic rings."""
    drawing = Chem.RWMol(mol)
    gained = drawing.GetBondBetweenAtoms(donor, carbon)
    lost = drawing.GetBondBetweenAtoms(carbon, acceptor)
    lost.SetStereo(Chem.BondStereo.STEREONONE)
    for bond in drawing.GetAtomWithIdx(acceptor).GetBonds():
        bond.SetBondDir(Chem.BondDir.NONE)
    gained.SetBondType(_DOUBLE)
    lost.SetBondType(_SINGLE)
    for index in (donor, acceptor):
        drawing.GetAtomWithIdx(index).SetNoImplicit(False)
        drawing.GetAtomWithIdx(index).SetNumExplicitHs(0)
    return drawing


def _passed_on(mol: Any, donor: int, acceptor: int) -> Any:
    """Move a proton from one nitrogen of an aromatic system to another."""
    drawing = Chem.RWMol(mol)
    drawing.GetAtomWithIdx(donor).SetNumExplicitHs(0)
    drawing.GetAtomWithIdx(acceptor).SetNumExplicitHs(1)
    return drawing


def _azole_moves(mol: Any) -> Iterator[Any]:
    """Yield drawings with the proton of a five-membered azole at a better nitrogen, best first."""
    rings = [ring for ring in mol.GetRingInfo().AtomRings() if len(ring) == 5]
    ranks: list[int] = []
    for (here,) in mol.GetSubstructMatches(_AZOLE):
        for ring in (ring for ring in rings if here in ring):
            nitrogens = [i for i in ring if mol.GetAtomWithIdx(i).GetAtomicNum() == 7]
            free = [i for i in nitrogens if mol.GetAtomWithIdx(i).GetDegree() == 2]
            if len(free) < 2 or sum(mol.GetAtomWithIdx(i).GetTotalNumHs() for i in free) != 1:
                continue
            ranks = ranks or _ranks(mol)
            best_first = sorted(free, key=lambda i: (*_standing(mol, i), ranks[i]))
            for there in best_first[: best_first.index(here)]:
                yield _passed_on(mol, here, there)


def _standing(mol: Any, nitrogen: int) -> tuple[bool, bool]:
    """Rank an azole nitrogen for the proton: beside a fused ring first, then beside a carbon."""
    neighbours = mol.GetAtomWithIdx(nitrogen).GetNeighbors()
    rings = mol.GetRingInfo()
    fused = any(rings.NumAtomRings(other.GetIdx()) > 1 for other in neighbours)
    return not fused, all(other.GetAtomicNum() == 7 for other in neighbours)


def _ranks(mol: Any) -> list[int]:
    """Return canonical ranks of the atoms that are the same for every tautomer."""
    bare = Chem.RWMol()
    for atom in mol.GetAtoms():
        copy = Chem.Atom(atom.GetAtomicNum())
        copy.SetNoImplicit(True)
        copy.SetIsotope(atom.GetTotalNumHs() + 1 if atom.GetAtomicNum() == 6 else 0)
        bare.AddAtom(copy)
    for bond in mol.GetBonds():
        bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), _SINGLE)
    return list(Chem.CanonicalRankAtoms(bare))
