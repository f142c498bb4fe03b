"""Limits, windows and weights of a profile, set so that a wanted share of the pool meets it.

Per programme and objective a tightness ``a ~ U(0.5, 1.5)``, a window centre (a pool quantile
``~ U(0.1, 0.9)``) and weights ``~ Dirichlet(6)`` are drawn. Objective i alone is met by the share
``t^a_i`` of the pool; bisection on t finds the profile that the wanted share meets as a whole.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from envs.objectives import Template
from molforge.profile import Kind, Objective, Profile

FloatArray = npt.NDArray[np.float64]

MIN_WINDOW_SHARE = 0.12
MIN_HALF_WINDOW = 0.3
BISECTIONS = 30


def share_of_difficulty(difficulty: float) -> float:
    """Return the share of the pool that meets a profile of this difficulty: ``10^-(1 + 2 d)``."""
    return float(10.0 ** -(1.0 + 2.0 * difficulty))


def objective_values(terms: Sequence[tuple[str, int]], properties: Mapping[str, FloatArray]) -> FloatArray:
    """Return an objective's values, shape (pool,), from those of its properties."""
    return np.asarray(sum(sign * properties[name] for name, sign in terms), dtype=np.float64)


def desirability(profile: Profile, properties: Mapping[str, FloatArray]) -> FloatArray:
    """Return D, shape (pool,): ``Profile.desirability`` for whole arrays."""
    columns = [objective_desirability(o, properties) for o in profile.objectives]
    weights = [o.weight for o in profile.objectives]
    with np.errstate(divide="ignore"):
        logs = sum(w * np.log(column) for w, column in zip(weights, columns, strict=True))
    return np.asarray(np.exp(logs), dtype=np.float64)


def objective_desirability(objective: Objective, properties: Mapping[str, FloatArray]) -> FloatArray:
    """Return d, shape (pool,): ``Objective.desirability`` for whole arrays."""
    values, limits = objective_values(objective.terms, properties), objective.limits
    if objective.kind is Kind.WINDOW:
        rising = (values - limits[0]) / (limits[1] - limits[0])
        falling = (limits[3] - values) / (limits[3] - limits[2])
        return np.clip(np.minimum(rising, falling), 0.0, 1.0)
    return np.clip((values - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Draw:
    """What is drawn of one objective before the limits are known."""

    template: Template
    tightness: float
    centre: float
    values: FloatArray
    """Of the pool in this world, shape (pool,)."""
    ordered: FloatArray

    def limits(self, t: float) -> tuple[float, ...]:
        """Return the limits that the share ``t^tightness`` of the pool meets, rounded to 0.01."""
        share = t**self.tightness
        last = len(self.ordered) - 1
        low, high = self.template.bounds()
        span = self.template.span
        limits: tuple[float, ...]
        if self.template.kind is Kind.WINDOW:
            share = max(share, MIN_WINDOW_SHARE)
            start = min(max(self.centre - share / 2, 0.0), 1.0 - share)
            first, final = self.ordered[int(start * last)], self.ordered[int((start + share) * last)]
            middle, half = (first + final) / 2, max((final - first) / 2, MIN_HALF_WINDOW)
            met_low, met_high = max(middle - half, low + span), min(middle + half, high - span)
            limits = (met_low - span, met_low, met_high, met_high + span)
        elif self.template.kind is Kind.UP:
            met = min(float(self.ordered[min(last, int((1 - share) * (last + 1)))]), high)
            met = max(met, low + span)
            limits = (met - span, met)
        else:
            met = max(float(self.ordered[max(0, int(share * (last + 1)) - 1)]), low)
            met = min(met, high - span)
            limits = (met + span, met)
        return tuple(round(float(number), 2) for number in limits)


def draw_profile(
    rng: random.Random,
    templates: Sequence[Template],
    properties: Mapping[str, FloatArray],
    *,
    share: float,
    prior_widths: Mapping[str, float],
) -> Profile:
    """Return a profile that about ``share`` of the pool meets as a whole.

    ``properties`` maps a property to its values over the pool in this world, shape (pool,);
    ``prior_widths`` an objective to the width of its central 90 % under the mean model.
    """
    draws = [_draw(rng, template, objective_values(template.terms, properties)) for template in templates]
    weights = _weights(rng, len(templates))

    def profile(t: float) -> Profile:
        return Profile(
            tuple(
                Objective(
                    name=draw.template.name,
                    unit=draw.template.unit,
                    kind=draw.template.kind,
                    limits=draw.limits(t),
                    weight=weight,
                    terms=draw.template.terms,
                    assays=draw.template.assays,
                    prior_width=prior_widths[draw.template.name],
                )
                for draw, weight in zip(draws, weights, strict=True)
            )
        )

    def share_at(t: float) -> float:
        meets = [_meets(draw.template.kind, draw.limits(t), draw.values) for draw in draws]
        return float(np.logical_and.reduce(meets).mean())

    easy, hard = 1.0, 0.0
    for _ in range(BISECTIONS):
        t = (easy + hard) / 2
        if share_at(t) > share:
            easy = t
        else:
            hard = t
    return profile(easy)


def _draw(rng: random.Random, template: Template, values: FloatArray) -> _Draw:
    return _Draw(template, rng.uniform(*template.tightness), rng.uniform(0.1, 0.9), values, np.sort(values))


def met(profile: Profile, properties: Mapping[str, FloatArray]) -> npt.NDArray[np.bool_]:
    """Return which pool members meet the whole profile, shape (pool,)."""
    meets = [_meets(o.kind, o.limits, objective_values(o.terms, properties)) for o in profile.objectives]
    together: npt.NDArray[np.bool_] = np.logical_and.reduce(meets)
    return together


def _meets(kind: Kind, limits: Sequence[float], values: FloatArray) -> npt.NDArray[np.bool_]:
    if kind is Kind.WINDOW:
        inside: npt.NDArray[np.bool_] = (values >= limits[1]) & (values <= limits[2])
        return inside
    good: npt.NDArray[np.bool_] = values >= limits[1] if kind is Kind.UP else values <= limits[1]
    return good


def _weights(rng: random.Random, count: int) -> list[float]:
    """Return a Dirichlet(6) draw rounded to 0.01 that sums to 1."""
    gammas = [-sum(math.log(1.0 - rng.random()) for _ in range(6)) for _ in range(count)]
    weights = [round(gamma / sum(gammas), 2) for gamma in gammas]
    weights[0] = round(weights[0] + 1.0 - sum(weights), 2)
    return weights


def prior_width(values: FloatArray) -> float:
    """Return the width of the central 90 % of values over the pool, rounded to 0.01."""
    low, high = np.quantile(values, [0.05, 0.95])
    return round(float(high - low), 2)
