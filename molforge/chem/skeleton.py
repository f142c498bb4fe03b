"""The drawing-independent graph of a compound: what tokens and identity are made of.

Protons wander between heteroatoms, double bonds between resonance forms and tautomers: so the skeleton keeps
elements, connections, rings, hydrogens on carbon and tetrahedral centres, and forgets charges, bond
orders, hydrogens on heteroatoms and double-bond geometry. Every drawing of a compound gives the same bits.

It is made by rewriting a SMILES string with explicit hydrogens (``c1[nH]ccc1`` becomes ``[CH]1[N][CH]...``)
and reading it back unsanitised: a third of the time that the same takes atom by atom from Python.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

MAX_COPIES = 64
"""Copies of one feature that are counted."""

Tokens = npt.NDArray[np.uint64]

_PLAIN = rdFingerprintGenerator.GetMorganGenerator(radius=2, useBondTypes=False)
_CHIRAL = rdFingerprintGenerator.GetMorganGenerator(radius=2, useBondTypes=False, includeChirality=True)
# atom invariants are RDKit's own (element, connections with hydrogens, hydrogens, ring); the skeleton has
# hydrogens on carbon only, no charges and no isotopes, so that they say exactly what is wanted

_READ = Chem.SmilesParserParams()
_READ.sanitize = False
_READ.removeHs = False
_WRITE = Chem.SmilesWriteParams()
_WRITE.canonical = False
_WRITE.allHsExplicit = True

_BRACKET = re.compile(r"\[[^\]]*\]")
_ATOM = re.compile(r"\[([A-Z][a-z]?|[a-z])(@*)(H\d?)?([+-]\d*)?\]")
_NO_BONDS = str.maketrans("", "", "-=#:/\\")
_rewritten: dict[str, str] = {}


class Skeleton(NamedTuple):
    """What a program needs of a skeleton."""

    identity: str
    """16 hex digits: equal for two drawings of one compound."""
    tokens: Tokens
    """Sorted ``feature << 8 | copy`` of the Morgan-2 environments; read-only."""


def skeleton(mol: Any) -> Skeleton:
    """Return identity and tokens of a sanitised molecule without isotopes and explicit hydrogens."""
    text = _BRACKET.sub(_rewrite, Chem.MolToSmiles(mol, _WRITE)).translate(_NO_BONDS)
    graph = Chem.MolFromSmiles(text, _READ)
    graph.UpdatePropertyCache(False)
    Chem.FastFindRings(graph)
    chiral = "@" in text
    if chiral:
        Chem.AssignStereochemistry(graph, cleanIt=True, force=True)
    fingerprint = (_CHIRAL if chiral else _PLAIN).GetSparseCountFingerprint(graph)
    return Skeleton(_identity(mol, graph, chiral=chiral), _tokens(fingerprint.GetNonzeroElements()))


def _rewrite(match: re.Match[str]) -> str:
    text = match.group()
    if text not in _rewritten:
        _rewritten[text] = _bare(text)
    return _rewritten[text]


def _bare(text: str) -> str:
    """Strip one bracket atom of charge, aromaticity and, unless it is carbon, hydrogens."""
    match = _ATOM.fullmatch(text)
    if match is None:
        raise ValueError(f"unexpected atom {text} in a SMILES string of our own")
    element, chirality, hydrogens, _ = match.groups(default="")
    element = element.capitalize()
    if element == "C":
        return f"[C{chirality}{hydrogens}]"
    # three singly bonded neighbours make a centre of arsenic but not of sulphur: sulphoxides keep theirs
    return f"[{'As' if element == 'S' else element}{'' if hydrogens else chirality}]"


def _identity(mol: Any, graph: Any, *, chiral: bool) -> str:
    charge = Chem.GetFormalCharge(mol)
    hydrogens = mol.GetNumAtoms(onlyExplicit=False) - mol.GetNumAtoms()
    text = f"{Chem.MolToSmiles(graph, isomericSmiles=chiral)} {hydrogens - charge}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _tokens(counts: dict[int, int]) -> Tokens:
    features = np.fromiter(counts.keys(), np.uint64, len(counts))
    copies = np.minimum(np.fromiter(counts.values(), np.int64, len(counts)), MAX_COPIES)
    first = np.cumsum(copies) - copies
    number = np.arange(int(copies.sum())) - np.repeat(first, copies)
    tokens: Tokens = (np.repeat(features, copies) << np.uint64(8)) | number.astype(np.uint64)
    tokens.sort()
    tokens.flags.writeable = False
    return tokens
