"""How the planner spends readings on a given set.

Nothing can be made, so the only question is which compound deserves which reading next. First the hunt:
compounds not yet wholly read are examined property by property until a reading rules them out, the
most promising per credit first. Then doubts between those examined are settled by further readings
where these are worth their price; last come the second readings of the nominee, for evidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from molforge.actions import MAX_COMPOUNDS, Action
from molforge.policies.forecasting import Outlook, Worth, quantile_draws
from molforge.policies.objectives import Floats
from molforge.policies.refining import FUTURES, refine
from molforge.policies.surrogate import BELIEFS, LOGP_CENTRE, Belief, Forecast

if TYPE_CHECKING:
    from molforge.policies.logbook import Compound
    from molforge.policies.player import Player
    from molforge.policies.search import Candidate

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
                or self._refine(compounds, forecast, worth.expected)
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
        rows = [test.row for test in affordable if test.role == role]
        count = min(self._count(self._log.price([role])), int(money // self._log.price([role])))
        return self._player.measure([compounds[row] for row in rows[:count]], [role])

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

    def _refine(self, compounds: Sequence[Compound], forecast: Forecast, expected: Floats) -> Action | None:
        """Settle doubts between compounds while that is worth its price."""
        found = refine(
            self._log,
            compounds,
            forecast,
            expected,
            money=self._log.budget_left - self._log.price(self._log.profile.roles),
            hurdle=self._hurdle(expected),
            rng=self._player.stream("futures", self._player.turn_number),
        )
        if found is None:
            return None
        count = self._count(self._log.price(found.roles))
        return self._player.measure(found.compounds[:count], found.roles)

    def _count(self, price: float) -> int:
        """Return how many compounds to read at once so that the actions last as long as the money."""
        money = self._log.budget_left - self._log.price(self._log.profile.roles)
        actions = max(self._log.steps_left - 2, 1)
        return min(max(1, math.ceil(money / price / actions - 0.05)), MAX_COMPOUNDS)

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
