"""Where new structures come from: random edits of what is known, and what may be made of them.

Editing and gating are free computation, but not cheap: both are done once per structure and kept,
and gates are asked only of structures that are about to be used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rdkit.Chem import rdMolDescriptors

from molforge.assays import make_price
from molforge.chem import edits, gates, properties
from molforge.chem.structure import Structure, parse
from molforge.errors import RefusedStructure

MAX_HEAVY_ATOMS = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A structure with the free figure the surrogate needs."""

    structure: Structure
    logp: float

    @property
    def identity(self) -> str:
        """Return the structure's identity."""
        return self.structure.identity


class Search:
    """Edits and crossovers around known structures; the same calls give the same structures."""

    def __init__(self, stream: Callable[..., random.Random], *, attempts: int = 40) -> None:
        self._stream = stream
        self._attempts = attempts
        self._candidates: dict[str, Candidate] = {}
        self._children: dict[str, list[Candidate]] = {}
        self._allowed: dict[str, bool] = {}
        self._sa: dict[str, float] = {}

    def read(self, smiles: str) -> Candidate:
        """Return the candidate of a SMILES that the environment registered."""
        return self._candidate(parse(smiles))

    def children(self, parent: Candidate) -> list[Candidate]:
        """Return distinct structures one random edit away, gates not asked."""
        if parent.identity not in self._children:
            rng = self._stream("children", parent.identity)
            made = (
                edits.mutate(parent.structure, rng, max_heavy_atoms=MAX_HEAVY_ATOMS)
                for _ in range(self._attempts)
            )
            self._children[parent.identity] = self._distinct(made, but=parent.identity)
        return self._children[parent.identity]

    def mutant(self, parent: Candidate, rng: random.Random) -> Candidate | None:
        """Return one random edit of ``parent`` that may be made, None if it came to nothing."""
        structure = edits.mutate(parent.structure, rng, max_heavy_atoms=MAX_HEAVY_ATOMS)
        if structure is None or structure.identity == parent.identity:
            return None
        candidate = self._candidate(structure)
        return candidate if self.is_allowed(candidate) else None

    def crossovers(
        self, parents: Sequence[Candidate], partners: Sequence[Candidate], *, attempts: int, turn: int
    ) -> list[Candidate]:
        """Return distinct recombinations of a parent with a partner, gates not asked."""
        rng = self._stream("crossover", turn)
        made = []
        for _ in range(attempts):
            a, b = rng.choice(parents), rng.choice(partners)
            if a.identity != b.identity:
                made.append(edits.crossover(a.structure, b.structure, rng, max_heavy_atoms=MAX_HEAVY_ATOMS))
        return self._distinct(made)

    def is_allowed(self, candidate: Candidate) -> bool:
        """Say whether the laboratory would make it."""
        known = self._allowed.get(candidate.identity)
        if known is None:
            try:
                gates.check(candidate.structure)
                known = True
            except RefusedStructure:
                known = False
            self._allowed[candidate.identity] = known
        return known

    def sa_score(self, candidate: Candidate) -> float:
        """Return the synthetic accessibility score, 1 (easy) to 10."""
        if candidate.identity not in self._sa:
            self._sa[candidate.identity] = properties.sa_score(candidate.structure)
        return self._sa[candidate.identity]

    def make_price(self, candidate: Candidate) -> float:
        """Return the credits that one attempt at the synthesis costs."""
        return make_price(self.sa_score(candidate))

    def _candidate(self, structure: Structure) -> Candidate:
        known = self._candidates.get(structure.identity)
        if known is None:
            known = Candidate(structure, float(rdMolDescriptors.CalcCrippenDescriptors(structure.mol)[0]))
            self._candidates[structure.identity] = known
        return known

    def _distinct(self, structures: Iterable[Structure | None], *, but: str = "") -> list[Candidate]:
        found = {s.identity: s for s in structures if s is not None and s.identity != but}
        return [self._candidate(structure) for structure in found.values()]
