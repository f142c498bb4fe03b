"""Where new structures come from: random edits of what is known, and what may be made of them.

Editing and gating are free computation, but not cheap: both are done once per structure and kept,
and gates are asked only of structures that are about to be used.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from molforge.assays import make_price
from molforge.chem import edits, gates, properties
from molforge.chem.series import Series
from molforge.chem.structure import Structure, parse
from molforge.errors import RefusedStructure
from molforge.policies.kernel import Tokens

MAX_HEAVY_ATOMS = 50
HARDEST = 10.0
"""Synthetic accessibility score of what cannot be read at all."""
LOGP_OF_HYDROGEN = 0.123
"""Of a hydrogen on carbon (Wildman and Crippen, J. Chem. Inf. Comput. Sci. 39, 868, 1999)."""

_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2, useBondTypes=False)


class Candidate:
    """A structure in the search: what forecasts need at once, its drawing when it is asked for."""

    def __init__(self, mol: Any, drawing: Structure | None = None) -> None:
        """``mol`` is a sanitised RDKit molecule."""
        self._mol = mol
        self._drawing = drawing
        self.tokens = fingerprint(mol)
        self.identity = hashlib.blake2b(self.tokens.tobytes(), digest_size=8).hexdigest()
        """What tells candidates apart: two with the same tokens promise the same."""

    @cached_property
    def logp(self) -> float:
        """Crippen's logP, hydrogens counted alike whatever carries them: half the time of the whole."""
        mol = self._mol if self._drawing is None else self._drawing.mol
        hydrogens = mol.GetNumAtoms(onlyExplicit=False) - mol.GetNumAtoms()
        heavy, _ = rdMolDescriptors.CalcCrippenDescriptors(mol, False)
        return float(heavy + LOGP_OF_HYDROGEN * hydrogens)

    @property
    def structure(self) -> Structure:
        """The compound; raises ``RefusedStructure`` where it is none that can be read."""
        if self._drawing is None:
            self._drawing = parse(Chem.MolToSmiles(self._mol))
            self._mol = None
        return self._drawing


def fingerprint(mol: Any) -> Tokens:
    """Return sorted tokens of the Morgan-2 environments, one per copy; bond orders do not count."""
    counts = _MORGAN.GetSparseCountFingerprint(mol).GetNonzeroElements()
    tokens = [feature << 8 | copy for feature, count in counts.items() for copy in range(min(count, 255))]
    tokens.sort()
    return np.array(tokens, dtype=np.uint64)


class Search:
    """Edits and crossovers around known structures; the same calls give the same structures."""

    def __init__(
        self,
        stream: Callable[..., random.Random],
        *,
        attempts: int = 24,
        claimed_lead: str | None = None,
    ) -> None:
        """``claimed_lead`` is the SMILES of a compound whose series is not to be looked for."""
        self._stream = stream
        self._claim = None if claimed_lead is None else Series(parse(claimed_lead))
        self._attempts = attempts
        self._known: dict[str, Candidate] = {}
        self._children: dict[str, list[Candidate]] = {}
        self._allowed: dict[str, bool] = {}
        self._sa: dict[str, float] = {}

    def read(self, smiles: str) -> Candidate:
        """Return the candidate of a SMILES that the environment registered."""
        if smiles not in self._known:
            structure = parse(smiles)
            self._known[smiles] = Candidate(structure.mol, structure)
        return self._known[smiles]

    def children(self, parent: Candidate) -> list[Candidate]:
        """Return distinct structures one random edit away, gates not asked."""
        if parent.identity not in self._children:
            rng = self._stream("children", parent.structure.identity)
            made = (self.edited(parent, rng) for _ in range(self._attempts))
            self._children[parent.identity] = _distinct(made)
        return self._children[parent.identity]

    def mutant(self, parent: Candidate, rng: random.Random) -> Candidate | None:
        """Return one random edit of ``parent`` that may be made, None if it came to nothing."""
        candidate = self.edited(parent, rng)
        return candidate if candidate is not None and self.is_allowed(candidate) else None

    @staticmethod
    def edited(parent: Candidate, rng: random.Random) -> Candidate | None:
        """Return one random edit of ``parent``, gates not asked; None if it came to nothing."""
        return _first_new(
            edits.mutations(parent.structure, rng, max_heavy_atoms=MAX_HEAVY_ATOMS), but=(parent,)
        )

    def crossovers(
        self, parents: Sequence[Candidate], partners: Sequence[Candidate], *, attempts: int, turn: int
    ) -> list[Candidate]:
        """Return distinct recombinations of a parent with a partner, gates not asked."""
        rng = self._stream("crossover", turn)
        made = []
        for _ in range(attempts):
            a, b = rng.choice(parents), rng.choice(partners)
            if a.identity != b.identity:
                crossed = edits.recombinations(a.structure, b.structure, rng, max_heavy_atoms=MAX_HEAVY_ATOMS)
                made.append(_first_new(crossed, but=(a, b)))
        return _distinct(made)

    def is_allowed(self, candidate: Candidate) -> bool:
        """Say whether the laboratory would make it, and nobody else owns it."""
        known = self._allowed.get(candidate.identity)
        if known is None:
            try:
                known = self._claim is None or not self._claim.covers(candidate.structure)
                if known:
                    gates.check(candidate.structure)
            except RefusedStructure:
                known = False
            self._allowed[candidate.identity] = known
        return known

    def sa_score(self, candidate: Candidate) -> float:
        """Return the synthetic accessibility score, 1 (easy) to 10."""
        if candidate.identity not in self._sa:
            try:
                self._sa[candidate.identity] = properties.sa_score(candidate.structure)
            except RefusedStructure:
                self._sa[candidate.identity] = HARDEST
        return self._sa[candidate.identity]

    def make_price(self, candidate: Candidate) -> float:
        """Return the credits that one attempt at the synthesis costs."""
        return make_price(self.sa_score(candidate))


def _first_new(mols: Iterable[Any], *, but: Sequence[Candidate]) -> Candidate | None:
    """Return the first of some molecules that is none of ``but``."""
    for mol in mols:
        candidate = Candidate(mol)
        if all(candidate.identity != other.identity for other in but):
            return candidate
    return None


def _distinct(candidates: Iterable[Candidate | None]) -> list[Candidate]:
    return list({c.identity: c for c in candidates if c is not None}.values())
