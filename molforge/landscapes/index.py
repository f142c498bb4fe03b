"""Kernel rows: the MinMax similarity of one molecule to every ligand of a model, as exact integers.

Tokens that many ligands share live in dense rows of bytes that are gathered and added; rare ones in
lists of the ligands that have them. About 40 us for 2,700 ligands.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from molforge.landscapes.tokens import Tokens, TokenTable

SCALE = 65535
"""Similarity 1 as an integer. Not 65536: a kernel row must fit 16 bits for identical molecules too."""

_DENSE_FROM = 20
"""Ligands that must share a token before it gets a dense row."""
_BYTE = 255


class TokenIndex:
    """Ligands searchable by token; immutable."""

    def __init__(self, table: TokenTable) -> None:
        self.size = len(table)
        self._vocabulary = table.vocabulary
        self._totals = table.lengths.astype(np.float32)
        ligand = np.repeat(np.arange(self.size), table.lengths)
        sharing = np.bincount(table.columns, minlength=len(table.vocabulary))
        dense = sharing >= _DENSE_FROM
        self._dense_row = np.where(dense, np.cumsum(dense) - 1, -1)
        self._dense = np.zeros((int(dense.sum()), self.size), np.uint8)
        is_dense = dense[table.columns]
        self._dense[self._dense_row[table.columns[is_dense]], ligand[is_dense]] = 1
        rare = table.columns[~is_dense]
        self._postings = ligand[~is_dense][np.argsort(rare, kind="stable")]
        counts = np.bincount(rare, minlength=len(table.vocabulary))
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts

    def shared(self, tokens: Tokens) -> npt.NDArray[np.float32]:
        """Return how many tokens each ligand shares with a molecule."""
        if not self.size:
            return np.zeros(0, np.float32)
        place = self._vocabulary.searchsorted(tokens)
        np.minimum(place, len(self._vocabulary) - 1, out=place)
        place = place[self._vocabulary[place] == tokens]
        rows = self._dense_row[place]
        width = np.uint8 if len(tokens) <= _BYTE else np.uint16
        dense = self._dense.take(rows[rows >= 0], 0)
        found: npt.NDArray[np.float32] = np.add.reduce(dense, 0, dtype=width).astype(np.float32)
        rare = place[rows < 0]
        if len(rare):
            starts, ends = self._starts[rare].tolist(), self._ends[rare].tolist()
            lists = [self._postings[a:b] for a, b in zip(starts, ends, strict=True)]
            found += np.bincount(np.concatenate(lists), minlength=self.size)
        return found

    def row(self, tokens: Tokens) -> npt.NDArray[np.float64]:
        """Return round(65535 * similarity) to every ligand, integers held in float64.

        Elementwise IEEE arithmetic on small integers: the same bits on every machine.
        """
        found = self.shared(tokens)
        union = self._totals + np.float32(len(tokens))
        union -= found
        found *= np.float32(SCALE)
        found /= union
        found += np.float32(0.5)
        return np.floor(found, out=found).astype(np.float64)

    def similarities(self, tokens: Tokens) -> npt.NDArray[np.float64]:
        """Return the unrounded similarities, for training."""
        found = self.shared(tokens).astype(np.float64)
        return found / (self._totals + len(tokens) - found)
