"""How the planner spends readings on a given set.

Nothing can be made, so the only question is which compound deserves which reading next. First the hunt:
compounds not yet wholly read are examined property by property until a reading rules them out, the
most promising per credit first. Then doubts between those examined are settled where the knowledge
gradient (Frazier, Powell and Dayanik, INFORMS J. Computing 21, 599, 2009) of further readings is worth
their price; last come the second readings of the nominee, for evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from molforge.actions import MAX_COMPOUNDS, Action
from molforge.policies.forecasting import Futures, Outlook, Worth, quantile_draws
from molforge.policies.objectives import Floats
from molforge.policies.surrogate import BELIEFS, LOGP_CENTRE, Belief, Forecast

if TYPE_CHECKING:
    from molforge.policies.logbook import Compound
    from molforge.policies.player import Player
    from molforge.policies.search import Candidate

FUTURES = 48
"""Draws of what a set of readings may say."""
DRAWS = 256
FULL_CALLS = 2
RULED_OUT = 0.8
"""A property that keeps the desirability below this rules its compound out."""
USUAL_PROGRESS = 0.2
"""Where on an objective's ramp the average of a set is expected ..."""
MEAN_SD = 0.5
"""... and how sure of that to be, in the property's unit."""
PATIENCE = 1.0
"""Readings go on while their gain exceeds this part of what their credits are worth unspent."""
ECONOMY = 0.10


@dataclass(frozen=True, slots=True)
class _Test:
    """The next reading of one compound."""

    row: int
    role: str
    rate: float
    """Expected rise of the best desirability per credit of the whole examination."""


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
        ids = [compound.id for compound in compounds]
        outlook = Outlook(self._log, ids, candidates, self._beliefs(candidates))
        roles = self._log.profile.roles
        rng = self._player.stream("triage", self._player.turn_number)
        worth = outlook.worth(candidates, quantile_draws(roles, DRAWS, rng))
        order = np.argsort(-worth.rank_key, kind="stable").tolist()
        best = compounds[order[0]]
        if self._log.steps_left > 1:
            forecast = outlook.forecast(candidates)
            action = (
                self._hunt(compounds, forecast, worth)
                or self._explore(compounds, forecast, worth.expected)
                or self._complete(best)
            )
            if action is not None:
                return action
        return self._player.nominate(best)

    def _beliefs(self, candidates: Sequence[Candidate]) -> dict[str, Belief]:
        """Return beliefs centred by the brief: what a set is chosen for, it lies around the limits of."""
        beliefs = dict(BELIEFS)
        logp = float(np.mean([candidate.logp for candidate in candidates])) - LOGP_CENTRE
        for objective in self._log.profile.objectives:
            role = objective.roles[0]
            if len(objective.roles) == 1 and len(objective.limits) == 2 and role in beliefs:
                unacceptable, met = objective.limits
                centre = unacceptable + USUAL_PROGRESS * (met - unacceptable)
                belief = beliefs[role]
                beliefs[role] = replace(belief, mean=centre - belief.slope * logp, mean_sd=MEAN_SD)
        return beliefs

    def _hunt(self, compounds: Sequence[Compound], forecast: Forecast, worth: Worth) -> Action | None:
        """Return the next test of the compounds that promise most per credit of their examination."""
        roles = self._log.profile.roles
        unread = [[r for r in roles if self._log.estimate(c.id, r) is None] for c in compounds]
        examined = [not missing for missing in unread]
        incumbent = float(worth.expected[examined].max()) if any(examined) else 0.0
        gains = worth.improvement(incumbent)
        odds = self._ruled_out(forecast, max(incumbent, RULED_OUT))
        tests = [
            self._test(row, missing, odds, float(gains[row])) for row, missing in enumerate(unread) if missing
        ]
        money = self._log.budget_left - self._log.price(roles)
        affordable = [test for test in tests if self._log.price([test.role]) <= money]
        affordable.sort(key=lambda test: -test.rate)
        if not affordable or affordable[0].rate <= self._hurdle(worth.expected):
            return None
        role = affordable[0].role
        price = self._log.price([role])
        actions = max(self._log.steps_left - 2, 1)
        count = min(max(1, math.ceil(money / price / actions - 0.05)), int(money // price), MAX_COMPOUNDS)
        rows = [test.row for test in affordable if test.role == role][:count]
        return self._player.measure([compounds[row] for row in rows], [role])

    def _test(self, row: int, missing: Sequence[str], odds: Mapping[str, Floats], gain: float) -> _Test:
        """Return the first test of a compound's examination, which ends with the first bad reading.

        Then properties are best read in the order of price over the probability to rule the compound out
        (Mitten, J. Ind. Eng. 11, 4, 1960).
        """
        order = sorted(missing, key=lambda role: self._log.price([role]) / (float(odds[role][row]) + 1e-9))
        cost, reached = 0.0, 1.0
        for role in order:
            cost += reached * self._log.price([role])
            reached *= 1.0 - float(odds[role][row])
        return _Test(row, order[0], gain / cost)

    def _ruled_out(self, forecast: Forecast, bar: float) -> dict[str, Floats]:
        """Return how likely each property alone keeps each compound's desirability below ``bar``."""
        rng = self._player.stream("ruled out", self._player.turn_number)
        values = forecast.draws(quantile_draws(self._log.profile.roles, FUTURES, rng))
        return {
            objective.roles[0]: (objective.desirability(values) ** objective.weight < bar).mean(axis=0)
            for objective in self._log.profile.objectives
        }

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
