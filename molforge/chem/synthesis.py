"""Synthetic accessibility from fragment contributions and complexity, 1 (easy) to 10 (hard).

Ertl and Schuffenhauer, J. Cheminform. 1:8 (2009), doi:10.1186/1758-2946-1-8, with the changes of RDKit's own
implementation (macrocycles counted once, a bonus for symmetry). The fragment contributions are the file that
RDKit's wheel carries under Contrib (BSD licence), kept as two arrays (8 MB) instead of a dictionary.
"""

from __future__ import annotations

import gzip
import math
import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import RDConfig
from rdkit.Chem import rdMolDescriptors

from molforge.errors import EnvironmentFault

_UNKNOWN_FRAGMENT = -4.0
_RAW_HARDEST, _RAW_EASIEST = -4.0, 2.5
_MACROCYCLE = 8
"""Ring size above which a ring is a macrocycle."""


@dataclass(frozen=True, slots=True)
class _Contributions:
    fragments: npt.NDArray[np.uint32]
    scores: npt.NDArray[np.float64]


def accessibility(mol: Any, counts: dict[int, int]) -> float:
    """Return the score of a molecule whose Morgan-2 counts are ``counts``."""
    atoms = mol.GetNumAtoms()
    raw = _fragment_mean(counts) - _complexity(mol, atoms)
    if atoms > len(counts):
        raw += 0.5 * math.log(atoms / len(counts))
    score = 11.0 - (raw - _RAW_HARDEST + 1.0) / (_RAW_EASIEST - _RAW_HARDEST) * 9.0
    if score > 8.0:
        score = 8.0 + math.log(score - 8.0)
    return min(10.0, max(1.0, score))


def _fragment_mean(counts: dict[int, int]) -> float:
    known = _contributions()
    fragments = np.fromiter(counts.keys(), np.uint32, len(counts))
    places = np.minimum(np.searchsorted(known.fragments, fragments), len(known.fragments) - 1)
    scores = np.where(known.fragments[places] == fragments, known.scores[places], _UNKNOWN_FRAGMENT)
    # fsum: the same bits whatever the order and the machine
    total = math.fsum(score * count for score, count in zip(scores.tolist(), counts.values(), strict=True))
    return total / sum(counts.values())


def _complexity(mol: Any, atoms: int) -> float:
    penalty: float = atoms**1.005 - atoms
    penalty += math.log10(rdMolDescriptors.CalcNumAtomStereoCenters(mol) + 1)
    penalty += math.log10(rdMolDescriptors.CalcNumSpiroAtoms(mol) + 1)
    penalty += math.log10(rdMolDescriptors.CalcNumBridgeheadAtoms(mol) + 1)
    if any(len(ring) > _MACROCYCLE for ring in mol.GetRingInfo().AtomRings()):
        penalty += math.log10(2)
    return penalty


@cache
def _contributions() -> _Contributions:
    """Read the fragment file once; 0.4 s."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "fpscores.pkl.gz"
    try:
        with gzip.open(path) as file:
            rows = pickle.load(file)
    except OSError as problem:
        raise EnvironmentFault(f"RDKit's fragment contributions are missing: {path}") from problem
    fragments = np.array([fragment for row in rows for fragment in row[1:]], np.uint32)
    scores = np.repeat([float(row[0]) for row in rows], [len(row) - 1 for row in rows])
    order = np.argsort(fragments, kind="stable")
    return _Contributions(fragments[order], scores[order])
