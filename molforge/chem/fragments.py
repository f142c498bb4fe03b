"""The groups, linkers and rings that blind edits put into molecules, each bonded by its first atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rdkit import Chem

_PENDANT_SMILES = (
    "C", "C", "C", "CC", "C(C)C", "C(C)(C)C", "C1CC1", "C1CCC1", "CC1CC1", "C#N", "C=O", "C#C",
    "F", "F", "Cl", "Cl", "Br", "C(F)F", "C(F)(F)F", "OC(F)(F)F", "OC(F)F", "CC(F)(F)F",
    "O", "OC", "OCC", "CO", "CCO", "COC", "OCCO", "N", "NC", "N(C)C", "CN", "CNC", "CN(C)C", "CCN(C)C",
    "C(=O)O", "CC(=O)O", "C(=O)N", "C(=O)NC", "C(=O)N(C)C", "NC(=O)C", "NC(=O)NC", "C(=O)C",
    "S(=O)(=O)C", "S(=O)(=O)N", "NS(=O)(=O)C", "C(=N)N", "SC", "OC(=O)NC",
)  # fmt: skip
_RING_SMILES = (
    "C1=CC=CC=C1", "C1=CC=C(F)C=C1", "C1=CC=CC(Cl)=C1", "C1=CC=NC=C1", "C1=CN=CC=C1", "C1=NC=CC=C1",
    "C1=NC=CC=N1", "C1=CN=CN=C1", "C1=NC=CN=C1", "C1=CC=CS1", "C1=CSC=C1", "C1=CC=CO1", "C1=NC=CS1",
    "C1=CN=CS1", "C1=CN=CO1", "C1=NC=CO1", "C1=CNN=C1", "N1N=CC=C1", "C1=NC=CN1", "N1C=NC=C1",
    "C1=NN=C(C)O1", "C1=NOC(C)=N1", "N1C=NC=N1", "C1=NN=NN1", "C1=NN=CN1C",
    "C1CCCCC1", "C1CCCC1", "C1CCC1", "C1CC1", "C1CCNCC1", "N1CCCCC1", "N1CCCC1", "C1CCCN1", "N1CCC1",
    "N1CCNCC1", "N1CCN(C)CC1", "N1CCOCC1", "C1CCOCC1", "C1CCOC1", "N1CCC(F)(F)CC1", "N1CCC(O)CC1",
    "N1CCCC1=O", "C1=CC=C2NC=CC2=C1", "C1=CC=C2N=CC=CC2=C1", "C1=NC2=CC=CC=C2N1", "C1=CC=C2OCOC2=C1",
    "C1=CC2=CC=CC=C2C=C1", "C1=NC2=CC=CC=C2S1", "C1=CN=C2NC=CC2=C1",
)  # fmt: skip
_SPACER_SMILES = (
    ("C", 0), ("C", 0), ("CC", 1), ("N", 0), ("O", 0), ("O", 0), ("S", 0), ("C(=O)", 0), ("NC(=O)", 1),
    ("C(=O)N", 2), ("CO", 1), ("OC", 1), ("CN", 1), ("NC", 1), ("S(=O)(=O)", 0), ("NS(=O)(=O)", 1),
    ("S(=O)(=O)N", 3), ("C1CN(C1)", 2), ("N1CCN(CC1)", 3), ("N1CCC(CC1)", 3), ("C1=CC=C(C=C1)", 3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spacer:
    """A linker: entered at atom 0, left at atom ``exit``."""

    mol: Any
    exit: int


def _kekule(smiles: str) -> Any:
    mol = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    return mol


PENDANTS = tuple(_kekule(smiles) for smiles in (*_PENDANT_SMILES, *_RING_SMILES))
RINGS = tuple(_kekule(smiles) for smiles in _RING_SMILES)
SPACERS = tuple(Spacer(_kekule(smiles), leave) for smiles, leave in _SPACER_SMILES)
