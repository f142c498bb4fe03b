"""Random features of the prior: signs of MinHashes, whose correlation is the MinMax similarity.

Broder (1997): two sets share a minimum of a random hash with the probability of their Jaccard
similarity. The sign is the lowest bit of the minimum. One fixed table of hashes serves every model,
every world and the training: hidden values depend on it, so it never changes.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache

import numpy as np
import numpy.typing as npt

from molforge.landscapes.tokens import Tokens

COLUMNS = 512
"""Features in the table; a model with fewer columns uses the first ones."""
WEIGHT_SCALE = 32
"""Standard deviation of the integer weights."""
WEIGHT_LIMIT = 192
"""No weight is larger than this."""

_ROWS = 16384
_SEED = 77
_lock = threading.Lock()


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64-bit integers (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def hash_table(seed: int = _SEED) -> npt.NDArray[np.uint16]:
    """Make the table of 16-bit hashes, token row by feature (17 MB, 0.1 s)."""
    table = np.empty((_ROWS, COLUMNS), np.uint16)
    step = 1024
    for start in range(0, _ROWS, step):
        cells = np.arange(start * COLUMNS, (start + step) * COLUMNS, dtype=np.uint64)
        scrambled = _mix(_mix(cells + np.uint64(seed)))
        table[start : start + step] = (scrambled >> np.uint64(40)).astype(np.uint16).reshape(step, COLUMNS)
    return table


@cache
def _shared_table() -> npt.NDArray[np.uint16]:
    return hash_table()


def minima(tokens: Tokens, table: npt.NDArray[np.uint16] | None = None) -> npt.NDArray[np.uint16]:
    """Return the MinHash signature of a molecule."""
    if table is None:
        with _lock:
            table = _shared_table()
    rows = (_mix(tokens) >> np.uint64(17)).astype(np.int64) & (_ROWS - 1)
    return np.asarray(table.take(rows, 0).min(0))


def signs(tokens: Tokens) -> npt.NDArray[np.float32]:
    """Return the molecule's features, each -1 or 1."""
    return np.asarray(1.0 - 2.0 * (minima(tokens) & 1), np.float32)


def weights(key: bytes, role: str, model: str, columns: int) -> npt.NDArray[np.float32]:
    """Draw one weight per feature from a key: integers, close to normal, standard deviation 32.

    Each is a sum of twelve bytes of SHAKE-256, so that no library's random numbers or logarithms
    take part.
    """
    parts = (key, role.encode(), model.encode())
    message = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    stream = hashlib.shake_256(message).digest(12 * columns)
    sums = np.frombuffer(stream, np.uint8).reshape(columns, 12).sum(1, dtype=np.int64)
    return np.asarray((sums - 12 * 255 // 2 + 4) >> 3, np.float32)
