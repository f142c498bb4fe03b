"""One property's landscape: its data file in memory, and how a world's draw is evaluated on it.

Units inside: *grains* of 2^-20 of the property's unit; kernel sums in grains / 65535. All of them are
integers, held in float64 only where the training proved that they stay below 2^53.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from molforge.errors import EnvironmentFault, did_you_mean
from molforge.landscapes import artefact, curves, minhash
from molforge.landscapes.catalogue import DATA, MODELS, OFF_TARGET, Kind
from molforge.landscapes.curves import GRAIN, GRAIN_BITS
from molforge.landscapes.index import SCALE, TokenIndex
from molforge.landscapes.tokens import Tokens, TokenTable

Floats = npt.NDArray[np.float64]
Thin = npt.NDArray[np.float32]
"""Integers (times a power of two) that fit the 24 bits of float32: half the memory of a session."""
Integers = npt.NDArray[np.int64]

INACTIVE: Final = 9 * GRAIN // 2
"""What a potency model says of structures unlike all its ligands: 4.5."""
EXACT_FLOAT32: Final = 2**24
"""Integers below are exact in float32, and so is every sum of them that stays below, in any order."""
EXACT_FLOAT64: Final = 2**53
_BLOCK = 256
_lock = threading.Lock()
_loaded: dict[str, PropertyModel] = {}


def nearest_grain(sums: Any) -> Any:
    """Turn kernel sums (integers or an array of them) into grains, halves upwards."""
    return (sums + SCALE // 2) // SCALE


def thousandths(grains: Any) -> Any:
    """Round grains (an integer or an array of them) to thousandths of the unit, halves upwards."""
    return (grains * 1000 + GRAIN // 2) >> GRAIN_BITS


@dataclass(frozen=True)
class Sighting:
    """One molecule on its way through several landscapes: what they share is computed once."""

    tokens: Tokens
    _rows: dict[str, Floats] = field(default_factory=dict)

    @cached_property
    def features(self) -> Thin:
        """Prior features, -1 or 1."""
        return minhash.signs(self.tokens)

    def row(self, model: PropertyModel) -> Floats:
        """Return the kernel row to a model's ligands."""
        if (row := self._rows.get(model.name)) is None:
            row = self._rows[model.name] = model.index.row(self.tokens)
        return row


class PropertyModel:
    """A Gaussian process ready to be drawn from; immutable and shared by all worlds."""

    def __init__(self, content: artefact.Artefact, shapes: curves.Curves) -> None:
        header, arrays = content.header, content.arrays
        self.digest = content.digest
        """SHA-256 of the data file."""
        self.name: str = header["name"]
        self.kind = Kind(header["kind"])
        self.unit: str = header["unit"]
        self.mean: float = header["mean"] / GRAIN
        """Prior mean in the property's unit."""
        self.columns: int = header["columns"]
        self.measured: int = header["measured"]
        """Ligands with a measurement; the kernel rows after them are decoys."""
        self.card: dict[str, Any] = header["card"]
        """Rows, hyperparameters and held-out error, as on the data card."""
        self.squash: int = header["squash"]
        """Limit of a world's deviation from the mean model, in whole units; 0: no limit."""
        self.has_linear_term = len(arrays["linear_features"]) > 0
        self._mean: int = header["mean"]
        self.prior_step: int = header["prior_step"]
        """Kernel sum that one feature times one weight is worth."""
        self.index = TokenIndex(TokenTable.unpack(arrays))
        self._alpha = arrays["alpha"].astype(np.float64)
        self._bank = arrays["bank"]
        self._step: Thin = np.ldexp(np.float32(1), arrays["shifts"].astype(np.int32))
        self._curves = shapes
        self._features = np.cumsum(arrays["linear_features"], dtype=np.uint64)
        self._slopes = arrays["linear_slopes"].astype(np.int64)

    @staticmethod
    def load(name: str) -> PropertyModel:
        """Return a shipped model, read on first use (25 ms) and kept."""
        if name not in MODELS:
            raise EnvironmentFault(f"no landscape named {name!r}{did_you_mean(name, list(MODELS))}")
        with _lock:
            if (model := _loaded.get(name)) is None:
                model = _loaded[name] = PropertyModel.read(DATA / MODELS[name].artefact)
        return model

    @staticmethod
    def read(path: Path) -> PropertyModel:
        """Read a model from a data file; its curves lie beside it."""
        return PropertyModel(artefact.read(path), curves.load(path.parent))

    def draw(self, weights: Thin) -> Thin:
        """Return a world's vector over the ligands (0.3 ms).

        The training proved that these sums stay below 2^24: float32 is exact in any order of adding.
        """
        vector = np.empty(self.index.size, np.float32)
        for start in range(0, len(vector), _BLOCK):
            block = self._bank[start : start + _BLOCK].astype(np.float32)
            vector[start : start + _BLOCK] = block @ weights
        vector *= self._step
        if np.abs(vector).sum(dtype=np.float64) * SCALE >= EXACT_FLOAT64:
            raise EnvironmentFault(f"a draw of {self.name} leaves the exact integers of float64")
        return vector

    def deviation(self, sighting: Sighting, weights: Thin, vector: Thin) -> int:
        """Return a world's deviation from the mean model before squashing, in grains."""
        prior = self.prior_step * int(sighting.features[: self.columns] @ weights)
        return int(nearest_grain(prior - int(sighting.row(self) @ vector.astype(np.float64))))

    def centre(self, sighting: Sighting) -> int:
        """Return the posterior mean in grains."""
        data = int(nearest_grain(int(sighting.row(self) @ self._alpha)))
        return self._mean + self._linear(sighting.tokens) + data

    def _linear(self, tokens: Tokens) -> int:
        if not self.has_linear_term:
            return 0
        features = tokens >> np.uint64(8)
        place = self._features.searchsorted(features)
        np.minimum(place, len(self._features) - 1, out=place)
        return int(self._slopes[place[self._features[place] == features]].sum())

    def nearest(self, sighting: Sighting) -> int:
        """Return the similarity to the nearest measured ligand, in 65535ths."""
        return int(sighting.row(self)[: self.measured].max(initial=0))

    def value(self, sighting: Sighting, weights: Thin, vector: Thin) -> int:
        """Return the hidden value in a world, in thousandths."""
        deviation = self.deviation(sighting, weights, vector)
        if self.squash:
            deviation = self._curves.squash(deviation, self.squash)
        return self._believed(self.centre(sighting) + deviation, sighting)

    def mean_value(self, sighting: Sighting) -> int:
        """Return the value under the mean model (no world's deviation), in thousandths."""
        return self._believed(self.centre(sighting), sighting)

    def _believed(self, grains: int, sighting: Sighting) -> int:
        if self.kind is Kind.POTENCY:
            weight = self._curves.applicability.at(self.nearest(sighting))
            grains = INACTIVE + ((grains - INACTIVE) * weight >> GRAIN_BITS)
        return int(thousandths(grains))

    def values(self, centres: Integers, deviations: Integers, nearest: Integers) -> Integers:
        """Return ``value`` for many molecules whose parts are already known."""
        if self.squash:
            deviations = self._curves.squash_all(deviations, self.squash)
        grains = centres + deviations
        if self.kind is Kind.POTENCY:
            weight = self._curves.applicability.over(nearest)
            grains = INACTIVE + ((grains - INACTIVE) * weight >> GRAIN_BITS)
        return np.asarray(thousandths(grains), np.int64)

    def project(self, features: Thin, rows: Floats) -> Floats:
        """Return what each weight adds to each molecule's deviation, as exact kernel sums."""
        shaped = self._bank.astype(np.float64) * self._step[:, None]
        prior = self.prior_step * features[:, : self.columns].astype(np.float64)
        return np.asarray(prior - rows @ shaped)


class OffTarget(PropertyModel):
    """A property without data: 5.5 plus a prior draw of amplitude 1, a smooth function of structure.

    It is a model with no ligands whose deviations are not squashed.
    """

    _MEAN: Final = 11 * GRAIN // 2
    _PRIOR_STEP: Final = 94_904_817
    """round(2^20 * 65535 / (32 * sqrt(512)))."""

    def __init__(self) -> None:
        header = {
            "name": OFF_TARGET,
            "kind": Kind.OFF_TARGET,
            "unit": "pKi",
            "mean": self._MEAN,
            "columns": minhash.COLUMNS,
            "measured": 0,
            "prior_step": self._PRIOR_STEP,
            "squash": 0,
            "card": {},
        }
        whole = ("lengths", "columns", "alpha", "shifts", "linear_slopes")
        arrays: dict[str, npt.NDArray[Any]] = {name: np.zeros(0, np.int64) for name in whole}
        arrays |= {name: np.zeros(0, np.uint64) for name in ("vocabulary", "linear_features")}
        arrays["bank"] = np.zeros((0, minhash.COLUMNS), np.int8)
        digest = hashlib.sha256(repr(header).encode()).hexdigest()
        super().__init__(artefact.Artefact(header, arrays, digest), curves.load())


@cache
def _off_target() -> OffTarget:
    return OffTarget()


def landscape(name: str) -> PropertyModel:
    """Return the landscape of a name: ``off_target`` or one of the catalogue's models."""
    return _off_target() if name == OFF_TARGET else PropertyModel.load(name)
