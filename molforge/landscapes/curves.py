"""tanh and the applicability weight as integer tables: no library's ``exp`` takes part in a value.

Numbers are fixed-point, ``GRAIN`` to one. The tables are a data file, computed in decimal arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from molforge.landscapes import artefact
from molforge.landscapes.catalogue import DATA

GRAIN_BITS = 20
GRAIN = 1 << GRAIN_BITS
"""Fixed-point one."""
FILE = "curves.mfl"

_TANH_STEP_BITS = 10
_TANH_LAST = 8
_NEAR_STEP_BITS = 4
_NEAR_MIDDLE = Decimal("0.45")
"""Nearest-neighbour similarity at which a potency model is half believed."""
_NEAR_WIDTH = Decimal("0.03")


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of non-negative integers, tabulated every ``2**step_bits``, linear in between."""

    table: npt.NDArray[np.int64]
    step_bits: int

    def at(self, x: int) -> int:
        """Return the value at ``x``, constant beyond the end of the table."""
        place = x >> self.step_bits
        if place >= len(self.table) - 1:
            return int(self.table[-1])
        low, high = self.table[place : place + 2].tolist()
        return int(low + ((high - low) * (x & ((1 << self.step_bits) - 1)) >> self.step_bits))

    def over(self, x: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the same for an array."""
        last = (len(self.table) - 1) << self.step_bits
        inside = np.minimum(x, last - 1)
        place = inside >> self.step_bits
        low, high = self.table[place], self.table[place + 1]
        between = (high - low) * (inside & ((1 << self.step_bits) - 1)) >> self.step_bits
        return np.asarray(np.where(x >= last, self.table[-1], low + between), np.int64)


@dataclass(frozen=True, slots=True)
class Curves:
    """Both curves of the landscapes."""

    tanh: Curve
    """Of a fixed-point number."""
    applicability: Curve
    """Weight of a potency model at a nearest-neighbour similarity given in 65535ths."""

    def squash(self, deviation: int, limit: int) -> int:
        """Return ``limit * tanh(deviation / limit)`` in grains; ``limit`` is a whole number."""
        bent = limit * self.tanh.at(abs(deviation) // limit)
        return bent if deviation >= 0 else -bent

    def squash_all(self, deviation: npt.NDArray[np.int64], limit: int) -> npt.NDArray[np.int64]:
        """Return the same for an array."""
        bent = limit * self.tanh.over(np.abs(deviation) // limit)
        return np.asarray(np.where(deviation < 0, -bent, bent), np.int64)


def make(folder: Path) -> None:
    """Compute both tables and write them into ``folder``."""
    with localcontext() as context:
        context.prec = 30
        steps = range((_TANH_LAST << GRAIN_BITS - _TANH_STEP_BITS) + 1)
        tanh = [_tanh(Decimal(i << _TANH_STEP_BITS) / GRAIN) for i in steps]
        places = range((1 << 16 - _NEAR_STEP_BITS) + 1)
        nearness = [(Decimal(i << _NEAR_STEP_BITS) / 65535 - _NEAR_MIDDLE) / _NEAR_WIDTH for i in places]
        weight = [1 / (1 + (-x).exp()) for x in nearness]
        arrays = {
            "tanh": np.array([int((GRAIN * x).to_integral_value()) for x in tanh], np.int32),
            "applicability": np.array([int((GRAIN * x).to_integral_value()) for x in weight], np.int32),
        }
    artefact.write(folder / FILE, {"format": "curves"}, arrays)


def _tanh(x: Decimal) -> Decimal:
    grown = (2 * x).exp()
    return (grown - 1) / (grown + 1)


@cache
def load(folder: Path = DATA) -> Curves:
    """Return the curves of a data folder."""
    arrays = artefact.read(folder / FILE).arrays
    return Curves(
        Curve(arrays["tanh"].astype(np.int64), _TANH_STEP_BITS),
        Curve(arrays["applicability"].astype(np.int64), _NEAR_STEP_BITS),
    )
