"""One drawing of one compound: explicit hydrogens folded in, protons given back, isotopes refused."""

from __future__ import annotations

from typing import Any

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molforge.errors import RefusedStructure

MAX_HEAVY_ATOMS = 50
MAX_READ_RINGS = 12
"""Independent rings of a structure that is read at all; what may be made is stricter."""
ELEMENTS = frozenset({1, 5, 6, 7, 8, 9, 15, 16, 17, 35, 53})
"""Atomic numbers that are read: H B C N O F P S Cl Br I."""

_UNCHARGER = rdMolStandardize.Uncharger(True, True)
"""Canonical order; forced: acids are protonated beside a quaternary nitrogen too."""


def check_atoms(mol: Any, smiles: str) -> None:
    """Refuse, before sanitising, what RDKit should not chew on or what is no plain organic molecule."""
    heavy = mol.GetNumHeavyAtoms()
    if not 1 <= heavy <= MAX_HEAVY_ATOMS:
        reason = f"{heavy} heavy atoms; 12 to {MAX_HEAVY_ATOMS} are allowed"
        raise RefusedStructure(smiles, gate="size", reason=reason)
    rings = mol.GetNumBonds() - mol.GetNumAtoms() + 1
    if rings > MAX_READ_RINGS:
        raise RefusedStructure(smiles, gate="rings", reason=f"{rings} rings; at most 7 are allowed")
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() not in ELEMENTS:
            reason = f"{name(atom)} is not allowed; elements are C N O F P S Cl Br I B"
            raise RefusedStructure(smiles, gate="element", atom=atom.GetIdx(), reason=reason)
        if atom.GetIsotope():
            reason = f"{name(atom)} carries an isotope label; write the element without a mass number"
            raise RefusedStructure(smiles, gate="isotope", atom=atom.GetIdx(), reason=reason)


def sanitise(mol: Any, smiles: str) -> None:
    """Sanitise in place; RDKit's complaint (which atom, which valence) becomes the reason."""
    try:
        Chem.SanitizeMol(mol)
    except Chem.AtomValenceException as problem:
        atom = mol.GetAtomWithIdx(problem.cause.GetAtomIdx())
        bonds = int(sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds()) + atom.GetNumExplicitHs())
        reason = f"{name(atom)} has {bonds} bonds (hydrogens counted), more than its valence allows"
        raise RefusedStructure(smiles, gate="valence", atom=atom.GetIdx(), reason=reason) from problem
    except Chem.KekulizeException as problem:
        raise _not_aromatic(mol, smiles, problem) from problem
    except ValueError as problem:
        reason = f"no valid molecule: {str(problem).splitlines()[0][:120]}"
        raise RefusedStructure(smiles, gate="valence", reason=reason) from problem
    for atom in mol.GetAtoms():
        if atom.GetNumRadicalElectrons():
            reason = f"{name(atom)} is a radical: give it its hydrogens, or write it without brackets"
            raise RefusedStructure(smiles, gate="radical", atom=atom.GetIdx(), reason=reason)


def neutralise(mol: Any) -> Any:
    """Return the molecule with the charges that gaining or losing protons made taken back."""
    if any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        mol = Chem.RemoveHs(mol)
    if any(atom.GetFormalCharge() for atom in mol.GetAtoms()):
        mol = _UNCHARGER.uncharge(mol)
    for atom in mol.GetAtoms():
        # a proton would make and unmake this centre: nitrogen inverts
        if atom.GetChiralTag() and atom.GetAtomicNum() == 7 and atom.GetDegree() < 4:
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    return mol


def name(atom: Any) -> str:
    """Return how messages name an atom, for instance ``atom 7 (N)``; counted from 0."""
    return f"atom {atom.GetIdx()} ({atom.GetSymbol()})"


def _not_aromatic(mol: Any, smiles: str, problem: Any) -> RefusedStructure:
    cause = problem.cause
    if hasattr(cause, "GetAtomIndices"):
        atoms = list(cause.GetAtomIndices())
    else:
        atoms = [cause.GetAtomIdx()] if hasattr(cause, "GetAtomIdx") else []
    nitrogens = [index for index in atoms if mol.GetAtomWithIdx(index).GetAtomicNum() == 7]
    hint = "; a pyrrole-type nitrogen is written [nH]" if nitrogens else ""
    where = f"atoms {', '.join(map(str, atoms[:8]))}" if atoms else "the lower-case atoms"
    reason = f"{where} cannot be drawn with alternating double bonds{hint}"
    return RefusedStructure(smiles, gate="aromaticity", atom=atoms[0] if atoms else None, reason=reason)
