"""MinMax similarity of many structures at once.

Structures carry sorted tokens, one per copy of a substructure, so that the MinMax (count-Jaccard)
similarity of two of them is the plain Jaccard index of two sets (Ralaivola et al., Neural Networks
18, 1093, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from molforge.policies.objectives import Floats

Tokens = npt.NDArray[np.uint64]


class Reference:
    """A fixed list of structures to compare others with."""

    def __init__(self, tokens: Sequence[Tokens]) -> None:
        self._sizes = np.array([len(t) for t in tokens], dtype=np.float32)
        flat = np.concatenate(tokens) if tokens else np.zeros(0, np.uint64)
        self._vocabulary, columns = np.unique(flat, return_inverse=True)
        # one row more than there are tokens: all zero, for tokens that are not in the vocabulary
        self._holds = np.zeros((len(self._vocabulary) + 1, len(tokens)), dtype=np.float32)
        self._holds[columns, np.repeat(np.arange(len(tokens)), [len(t) for t in tokens])] = 1.0

    def similarity(self, tokens: Sequence[Tokens]) -> Floats:
        """Return the similarities in [0, 1], one row per structure of ``tokens``."""
        if not tokens or not len(self._vocabulary):
            return np.zeros((len(tokens), len(self._sizes)))
        flat = np.concatenate(tokens)
        rows = np.minimum(np.searchsorted(self._vocabulary, flat), len(self._vocabulary) - 1)
        rows[self._vocabulary[rows] != flat] = len(self._vocabulary)
        sizes = np.array([len(t) for t in tokens])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        shared = np.add.reduceat(self._holds[rows], starts, axis=0)
        union = sizes[:, None].astype(np.float32) + self._sizes[None, :] - shared
        similarity: Floats = (shared / union).astype(np.float64)
        return similarity
