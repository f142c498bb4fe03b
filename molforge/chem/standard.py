"""One drawing of one compound: explicit hydrogens folded in, protons given back, isotopes refused."""

from __future__ import annotations

from typing import Any

from rdkit import Chem
from rdkit.Chem import rdqueries
from rdkit.Chem.MolStandardize import rdMolStandardize

from molforge.errors import RefusedStructure

MAX_HEAVY_ATOMS = 50
MAX_READ_RINGS = 12
"""Independent rings of a structure that is read at all; what may be made is stricter."""

_UNCHARGER = rdMolStandardize.Uncharger(True, True)
"""Canonical order; forced: acids are protonated beside a quaternary nitrogen too."""

_UNREAD = Chem.MolFromSmarts("[!#1;!#5;!#6;!#7;!#8;!#9;!#15;!#16;!#17;!#35;!#53]")
_HYDROGEN = Chem.MolFromSmarts("[#1]")
_CHARGED = Chem.MolFromSmarts("[!+0]")
_FLIPPING = Chem.MolFromSmarts("[#7;D1,D2,D3]")
_YLIDE = Chem.MolFromSmarts("[S,P;+1]-[O,N;-1]")
_LABELLED = rdqueries.IsotopeGreaterQueryAtom(0)
_RADICAL = rdqueries.NumRadicalElectronsGreaterQueryAtom(0)


def check_atoms(mol: Any, smiles: str) -> None:
    """Refuse, before sanitising, what RDKit should not chew on or what is no plain organic molecule."""
    heavy = mol.GetNumHeavyAtoms()
    if not 1 <= heavy <= MAX_HEAVY_ATOMS:
        reason = f"{heavy} heavy atoms; 12 to {MAX_HEAVY_ATOMS} are allowed"
        raise RefusedStructure(smiles, gate="size", reason=reason)
    rings = mol.GetNumBonds() - mol.GetNumAtoms() + 1
    if rings > MAX_READ_RINGS:
        raise RefusedStructure(smiles, gate="rings", reason=f"{rings} rings; at most 7 are allowed")
    if "[" not in smiles:
        return
    if (atom := _first(mol, _UNREAD.GetAtomWithIdx(0))) is not None:
        reason = f"{name(atom)} is not allowed; elements are C N O F P S Cl Br I B"
        raise RefusedStructure(smiles, gate="element", atom=atom.GetIdx(), reason=reason)
    if (atom := _first(mol, _LABELLED)) is not None:
        reason = f"{name(atom)} carries an isotope label; write the element without a mass number"
        raise RefusedStructure(smiles, gate="isotope", atom=atom.GetIdx(), reason=reason)


def sanitise(mol: Any, smiles: str) -> None:
    """Sanitise in place; RDKit's complaint (which atom, which valence) becomes the reason."""
    try:
        Chem.SanitizeMol(mol)
    except Chem.AtomValenceException as problem:
        raise _overbonded(mol, smiles, problem.cause.GetAtomIdx()) from problem
    except (Chem.KekulizeException, Chem.AtomKekulizeException) as problem:
        raise _not_aromatic(mol, smiles, problem.cause) from problem
    except ValueError as problem:
        reason = f"no valid molecule: {str(problem).splitlines()[0][:120]}"
        raise RefusedStructure(smiles, gate="valence", reason=reason) from problem
    if "[" in smiles and (atom := _first(mol, _RADICAL)) is not None:
        reason = f"{name(atom)} is a radical: give it its hydrogens, or write it without brackets"
        raise RefusedStructure(smiles, gate="radical", atom=atom.GetIdx(), reason=reason)


def neutralise(mol: Any, smiles: str) -> Any:
    """Return the molecule with the charges that gaining or losing protons made taken back."""
    if "[" in smiles:
        if _first(mol, _HYDROGEN.GetAtomWithIdx(0)) is not None:
            mol = Chem.RemoveHs(mol)
        if _first(mol, _CHARGED.GetAtomWithIdx(0)) is not None:
            mol = _UNCHARGER.uncharge(_without_ylides(mol))
    if "@" in smiles:
        for atom in mol.GetAtomsMatchingQuery(_FLIPPING.GetAtomWithIdx(0)):
            # a proton would make and unmake this centre: nitrogen inverts
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return mol


def name(atom: Any) -> str:
    """Return how messages name an atom, for instance ``atom 7 (N)``; counted from 0."""
    return f"atom {atom.GetIdx()} ({atom.GetSymbol()})"


def _first(mol: Any, query: Any) -> Any:
    """Return the first matching atom or None; the loop over atoms runs inside RDKit."""
    return next(iter(mol.GetAtomsMatchingQuery(query)), None)


def _without_ylides(mol: Any) -> Any:
    """Write sulphoxides and their like with double bonds, as everything else in the project does."""
    pairs = {centre: (centre, outer) for centre, outer in mol.GetSubstructMatches(_YLIDE)}
    if not pairs:
        return mol
    for pair in pairs.values():
        mol.GetBondBetweenAtoms(*pair).SetBondType(Chem.BondType.DOUBLE)
        for index in pair:
            mol.GetAtomWithIdx(index).SetFormalCharge(0)
    Chem.SanitizeMol(mol)
    return mol


def _overbonded(mol: Any, smiles: str, index: int) -> RefusedStructure:
    atom = mol.GetAtomWithIdx(index)
    bonds = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds()) + atom.GetNumExplicitHs()
    reason = f"{name(atom)} has {bonds:g} bonds (hydrogens counted), more than its valence allows"
    return RefusedStructure(smiles, gate="valence", atom=index, reason=reason)


def _not_aromatic(mol: Any, smiles: str, cause: Any) -> RefusedStructure:
    atoms = list(cause.GetAtomIndices()) if hasattr(cause, "GetAtomIndices") else [cause.GetAtomIdx()]
    if len(atoms) == 1:
        reason = f"{name(mol.GetAtomWithIdx(atoms[0]))} is in lower case and in no aromatic ring"
    else:
        where = ", ".join(map(str, atoms[:8]))
        reason = f"atoms {where} cannot be drawn with alternating double bonds"
        if any(mol.GetAtomWithIdx(index).GetAtomicNum() == 7 for index in atoms):
            reason += "; a pyrrole-type nitrogen is written [nH]"
    return RefusedStructure(smiles, gate="aromaticity", atom=atoms[0], reason=reason)
