"""Exact Gaussian process regression on MinMax similarities (Rasmussen and Williams 2006, algorithm 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from molforge.landscapes.index import TokenIndex
from molforge.landscapes.tokens import Tokens, TokenTable

Floats = npt.NDArray[np.float64]

NOISE_FLOOR = 0.15**2
"""No assay repeats better than 0.15 log units."""
DECOY_NOISE = 0.3**2
NORMAL_90 = 1.6449
"""Half-width of a central 90 % interval in standard deviations."""

_SUBSET = 2500
_LINEAR_FROM = 100
"""Ligands that must have a feature before the linear term gives it a slope."""
_LOG_RATIOS = np.linspace(-5.0, 2.0, 57)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a model learns from: measured ligands first, then decoys."""

    molecules: Sequence[Tokens]
    values: Floats
    """Of the measured ligands."""
    decoy_value: float = 4.5
    fixed_mean: float | None = None
    """Prior mean, or None: estimated together with the hyperparameters."""
    linear: bool = False
    """Add a linear term in the counts of common atom environments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A trained process; predictions are ``mean + slopes . counts + amplitude * similarities . alpha``."""

    table: TokenTable
    similarities: Floats
    """Between all ligands and decoys."""
    amplitude: float
    """Prior variance of the similarity part."""
    noise: float
    """Variance of one measurement."""
    noises: Floats
    """Variance of every row, decoys included."""
    mean: float
    prior_mean: float
    """Of the property: ``mean`` with the linear term's at their average counts."""
    decoy_value: float
    alpha: Floats
    features: npt.NDArray[np.uint64]
    """Environments of the linear term; empty where there is none."""
    slopes: Floats
    covariance: Floats
    """Of the observed rows: what has to be solved for anything further."""
    linear_unit: float
    """Prior variance of a slope."""


def fit(evidence: Evidence) -> Fit:
    """Fit hyperparameters by marginal likelihood on at most 2,500 ligands, then weights on all."""
    measured = len(evidence.values)
    table = TokenTable.of(evidence.molecules)
    index = TokenIndex(table)
    similarities = np.stack([index.similarities(tokens) for tokens in evidence.molecules])
    features = _common_features(evidence.molecules) if evidence.linear else np.zeros(0, np.uint64)
    counts = linear_counts(evidence.molecules, features)
    centre = counts.mean(0)
    linear = (counts - centre) @ (counts - centre).T
    unit = measured / float(np.trace(linear)) if len(features) else 0.0
    kernel = similarities + unit * linear
    chosen = _maximise(kernel[:measured, :measured], evidence.values, evidence.fixed_mean)
    noise = max(chosen.noise, NOISE_FLOOR)
    noises = np.full(len(table), DECOY_NOISE)
    noises[:measured] = noise
    values = np.full(len(table), evidence.decoy_value)
    values[:measured] = evidence.values
    covariance = chosen.amplitude * kernel + np.diag(noises)
    alpha = np.linalg.solve(covariance, values - chosen.mean)
    slopes = chosen.amplitude * unit * ((counts - centre).T @ alpha)
    return Fit(
        table=table,
        similarities=similarities,
        amplitude=chosen.amplitude,
        noise=noise,
        noises=noises,
        mean=chosen.mean - float(centre @ slopes),
        prior_mean=chosen.mean,
        decoy_value=evidence.decoy_value,
        alpha=alpha,
        features=features,
        slopes=slopes,
        covariance=covariance,
        linear_unit=chosen.amplitude * unit,
    )


def predictive_variance(fitted: Fit, molecules: Sequence[Tokens]) -> Floats:
    """Return the variance of a new measurement of each molecule (noise included)."""
    index = TokenIndex(fitted.table)
    cross = fitted.amplitude * np.stack([index.similarities(tokens) for tokens in molecules])
    own = np.full(len(molecules), fitted.amplitude)
    if len(fitted.features):
        known = linear_counts(list(fitted.table), fitted.features)
        centred = linear_counts(molecules, fitted.features) - known.mean(0)
        cross += fitted.linear_unit * centred @ (known - known.mean(0)).T
        own += fitted.linear_unit * (centred**2).sum(1)
    explained = (cross * np.linalg.solve(fitted.covariance, cross.T).T).sum(1)
    return np.asarray(np.maximum(own - explained, 0) + fitted.noise)


def linear_counts(molecules: Sequence[Tokens], features: npt.NDArray[np.uint64]) -> Floats:
    """Return how often each molecule has each feature."""
    counts = np.zeros((len(molecules), len(features)))
    if not len(features):
        return counts
    for row, tokens in zip(counts, molecules, strict=True):
        own = tokens >> np.uint64(8)
        place = np.minimum(features.searchsorted(own), len(features) - 1)
        np.add.at(row, place[features[place] == own], 1.0)
    return counts


def _common_features(molecules: Sequence[Tokens]) -> npt.NDArray[np.uint64]:
    present = np.concatenate([np.unique(tokens >> np.uint64(8)) for tokens in molecules])
    features, ligands = np.unique(present, return_counts=True)
    return features[ligands >= _LINEAR_FROM]


@dataclass(frozen=True, slots=True)
class _Chosen:
    amplitude: float
    noise: float
    mean: float


def _maximise(kernel: Floats, values: Floats, fixed_mean: float | None) -> _Chosen:
    """Maximise the marginal likelihood: amplitude and mean in closed form, noise ratio on a grid."""
    subset = np.random.default_rng(0).permutation(len(values))[:_SUBSET]
    n = len(subset)
    spectrum, basis = np.linalg.eigh(kernel[np.ix_(subset, subset)])
    spectrum = np.maximum(spectrum, 0)
    rotated, ones = basis.T @ values[subset], basis.T @ np.ones(n)
    best, chosen = np.inf, _Chosen(1.0, 1.0, 0.0)
    for ratio in np.exp(_LOG_RATIOS).tolist():
        scale = spectrum + ratio
        mean = fixed_mean
        if mean is None:
            mean = float((ones * rotated / scale).sum() / (ones * ones / scale).sum())
        residual = rotated - mean * ones
        amplitude = float((residual**2 / scale).sum() / n)
        loss = 0.5 * n * np.log(amplitude) + 0.5 * float(np.log(scale).sum())
        if loss < best:
            best, chosen = loss, _Chosen(amplitude, amplitude * ratio, mean)
    return chosen
