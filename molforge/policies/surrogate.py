"""What the readings imply for compounds not yet measured: one Gaussian process per property.

Prior of a property: ``mean + slope * logP``, both uncertain, plus a MinMax-kernel process. The
amplitude is chosen by penalised marginal likelihood on a small grid (Rasmussen and Williams 2006,
section 5.4). The prior means are a chemist's rules of thumb: no model of the environment is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from molforge.policies.kernel import Reference, Tokens
from molforge.policies.objectives import Floats

LOGP_CENTRE = 2.5
JITTER = 1e-6


@dataclass(frozen=True, slots=True)
class Belief:
    """A chemist's expectation of one property before any reading."""

    mean: float
    """At logP 2.5, in the property's unit."""
    mean_sd: float
    slope: float
    """Per unit of logP."""
    slope_sd: float
    amplitudes: tuple[float, ...]
    """Variances of the process that the likelihood chooses from."""
    usual: float
    """Most plausible amplitude; others are discounted by a log-normal prior of width 0.7."""


_BINDING = Belief(6.0, 1.2, 0.0, 0.05, (0.5, 0.8, 1.2, 2.0, 3.0), 1.3)
_OFF_TARGET = Belief(5.5, 0.8, 0.0, 0.02, (0.5, 0.7, 1.0, 1.4, 2.0), 1.0)
BELIEFS: Mapping[str, Belief] = {
    "potency": Belief(5.0, 0.5, 0.0, 0.05, (0.8, 1.2, 2.0, 3.0, 4.5), 2.0),
    "anti_target": Belief(6.0, 1.2, 0.0, 0.05, (0.5, 0.8, 1.2, 2.0, 3.0), 1.2),
    "potency_variant": Belief(5.0, 0.5, 0.0, 0.05, (0.8, 1.2, 2.0, 3.0, 4.5), 2.0),
    "off_target": _OFF_TARGET,
    "off_target_2": _OFF_TARGET,
    "logd": Belief(1.8, 1.0, 0.6, 0.25, (0.2, 0.4, 0.8, 1.5), 0.5),
    "solubility": Belief(1.4, 0.6, -0.25, 0.15, (0.1, 0.2, 0.4, 0.8), 0.25),
    "hlm": Belief(1.2, 0.6, 0.15, 0.15, (0.1, 0.2, 0.4, 0.8), 0.25),
    "rlm": Belief(2.0, 0.7, 0.15, 0.15, (0.1, 0.2, 0.4, 0.8), 0.3),
    "herg": Belief(5.2, 0.6, 0.25, 0.15, (0.1, 0.2, 0.4, 0.8), 0.4),
    "efflux": Belief(0.5, 0.6, 0.0, 0.15, (0.1, 0.2, 0.4, 0.8), 0.3),
    "ppb": Belief(0.9, 0.6, -0.4, 0.15, (0.1, 0.2, 0.4, 0.8), 0.25),
}
"""By property; anything else is treated as binding."""
RELATIVES: Mapping[str, tuple[str, float]] = {"potency_variant": ("potency", 0.8)}
"""A property that says something of another, and the variance (log units squared) between the two: a
point mutation moves the potency of one compound by a log unit or so and leaves the series its order."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the surrogate needs to know of some structures."""

    tokens: Sequence[Tokens]
    logp: Floats

    def pick(self, rows: npt.NDArray[np.intp]) -> Described:
        """Return the description of some of them."""
        return Described([self.tokens[row] for row in rows], self.logp[rows])


@dataclass(frozen=True, slots=True)
class Readings:
    """Estimates of one property for some of the measured structures."""

    rows: npt.NDArray[np.intp]
    """Rows of the ``Described`` structures they belong to."""
    means: Floats
    variances: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """Normal marginals, one entry per structure and property."""

    means: Mapping[str, Floats]
    variances: Mapping[str, Floats]

    def draws(self, quantiles: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return values at standard-normal ``quantiles``: one row per quantile, one column a structure."""
        return {
            role: self.means[role] + quantiles[role][:, None] * np.sqrt(self.variances[role])
            for role in self.means
        }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the readings of the other structures say of each read structure; one entry per reading."""

    rows: npt.NDArray[np.intp]
    means: Floats
    variances: Floats
    """Of the property itself, without the noise of the reading that is left out."""


@dataclass(frozen=True, slots=True)
class _Fit:
    belief: Belief
    amplitude: float
    rows: npt.NDArray[np.intp]
    logp: Floats
    precision: npt.NDArray[np.float64]
    """Inverse covariance of the readings."""
    weights: Floats
    values: Floats
    """What was read."""
    noise: Floats
    """Variances of the readings."""


class Surrogate:
    """Gaussian processes conditioned on the readings of ``measured`` structures."""

    def __init__(
        self,
        measured: Described,
        readings: Mapping[str, Readings],
        beliefs: Mapping[str, Belief] = BELIEFS,
    ) -> None:
        self._reference = Reference(measured.tokens)
        among = self._reference.similarity(measured.tokens)
        self._fits = {
            role: _fit(beliefs.get(role, _BINDING), among, measured.logp, data)
            for role, data in readings.items()
        }

    def forecast(self, structures: Described) -> Forecast:
        """Return the marginals of every property for ``structures``."""
        similarity = self._reference.similarity(structures.tokens)
        logp = structures.logp - LOGP_CENTRE
        means, variances = {}, {}
        for role, fit in self._fits.items():
            belief = fit.belief
            cross = fit.amplitude * similarity[:, fit.rows]
            cross += belief.mean_sd**2 + belief.slope_sd**2 * np.outer(logp, fit.logp)
            prior = fit.amplitude + belief.mean_sd**2 + belief.slope_sd**2 * logp**2
            means[role] = belief.mean + belief.slope * logp + cross @ fit.weights
            explained = np.einsum("ij,ij->i", cross @ fit.precision, cross)
            variances[role] = np.maximum(prior - explained, 1e-4)
        return Forecast(means, variances)

    def left_out(self, role: str) -> LeftOut:
        """Return leave-one-out forecasts of a property (Rasmussen and Williams 2006, equation 5.12)."""
        fit = self._fits[role]
        diagonal = np.diagonal(fit.precision)
        variances = np.maximum(1.0 / diagonal - fit.noise, 1e-4)
        return LeftOut(fit.rows, fit.values - fit.weights / diagonal, variances)


def _fit(belief: Belief, among: Floats, logp: Floats, data: Readings) -> _Fit:
    centred = logp[data.rows] - LOGP_CENTRE
    residual = data.means - belief.mean - belief.slope * centred
    similarity = among[np.ix_(data.rows, data.rows)]
    fixed = belief.mean_sd**2 + belief.slope_sd**2 * np.outer(centred, centred)
    fixed += np.diag(data.variances + JITTER)
    amplitudes = np.array(belief.amplitudes)
    covariances = amplitudes[:, None, None] * similarity + fixed
    factors = np.linalg.cholesky(covariances)
    whitened = np.linalg.solve(factors, np.broadcast_to(residual[:, None], (*factors.shape[:2], 1)))[..., 0]
    log_determinants = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    discount = 0.5 * (np.log(amplitudes / belief.usual) / 0.7) ** 2
    best = int(np.argmin(0.5 * (whitened**2).sum(axis=1) + log_determinants + discount))
    precision = np.linalg.inv(covariances[best])
    weights = precision @ residual
    amplitude = float(amplitudes[best])
    return _Fit(belief, amplitude, data.rows, centred, precision, weights, data.means, data.variances)
