"""Fingerprint tokens of many molecules in one block, delta-coded for the data files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from molforge.errors import EnvironmentFault

Tokens = npt.NDArray[np.uint64]
"""Sorted, distinct ``feature << 8 | copy`` of one molecule: counts as a set, so that the MinMax
similarity of counts is the Jaccard similarity of tokens."""

_MAX_VOCABULARY = 1 << 16
_MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Token sets of a list of molecules, as positions in one sorted vocabulary."""

    vocabulary: Tokens
    columns: npt.NDArray[np.int64]
    """Positions in the vocabulary, molecule after molecule, ascending within each."""
    lengths: npt.NDArray[np.int64]
    """Tokens of each molecule."""

    @staticmethod
    def of(molecules: Sequence[Tokens]) -> TokenTable:
        """Index the token sets of ``molecules``."""
        joined = np.concatenate(molecules)
        vocabulary, columns = np.unique(joined, return_inverse=True)
        lengths = np.array([len(tokens) for tokens in molecules], np.int64)
        return TokenTable(vocabulary, columns.astype(np.int64), lengths)

    @staticmethod
    def unpack(arrays: Mapping[str, npt.NDArray[Any]]) -> TokenTable:
        """Restore a table from the arrays that ``pack`` made."""
        lengths = arrays["lengths"].astype(np.int64)
        running = np.cumsum(arrays["columns"].astype(np.int64))
        starts = np.cumsum(lengths) - lengths
        before = np.concatenate(([0], running))[starts]
        vocabulary = np.cumsum(arrays["vocabulary"], dtype=np.uint64)
        return TokenTable(vocabulary, running - np.repeat(before, lengths), lengths)

    def pack(self) -> dict[str, npt.NDArray[Any]]:
        """Return small arrays for a data file; raise ``EnvironmentFault`` where they would overflow."""
        if len(self.vocabulary) > _MAX_VOCABULARY or int(self.lengths.max()) > _MAX_LENGTH:
            raise EnvironmentFault("token table too large for its file format")
        starts = np.cumsum(self.lengths) - self.lengths
        steps = np.diff(self.columns, prepend=0)
        steps[starts] = self.columns[starts]
        return {
            "vocabulary": np.diff(self.vocabulary, prepend=np.uint64(0)),
            "columns": steps.astype(np.uint16),
            "lengths": self.lengths.astype(np.uint8),
        }

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[Tokens]:
        ends = np.cumsum(self.lengths).tolist()
        start = 0
        for end in ends:
            yield self.vocabulary[self.columns[start:end]]
            start = end
