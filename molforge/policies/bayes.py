"""The plain Bayesian optimiser: Gaussian processes and expected improvement, nothing staged.

Every round makes the ``BATCH`` edits with the largest expected improvement (Mockus 1978) and reads all
properties of all of them; when money or turns run out, the compound with the best expected desirability is
nominated with the model's intervals. What the planner does beyond that (staged readings, prices, when to
stop, second looks at the leaders) is the difference between the two rows of the leaderboard.
"""

from __future__ import annotations

import math

import numpy as np

from molforge.actions import Action, Prediction
from molforge.assays import Z90
from molforge.policies.forecasting import Outlook, Worth, quantile_draws
from molforge.policies.logbook import Compound
from molforge.policies.player import Player
from molforge.policies.search import Candidate

BATCH = 4
PARENTS = 4
DRAWS = 48


class BayesPolicy(Player):
    """See the module."""

    name = "bayes"

    def open(self) -> None:
        """Forget the candidates of the programme before."""
        self._waiting: dict[str, Candidate] = {}

    def turn(self) -> Action:
        """Return the next round, or the nomination."""
        outlook, worth = self._belief()
        if self.log.steps_left > 1:
            action = self._round(outlook, worth) if self.log.offers_design else self._look(worth)
            if action is not None:
                return action
        expected = {c.id: float(v) for c, v in zip(self.log.made, worth.rank_key, strict=True)}
        nominees = self.nominees
        return self.nominate(max(nominees, key=lambda c: expected[c.id]) if nominees else None)

    def _belief(self) -> tuple[Outlook, Worth]:
        made = self.log.made
        candidates = [self.candidate(compound) for compound in made]
        outlook = Outlook(self.log, [compound.id for compound in made], candidates)
        self._quantiles = quantile_draws(
            self.log.profile.roles, DRAWS, self.stream("quantiles", self.turn_number)
        )
        return outlook, outlook.worth(candidates, self._quantiles)

    def _round(self, outlook: Outlook, worth: Worth) -> Action | None:
        made = self.log.made
        taken = {self.candidate(compound).identity for compound in self.log.compounds.values()}
        for row in np.argsort(-worth.rank_key, kind="stable").tolist()[:PARENTS]:
            for child in self.search.children(self.candidate(made[row])):
                self._waiting.setdefault(child.identity, child)
        pool = [c for c in self._waiting.values() if c.identity not in taken]
        if not pool:
            return None
        found = outlook.worth(pool, self._quantiles)
        gain = found.improvement(float(worth.expected.max())) + 1e-3 * np.clip(found.margins, -20.0, 2.0)
        roles, left, chosen = self.log.profile.roles, self.log.budget_left, list[Candidate]()
        for row in np.argsort(-gain, kind="stable").tolist():
            if len(chosen) == BATCH:
                break
            if not self.search.is_allowed(pool[row]):
                del self._waiting[pool[row].identity]
                continue
            price = self.search.make_price(pool[row]) + self.log.price(roles)
            if price <= left:
                left -= price
                chosen.append(pool[row])
        return self.make(chosen, roles) if chosen else None

    def _look(self, worth: Worth) -> Action | None:
        """Read the compound of a given set that may improve most on the best one read."""
        unread = [not self.log.is_read(compound.id) for compound in self.log.made]
        if not any(unread) or self.log.price(self.log.profile.roles) > self.log.budget_left:
            return None
        read = worth.expected[[not each for each in unread]]
        gain = np.where(unread, worth.improvement(float(read.max()) if len(read) else 0.0), -np.inf)
        return self.measure([self.log.made[int(np.argmax(gain))]], self.log.profile.roles)

    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return the model's 90 % intervals."""
        outlook, _ = self._belief()
        forecast = outlook.forecast([self.candidate(compound)])
        predicted = {}
        for objective in self.log.profile.objectives:
            value = float(objective.value(forecast.means)[0])
            half = Z90 * math.sqrt(math.fsum(float(forecast.variances[r][0]) for r in objective.roles))
            predicted[objective.name] = Prediction(value=value, low=value - half, high=value + half)
        return predicted
