"""How the planner spends readings on a given set: value of information per credit.

Nothing can be made, so the only question is which compound deserves which readings next. For every
compound and every set of its properties the expected rise of the best expected desirability is
computed (knowledge gradient: Frazier, Powell and Dayanik, INFORMS J. Computing 21, 599, 2009; over
sets of readings, because one reading alone often cannot change a decision that three can).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from molforge.actions import MAX_COMPOUNDS, Action
from molforge.policies.forecasting import Futures, Outlook, quantile_draws
from molforge.policies.objectives import Floats
from molforge.policies.surrogate import Forecast

if TYPE_CHECKING:
    from molforge.policies.logbook import Compound
    from molforge.policies.player import Player

FUTURES = 48
"""Draws of what a set of readings may say."""
DRAWS = 256
FULL_CALLS = 2
PATIENCE = 0.25
"""Readings go on while their gain exceeds this part of what their credits are worth unspent."""
ECONOMY = 0.10


class TriageTurns:
    """The turns of one programme without design."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._log = player.log
        roles = self._log.profile.roles
        self._sets = [c for n in range(1, len(roles) + 1) for c in combinations(roles, n)]

    def turn(self) -> Action:
        """Return the most informative readings, or the end."""
        compounds = self._log.made
        candidates = [self._player.candidate(compound) for compound in compounds]
        outlook = Outlook(self._log, [compound.id for compound in compounds], candidates)
        roles = self._log.profile.roles
        rng = self._player.stream("triage", self._player.turn_number)
        worth = outlook.worth(candidates, quantile_draws(roles, DRAWS, rng))
        order = np.argsort(-worth.rank_key, kind="stable").tolist()
        best = compounds[order[0]]
        if self._log.steps_left > 1:
            forecast = outlook.forecast(candidates)
            action = self._explore(compounds, forecast, worth.expected) or self._complete(best)
            if action is not None:
                return action
        return self._player.nominate(best)

    def _explore(self, compounds: Sequence[Compound], forecast: Forecast, expected: Floats) -> Action | None:
        """Return readings whose information is worth their price, None when none are."""
        money = self._log.budget_left - self._log.price(self._log.profile.roles)
        stream = self._player.stream("futures", self._player.turn_number)
        futures = Futures(self._log, quantile_draws(self._log.profile.roles, FUTURES, stream))
        best_rate, best_gains = 0.0, np.zeros(len(compounds))
        best_set: tuple[str, ...] = ()
        for readings in self._sets:
            price = self._log.price(readings)
            if price > money:
                continue
            gains = _gains(futures.expected(forecast, readings), expected)
            if gains.max() / price > best_rate:
                best_rate, best_set, best_gains = float(gains.max()) / price, readings, gains
        if best_rate <= self._hurdle(expected):
            return None
        price = self._log.price(best_set)
        share = math.ceil(money / price / max(self._log.steps_left - 2, 1) - 0.05)
        count = min(max(share, 1), int(money // price), MAX_COMPOUNDS)
        rows = np.argsort(-best_gains, kind="stable")[:count]
        return self._player.measure([compounds[row] for row in rows.tolist()], best_set)

    def _hurdle(self, expected: Floats) -> float:
        """Return the rise of desirability per credit that leaves the score as it is."""
        base = min(float(expected.mean()), 0.99)
        profile = max(0.0, (float(expected.max()) - base) / (1.0 - base))
        return PATIENCE * ECONOMY * profile * (1.0 - base) / self._log.budget

    def _complete(self, best: Compound) -> Action | None:
        """Return the second readings that make the evidence for the nominee complete."""
        wanted = [role for role in self._log.profile.roles if self._calls(best, role) < FULL_CALLS]
        while wanted and self._log.price(wanted) > self._log.budget_left:
            wanted.pop(0)
        return self._player.measure([best], wanted) if wanted else None

    def _calls(self, compound: Compound, role: str) -> int:
        estimate = self._log.estimate(compound.id, role)
        return 0 if estimate is None else estimate.paid_calls


def _gains(after: Floats, expected: Floats) -> Floats:
    """Return the expected rise of the best expected desirability, per compound."""
    top, second = np.sort(expected)[::-1][:2] if len(expected) > 1 else (expected[0], 0.0)
    others = np.where(expected >= top, second, top)
    gains: Floats = np.maximum(after, others).mean(axis=0) - np.maximum(after.mean(axis=0), others)
    return gains
