"""From a logbook to what compounds are worth: surrogate forecasts and draws of the desirability."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from molforge.policies.logbook import Logbook
from molforge.policies.objectives import Floats, Profile
from molforge.policies.search import Candidate
from molforge.policies.surrogate import (
    BELIEFS,
    RELATIVES,
    Belief,
    Described,
    Forecast,
    LeftOut,
    Readings,
    Surrogate,
)

MARGIN_WEIGHT = 0.02
"""How much a wider margin counts between compounds of like expected desirability."""

_LEVELS = np.array([NormalDist().inv_cdf((i + 0.5) / 12) for i in range(12)])


@dataclass(frozen=True, slots=True)
class Worth:
    """Draws of the desirability of some structures."""

    draws: Floats
    """One row per draw, one column per structure."""
    margins: Floats
    """Smallest margin of the mean forecast."""

    @property
    def expected(self) -> Floats:
        """Return the mean desirability of each structure."""
        mean: Floats = self.draws.mean(axis=0)
        return mean

    @property
    def rank_key(self) -> Floats:
        """Return the expected desirability with the margin as a gentle tie-breaker."""
        return self.expected + MARGIN_WEIGHT * np.clip(self.margins, -5.0, 2.0)

    def improvement(self, incumbent: float) -> Floats:
        """Return the expected improvement over ``incumbent`` (Mockus 1978)."""
        gain: Floats = np.maximum(self.draws - incumbent, 0.0).mean(axis=0)
        return gain


class Outlook:
    """The state of belief after some readings."""

    def __init__(
        self,
        log: Logbook,
        measured: Sequence[str],
        candidates: Sequence[Candidate],
        beliefs: Mapping[str, Belief] = BELIEFS,
    ) -> None:
        """``measured`` are compound ids, ``candidates`` their structures in the same order."""
        self._profile = log.profile
        self._surrogate = Surrogate(
            describe(candidates),
            {role: _readings(log, measured, role) for role in log.profile.roles},
            beliefs,
        )

    def forecast(self, candidates: Sequence[Candidate]) -> Forecast:
        """Return normal marginals of every property."""
        return self._surrogate.forecast(describe(candidates))

    def left_out(self, role: str) -> LeftOut:
        """Return what the other compounds say of each measured one."""
        return self._surrogate.left_out(role)

    def worth(self, candidates: Sequence[Candidate], quantiles: dict[str, Floats]) -> Worth:
        """Return draws of the desirability of ``candidates``."""
        return worth(self._profile, self.forecast(candidates), quantiles)

    def without(self, role: str) -> Outlook:
        """Return the same belief where the objectives that ``role`` enters are not asked for."""
        other = copy(self)
        other._profile = self._profile.without(role)
        return other


def worth(profile: Profile, forecast: Forecast, quantiles: dict[str, Floats]) -> Worth:
    """Return draws of the desirability under a forecast."""
    return Worth(profile.desirability(forecast.draws(quantiles)), profile.margin(forecast.means))


@dataclass(frozen=True, slots=True)
class Futures:
    """What one further reading of some properties may say, and what stays unknown after it."""

    log: Logbook
    quantiles: dict[str, Floats]
    """Standard-normal draws of the readings, one per future."""

    def expected(self, forecast: Forecast, readings: Sequence[str]) -> Floats:
        """Return the expected desirability after one reading of each of ``readings``.

        One row per future, one column per structure. Objectives are averaged one by one, as if what
        remains unknown of them were independent.
        """
        values = {}
        for role in self.log.profile.roles:
            mean, variance = forecast.means[role], forecast.variances[role]
            learnt = np.zeros_like(variance)
            if role in readings:
                assay = self.log.standard(role)
                learnt = variance**2 / (variance + assay.well_variance + assay.run_variance)
            centres = mean + self.quantiles[role][:, None] * np.sqrt(learnt)
            values[role] = centres[None] + _LEVELS[:, None, None] * np.sqrt(variance - learnt)
        objectives = self.log.profile.objectives
        factors = [(o.desirability(values) ** o.weight).mean(axis=0) for o in objectives]
        product: Floats = np.prod(factors, axis=0)
        return product


def quantile_draws(roles: Sequence[str], count: int, rng: random.Random) -> dict[str, Floats]:
    """Return standard-normal quantiles in a random order of its own for each property.

    Stratified and shared by all structures: differences between structures carry little Monte Carlo noise.
    """
    normal = NormalDist()
    levels = [normal.inv_cdf((i + 0.5) / count) for i in range(count)]
    return {role: np.array(rng.sample(levels, count)) for role in roles}


def describe(candidates: Sequence[Candidate]) -> Described:
    """Return what the surrogate needs to know of structures."""
    return Described(
        [candidate.tokens for candidate in candidates],
        np.array([candidate.logp for candidate in candidates]),
    )


def _readings(log: Logbook, compounds: Sequence[str], role: str) -> Readings:
    found = [(row, _estimate(log, compound, role)) for row, compound in enumerate(compounds)]
    known = [(row, *estimate) for row, estimate in found if estimate is not None]
    return Readings(
        rows=np.array([row for row, _, _ in known], dtype=np.intp),
        means=np.array([mean for _, mean, _ in known]),
        variances=np.array([variance for _, _, variance in known]),
    )


def _estimate(log: Logbook, compound: str, role: str) -> tuple[float, float] | None:
    """Return mean and variance of a property by its own readings, else by those of its relative."""
    own = log.estimate(compound, role)
    if own is not None:
        return own.mean, own.variance
    if role not in RELATIVES:
        return None
    relative, between = RELATIVES[role]
    other = log.estimate(compound, relative)
    return None if other is None else (other.mean, other.variance + between)
