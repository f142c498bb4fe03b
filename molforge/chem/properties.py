"""Exact computed properties of a structure: what everybody may know for free."""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit.Chem import Crippen, Descriptors, FilterCatalog, rdMolDescriptors

from molforge.chem import synthesis
from molforge.chem.environments import environments_of
from molforge.chem.structure import Structure


def properties(structure: Structure) -> dict[str, float]:
    """Return the computed properties, rounded.

    ``molecular_weight`` (Da), ``logp`` (Wildman and Crippen 1999), ``tpsa`` (A^2; Ertl 2000), ``hbd`` and
    ``hba`` (Lipinski donors and acceptors), ``rotatable_bonds``, ``heavy_atoms``, ``rings``, ``sa_score``
    (1 easy to 10 hard).
    """
    mol = structure.mol
    return {
        "molecular_weight": round(Descriptors.MolWt(mol), 2),
        "logp": round(Crippen.MolLogP(mol), 3),
        "tpsa": round(rdMolDescriptors.CalcTPSA(mol), 2),
        "hbd": rdMolDescriptors.CalcNumHBD(mol),
        "hba": rdMolDescriptors.CalcNumHBA(mol),
        "rotatable_bonds": rdMolDescriptors.CalcNumRotatableBonds(mol),
        "heavy_atoms": mol.GetNumHeavyAtoms(),
        "rings": mol.GetRingInfo().NumRings(),
        "sa_score": sa_score(structure),
    }


def sa_score(structure: Structure) -> float:
    """Return the synthetic accessibility (Ertl and Schuffenhauer 2009), 1 easy to 10 hard, to 1e-3."""
    return round(synthesis.accessibility(structure.mol, environments_of(structure).counts), 3)


def alerts(structure: Structure) -> tuple[str, ...]:
    """Return the names of the structural alerts of Brenk et al. (2008) that match, sorted; flags only."""
    return tuple(sorted({entry.GetDescription() for entry in _brenk().GetMatches(structure.mol)}))


_DESCRIBED = 4096
"""Structures whose properties and alerts are remembered (1 kB each): pool members come again and again."""
_described: dict[str, tuple[dict[str, float], tuple[str, ...]]] = {}


def described(structure: Structure) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return properties and alerts, remembered by SMILES; the dict is the caller's own."""
    found = _described.get(structure.smiles)
    if found is None:
        if len(_described) >= _DESCRIBED:
            _described.clear()
        found = _described[structure.smiles] = (properties(structure), alerts(structure))
    return dict(found[0]), found[1]


@cache
def _brenk() -> Any:
    wanted = FilterCatalog.FilterCatalogParams()
    wanted.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.BRENK)
    return FilterCatalog.FilterCatalog(wanted)
