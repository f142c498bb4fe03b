"""One property's tables become one data file, measured on compounds it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molforge.landscapes import artefact, minhash
from molforge.landscapes.catalogue import MODELS, Kind
from molforge.landscapes.curves import GRAIN
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import PropertyModel, Sighting
from molforge.landscapes.tokens import Tokens
from molforge.landscapes.training.calibrate import folds, widening
from molforge.landscapes.training.fit import NORMAL_90, Evidence, Fit, fit, predictive_variance
from molforge.landscapes.training.quantise import check_bounds, columns
from molforge.landscapes.training.sources import SOURCES, Measurements

INACTIVE = 4.5
_ANTI_COLUMNS = 256
_SQUASH = {Kind.POTENCY: 2, Kind.ANTITARGET: 2, Kind.ADMET: 1}
_LINEAR = ("logd",)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How a model does on the test part, in the property's unit."""

    compounds: int
    rmse: float
    spearman: float
    coverage: float
    """Share of the central 90 % intervals that hold the measured value."""
    widening: float
    """Factor by which cross-validation widened the noise of those intervals; 1 where it did not."""


def build(
    name: str, data: Measurements, inactives: Sequence[Tokens], folder: Path
) -> tuple[PropertyModel, HeldOut]:
    """Fit a model on the training part, write its data file and measure it on the test part."""
    record = MODELS[name]
    potent = record.kind is Kind.POTENCY
    known = [each for each, chosen in zip(data.structures, data.is_train, strict=True) if chosen]
    tokens = [structure.tokens for structure in data.structures]
    train = [structure.tokens for structure in known]
    test = [each for each, chosen in zip(tokens, data.is_train, strict=True) if not chosen]
    evidence = Evidence(
        molecules=[*train, *inactives] if potent else train,
        values=data.values[data.is_train],
        fixed_mean=INACTIVE if potent else None,
        linear=name in _LINEAR,
    )
    fitted = fit(evidence)
    path = folder / record.artefact
    _write(path, name, fitted, measured=len(train), data=data)
    model = PropertyModel.read(path)
    wider = 1.0 if SOURCES[name].is_mixed else widening(fitted, evidence.values, folds(known))
    return model, held_out(model, fitted, test, data.values[~data.is_train], wider)


def held_out(
    model: PropertyModel, fitted: Fit, test: Sequence[Tokens], values: Any, wider: float = 1.0
) -> HeldOut:
    """Compare the data file's own posterior mean with measurements it did not see."""
    centres = np.array([model.centre(Sighting(tokens)) for tokens in test]) / GRAIN
    errors = centres - values
    excess = fitted.noise * (wider**2 - 1)
    widths = NORMAL_90 * np.sqrt(predictive_variance(fitted, test) + excess)
    return HeldOut(
        compounds=len(test),
        rmse=round(float(np.sqrt((errors**2).mean())), 3),
        spearman=round(spearman(centres, values), 3),
        coverage=round(float((np.abs(errors) <= widths).mean()), 3),
        widening=round(wider, 3),
    )


def spearman(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return the rank correlation; ties share their mean rank."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place])


def _write(path: Path, name: str, fitted: Fit, *, measured: int, data: Measurements) -> None:
    record = MODELS[name]
    count = _ANTI_COLUMNS if record.kind is Kind.ANTITARGET else minhash.COLUMNS
    features = np.stack([minhash.signs(tokens)[:count] for tokens in fitted.table])
    rounded = columns(fitted, features.astype(np.float64))
    alpha = np.rint(fitted.amplitude * fitted.alpha * GRAIN).astype(np.int64)
    prior_step = round(float(np.sqrt(fitted.amplitude / count)) / minhash.WEIGHT_SCALE * GRAIN * SCALE)
    check_bounds(rounded, alpha, prior_step)
    header = {
        "name": name,
        "kind": record.kind,
        "unit": record.unit,
        "mean": round(fitted.mean * GRAIN),
        "columns": count,
        "measured": measured,
        "prior_step": prior_step,
        "squash": _SQUASH[record.kind],
        "card": {
            "amplitude": round(fitted.amplitude, 4),
            "noise_sd": round(float(np.sqrt(fitted.noise)), 4),
            "decoys": len(fitted.table) - measured,
            "refused": data.refused,
        },
    }
    arrays = {
        **fitted.table.pack(),
        "bank": rounded.bank,
        "shifts": rounded.shifts,
        "alpha": alpha.astype(np.int32),
        "linear_features": np.diff(fitted.features, prepend=np.uint64(0)),
        "linear_slopes": np.rint(fitted.slopes * GRAIN).astype(np.int32),
    }
    artefact.write(path, header, arrays)
