"""Exact computed properties of a structure: what everybody may know for free."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from rdkit.Chem import Crippen, Descriptors, FilterCatalog, rdMolDescriptors

from molforge.chem import synthesis
from molforge.chem.environments import environments_of
from molforge.chem.structure import Structure

Description = tuple[Mapping[str, float], tuple[str, ...]]
"""Properties of a structure and the names of its alerts."""
_PLAIN_AMINE = "NX3;!$(N-[#6,#16]=[#7,#8,#16])"
DOUBTS: Mapping[str, str] = MappingProxyType(
    {
        "open_chain_acetal": "[OX2,SX2;!$([#8]-C=O)]-!@[CX4;H1,H2]-!@[OX2,SX2;!$([#8]-C=O)]",
        "acyloxymethyl_amine_or_ether": "[#7,#8,#16]-!@[CX4H2]-!@[OX2]-C=O",
        "cyclic_aminal": f"[{_PLAIN_AMINE};R]-@[CX4;H1,H2]-@[{_PLAIN_AMINE};R]",
        "allylic_or_benzylic_fluoride": "[F]-[CX4H2]-[c,$(C=C)]",
        "acyl_ketal": "[CX3](=O)-[CX4](-[OX2])-[OX2]",
    }
)
"""Own alerts, name to SMARTS: what passes the gates and a chemist would still ask about (acid, esterases)."""


def properties(structure: Structure) -> dict[str, float]:
    """Return the computed properties, rounded.

    ``molecular_weight`` (Da), ``logp`` (Wildman and Crippen 1999), ``tpsa`` (A^2; Ertl 2000), ``hbd`` and
    ``hba`` (Lipinski donors and acceptors), ``rotatable_bonds``, ``heavy_atoms``, ``rings``, ``sa_score``
    (1 easy to 10 hard).
    """
    mol = structure.mol
    return {
        "molecular_weight": round(Descriptors.MolWt(mol), 2),
        "logp": round(logp(structure), 3),
        "tpsa": round(rdMolDescriptors.CalcTPSA(mol), 2),
        "hbd": rdMolDescriptors.CalcNumHBD(mol),
        "hba": rdMolDescriptors.CalcNumHBA(mol),
        "rotatable_bonds": rdMolDescriptors.CalcNumRotatableBonds(mol),
        "heavy_atoms": mol.GetNumHeavyAtoms(),
        "rings": mol.GetRingInfo().NumRings(),
        "sa_score": sa_score(structure),
    }


def logp(structure: Structure) -> float:
    """Return the octanol-water log P of Wildman and Crippen (1999)."""
    return structure.once("logp", lambda whole: float(Crippen.MolLogP(whole.mol)))


def accessibility(structure: Structure) -> float:
    """Return the synthetic accessibility (Ertl and Schuffenhauer 2009), 1 easy to 10 hard."""
    return structure.once(
        "accessibility", lambda whole: synthesis.accessibility(whole.mol, environments_of(whole).counts)
    )


def sa_score(structure: Structure) -> float:
    """Return the synthetic accessibility to 1e-3."""
    return round(accessibility(structure), 3)


def alerts(structure: Structure) -> tuple[str, ...]:
    """Return the names of the alerts that match, sorted: Brenk et al. (2008) and ``DOUBTS``; flags only."""
    return tuple(sorted({entry.GetDescription() for entry in _alerts().GetMatches(structure.mol)}))


_DESCRIBED = 4096
"""Structures whose properties and alerts are remembered (1 kB each): pool members come again and again."""
_described: dict[str, Description] = {}


def described(structure: Structure) -> Description:
    """Return properties and alerts, remembered by SMILES."""
    found: Description | None = structure.memo.get("described") or _described.get(structure.smiles)
    if found is None:
        if len(_described) >= _DESCRIBED:
            _described.clear()
        found = MappingProxyType(properties(structure)), alerts(structure)
        _described[structure.smiles] = found
    return found


@cache
def _alerts() -> Any:
    wanted = FilterCatalog.FilterCatalogParams()
    wanted.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.BRENK)
    catalogue = FilterCatalog.FilterCatalog(wanted)
    for name, smarts in DOUBTS.items():
        matcher = FilterCatalog.SmartsMatcher(name, smarts)
        catalogue.AddEntry(FilterCatalog.FilterCatalogEntry(name, matcher))
    return catalogue
