"""Which structures deserve the next syntheses: candidates around the best, ranked per credit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from molforge.assays import failure_probability
from molforge.policies.forecasting import Outlook
from molforge.policies.kernel import Reference
from molforge.policies.objectives import Floats
from molforge.policies.search import Candidate, Search

EXPECTED_WEIGHT = 0.02
MARGIN_WEIGHT = 1e-3
TOO_SIMILAR = 0.85
"""Two structures of one batch are not closer than this: they would tell the same."""
PRICED = 24
"""Candidates, best first, whose synthesis is priced."""


@dataclass(frozen=True, slots=True)
class Breadth:
    """How widely to look."""

    parents: int = 4
    partners: int = 8
    crossovers: int = 32
    generations: int = 3
    expanded: int = 2
    """Candidates expanded in each generation."""
    kept: int = 400
    """Candidates carried over to the next round."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A structure worth making."""

    candidate: Candidate
    improvement: float
    """Expected improvement of the best expected desirability."""
    price: float
    """Credits of one attempt at the synthesis."""


class Proposer:
    """Keeps the candidates of earlier rounds and ranks them with the new ones."""

    def __init__(self, search: Search, breadth: Breadth) -> None:
        self._search = search
        self._breadth = breadth
        self._pool: dict[str, Candidate] = {}

    def propose(
        self,
        outlook: Outlook,
        ranked: Sequence[Candidate],
        *,
        taken: set[str],
        incumbent: float,
        quantiles: dict[str, Floats],
        reading_price: float,
        count: int,
        turn: int,
    ) -> list[Proposal]:
        """Return up to ``count`` structures that may be made, the most promising first.

        ``ranked`` are the measured structures, best first; ``taken`` the identities not to propose.
        """
        appraisal = _Appraisal(self._search, outlook, incumbent, quantiles, reading_price)
        breadth = self._breadth
        parents = ranked[: breadth.parents]
        pool = dict(self._pool)
        for parent in parents:
            _add(pool, self._search.children(parent), taken)
        crossed = self._search.crossovers(
            parents, ranked[: breadth.partners], attempts=breadth.crossovers, turn=turn
        )
        _add(pool, crossed, taken)
        self._pool = {identity: c for identity, c in pool.items() if identity not in taken}
        expanded: set[str] = set()
        for _ in range(breadth.generations):
            best = (c for c in appraisal.order(self._pool.values()) if c.identity not in expanded)
            for candidate in self._first_allowed(best, breadth.expanded):
                expanded.add(candidate.identity)
                _add(self._pool, self._search.children(candidate), taken)
        order = appraisal.order(self._pool.values())
        self._pool = {candidate.identity: candidate for candidate in order[: breadth.kept]}
        return [appraisal.proposal(candidate) for candidate in self._batch(order, count)]

    def _first_allowed(self, candidates: Iterable[Candidate], count: int) -> list[Candidate]:
        allowed: list[Candidate] = []
        for candidate in candidates:
            if len(allowed) == count:
                break
            if self._search.is_allowed(candidate):
                allowed.append(candidate)
            else:
                self._pool.pop(candidate.identity, None)
        return allowed

    def _batch(self, order: Sequence[Candidate], count: int) -> list[Candidate]:
        chosen: list[Candidate] = []
        for candidate in order:
            if len(chosen) == count:
                break
            tokens = [candidate.tokens]
            others = Reference([other.tokens for other in chosen])
            if chosen and float(others.similarity(tokens).max()) >= TOO_SIMILAR:
                continue
            if self._search.is_allowed(candidate):
                chosen.append(candidate)
        return chosen


def _add(pool: dict[str, Candidate], candidates: Sequence[Candidate], taken: set[str]) -> None:
    for candidate in candidates:
        if candidate.identity not in taken:
            pool.setdefault(candidate.identity, candidate)


class _Appraisal:
    """What candidates are worth under one outlook; each is appraised once."""

    def __init__(
        self,
        search: Search,
        outlook: Outlook,
        incumbent: float,
        quantiles: dict[str, Floats],
        reading_price: float,
    ) -> None:
        self._search = search
        self._outlook = outlook
        self._incumbent = incumbent
        self._quantiles = quantiles
        self._reading_price = reading_price
        self._values: dict[str, float] = {}
        self._improvements: dict[str, float] = {}
        self._per_credit: dict[str, float] = {}

    def order(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return candidates by value, the best of them by value per credit."""
        pool = list(candidates)
        self._appraise([candidate for candidate in pool if candidate.identity not in self._values])
        pool.sort(key=lambda candidate: -self._values[candidate.identity])
        pool[:PRICED] = sorted(pool[:PRICED], key=self._cost_key)
        return pool

    def _rate(self, candidate: Candidate) -> float:
        """Return successful syntheses, wholly read, per credit."""
        price = self._search.make_price(candidate) + self._reading_price
        return (1.0 - failure_probability(self._search.sa_score(candidate))) / price

    def proposal(self, candidate: Candidate) -> Proposal:
        """Return a candidate with its improvement and price."""
        improvement = self._improvements[candidate.identity]
        return Proposal(candidate, improvement, self._search.make_price(candidate))

    def _appraise(self, fresh: list[Candidate]) -> None:
        if not fresh:
            return
        worth = self._outlook.worth(fresh, self._quantiles)
        gains = worth.improvement(self._incumbent)
        margins = np.clip(worth.margins, -20.0, 2.0)
        values = gains + EXPECTED_WEIGHT * worth.expected + MARGIN_WEIGHT * margins
        for candidate, value, gain in zip(fresh, values.tolist(), gains.tolist(), strict=True):
            self._values[candidate.identity] = value
            self._improvements[candidate.identity] = gain

    def _cost_key(self, candidate: Candidate) -> float:
        known = self._per_credit.get(candidate.identity)
        if known is None:
            value = self._values[candidate.identity]
            known = -(value * self._rate(candidate) if value > 0 else value)
            self._per_credit[candidate.identity] = known
        return known
