"""Which further readings of compounds in hand are worth their price.

For sets of properties the expected rise of the best expected desirability is computed (knowledge
gradient: Frazier, Powell and Dayanik, INFORMS J. Computing 21, 599, 2009); sets, because one reading
alone often cannot change a decision that three can.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from molforge.policies.forecasting import Futures, quantile_draws
from molforge.policies.logbook import Compound, Logbook
from molforge.policies.objectives import Floats
from molforge.policies.surrogate import Forecast

FUTURES = 48
"""Draws of what a set of readings may say."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """Readings that may change which compound is best."""

    compounds: list[Compound]
    """Most informative first."""
    roles: tuple[str, ...]
    rate: float
    """Expected rise of the best expected desirability per credit, for the first compound."""


def refine(
    log: Logbook,
    compounds: Sequence[Compound],
    forecast: Forecast,
    expected: Floats,
    *,
    money: float,
    hurdle: float,
    rng: random.Random,
) -> Refinement | None:
    """Return the readings of the highest rate with all compounds they pay for, None below ``hurdle``.

    Args:
        log: The programme.
        compounds: Made compounds, in the order of ``forecast`` and ``expected``.
        forecast: Marginals of every property.
        expected: Expected desirabilities.
        money: Credits that may be spent.
        hurdle: Rise per credit that readings have to exceed.
        rng: Stream of what readings may say.
    """
    futures = Futures(log, quantile_draws(log.profile.roles, FUTURES, rng))
    best: Refinement | None = None
    for roles in _sets(log.profile.roles):
        price = log.price(roles)
        if price > money or len(compounds) == 0:
            continue
        rates = _gains(futures.expected(forecast, roles), expected) / price
        top = float(rates.max())
        if top > hurdle and (best is None or top > best.rate):
            order = np.argsort(-rates, kind="stable")[: int(money // price)].tolist()
            chosen = [compounds[row] for row in order if rates[row] > hurdle]
            best = Refinement(chosen, roles, top)
    return best


def _sets(roles: Sequence[str]) -> list[tuple[str, ...]]:
    return [chosen for size in range(1, len(roles) + 1) for chosen in combinations(roles, size)]


def _gains(after: Floats, expected: Floats) -> Floats:
    """Return the expected rise of the best expected desirability, per compound."""
    top, second = np.sort(expected)[::-1][:2] if len(expected) > 1 else (expected[0], 0.0)
    others = np.where(expected >= top, second, top)
    gains: Floats = np.maximum(after, others).mean(axis=0) - np.maximum(after.mean(axis=0), others)
    return gains
