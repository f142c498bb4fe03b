"""The holder of the package who may have few compounds assayed, and makes the most of them.

After an outside attacker's policy that did as well as the honest planner in six of eight families: it
chooses one compound at a time, draws 500 own worlds, has a failed synthesis repeated, settles doubts
between its compounds with further readings, spends what a coming change asks for on its best, weighs dead
against solvable before it nominates in ``nogo``, and works out in ``triage`` who may meet the profile.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from molforge.actions import MAX_REPLICATES, Action
from molforge.contract import Environment
from molforge.policies.logbook import Compound
from molforge.policies.objectives import ANTI_TARGET, Floats
from molforge.policies.viability import DEAD_BOUND, DEAD_SHARE, SOLVABLE_BOUND, log_mean_exp, probability
from redteam.holder import FULL_CALLS, HolderPolicy
from redteam.insight import is_claimed

OWN_WORLDS = 500
MAX_SA = 4.3
LEAST_GAIN = 0.004
"""Expected rise of D below which no further compound is made."""
CLOSING_TURNS = 5
PATIENT_CALLS = 5
"""Calls up to which a rival of the best is read again."""
DOUBT = 0.03
"""Expected loss of D by a wrong choice that is worth a further reading; a third of it the first."""
WINNERS = 1.5
"""Members of a set of ``triage`` that meet the profile: one or two."""
MEETS = 1.0 - 1e-9
OTHERS_BELOW = 0.7
"""D below which the other members of a set of ``triage`` lie."""
SURE = (0.08, 0.97)
"""Probabilities of being dead between which the relative is read again ..."""
DEEP_READINGS = 3
"""... and how often at most."""
SHIFT_SHARE = 0.52
"""Part of the budget that may be spent before a change that has not come yet."""


class CarefulHolderPolicy(HolderPolicy):
    """See the module."""

    name = "careful_holder"
    worlds = OWN_WORLDS

    def __init__(self, compounds: int) -> None:
        """``compounds`` are those it may have assayed, besides what is given with readings."""
        super().__init__()
        self._most = compounds

    def open(self) -> None:
        """Prepare the prior."""
        super().open()
        self._deep = 0

    def turn(self) -> Action:
        """Return the next reading or compound, or the decision."""
        self._draws = self._posterior()
        worth = self.log.profile.desirability(self._draws)
        if self.log.steps_left > 1:
            action = self._on(worth) if self.log.offers_design else self._choose(worth)
            if action is not None:
                return action
        return self._decide(worth)

    def _decide(self, worth: Floats) -> Action:
        if not self.log.offers_design:
            value = self._value_in_set(worth)
            return self.nominate(max(self._known(), key=lambda c: value[self._row[c.smiles]]))
        ranked = self._ranked(worth)
        if not ranked or (self.log.may_be_dead and self._is_dead(worth)):
            return self.nominate(None)
        return self.nominate(ranked[0])

    # --- with design --------------------------------------------------------------------------

    def _on(self, worth: Floats) -> Action | None:
        roles = self.log.profile.roles
        tried = [c for c in self.log.compounds.values() if not c.given and c.smiles in self._row]
        failed = [compound for compound in tried if not compound.made]
        if self.log.change_is_coming and self.log.own and (action := self._pass_time()) is not None:
            return action
        if (action := self._missing()) is not None:
            return action
        if failed and self.log.steps_left > CLOSING_TURNS + 1:
            return self.measure(failed, roles)
        if self.log.steps_left > CLOSING_TURNS and len(tried) < self._most:
            action = self._next(worth)
            if action is not None:
                return action
        if self.log.may_be_dead and (action := self._doubt_life()) is not None:
            return action
        return self._settle(worth)

    def _pass_time(self) -> Action | None:
        """Read the first compound until the change comes: nobody knows yet what will be wanted."""
        roles = self.log.profile.roles
        money = self.log.budget_left - SHIFT_SHARE * self.log.budget
        count = min(MAX_REPLICATES, int(money // self.log.price(roles)))
        if self.log.steps_left <= CLOSING_TURNS + 2 or count < 1:
            return None
        return replace(self.measure(self.log.own[:1], roles), replicates=count)

    def _next(self, worth: Floats) -> Action | None:
        """Make the design with the largest expected improvement."""
        roles = self.log.profile.roles
        taken = set(self._rows(self.log.compounds.values()))
        gain = np.maximum(worth - self._incumbent(worth), 0.0).mean(axis=0) * self._success
        money = self.log.budget_left - FULL_CALLS * self.log.price(roles)
        for row in np.argsort(-gain).tolist():
            if gain[row] < LEAST_GAIN:
                return None
            if row in taken or self._pool.sa[row] >= MAX_SA:
                continue
            if self._price[row] + self.log.price(roles) > money:
                continue
            candidate = self.search.read(self._pool.smiles[row])
            if not is_claimed(self.log, candidate.structure):
                return self.make([candidate], roles)
        return None

    def _settle(self, worth: Floats) -> Action | None:
        """Complete the evidence for the best; read rivals again while they may be better."""
        roles = self.log.profile.roles
        ranked = self._ranked(worth)
        if not ranked:
            return None
        best, *rivals = ranked
        draws = worth[:, self._row[best.smiles]]
        wanted = {best.id: best} if self._calls(best) < FULL_CALLS else {}
        for rival in rivals:
            loss = float(np.maximum(worth[:, self._row[rival.smiles]] - draws, 0.0).mean())
            calls = self._calls(rival)
            if (calls < FULL_CALLS and loss > DOUBT / 3) or (calls < PATIENT_CALLS and loss > DOUBT):
                wanted |= {rival.id: rival, best.id: best}
        chosen = list(wanted.values())[: int(self.log.budget_left // self.log.price(roles))]
        return self.measure(chosen, roles) if chosen else None

    def _calls(self, compound: Compound) -> int:
        estimates = [self.log.estimate(compound.id, role) for role in self.log.profile.roles]
        return min(0 if e is None else e.paid_calls for e in estimates)

    # --- dead or not --------------------------------------------------------------------------

    def _doubt_life(self) -> Action | None:
        """Read target and relative again while it is open whether the programme is dead."""
        odds, proofs = self._odds()
        low, high = SURE
        if not proofs or not low < probability(odds) < high or self._deep >= DEEP_READINGS:
            return None
        self._deep += 1
        pair = (self.log.profile.roles[0], ANTI_TARGET)
        best = sorted(proofs, key=lambda compound: -proofs[compound])
        compounds = [self.log.compounds[compound] for compound in best]
        count = min(MAX_REPLICATES, int(self.log.budget_left // (self.log.price(pair) * len(compounds))))
        return replace(self.measure(compounds, pair), replicates=count) if count else None

    def _is_dead(self, worth: Floats) -> bool:
        odds, proofs = self._odds()
        dead = probability(odds)
        return bool(proofs) and dead > (1.0 - dead) * self._incumbent(worth)

    def _odds(self) -> tuple[float, Mapping[str, float]]:
        """Return the log odds of being dead, and by compound what a reading is expected to prove."""
        objective = next(o for o in self.log.profile.objectives if ANTI_TARGET in o.roles)
        unacceptable, goal = objective.limits[:2]
        own = [c for c in self.log.own if c.smiles in self._row and self.log.estimate(c.id, ANTI_TARGET)]
        if not own:
            return 0.0, {}
        free = self._posterior(unread=ANTI_TARGET)
        rows = self._rows(own)
        potency, anti = free[self.log.profile.roles[0]][:, rows], free[ANTI_TARGET][:, rows]
        estimates = [self.log.estimate(compound.id, ANTI_TARGET) for compound in own]
        means = np.array([e.mean for e in estimates if e is not None])
        variances = np.array([e.variance for e in estimates if e is not None])

        def likelihood(limit: float, between: tuple[float, float]) -> float:
            bounds = np.linspace(limit + between[0], limit + between[1], 4)
            logs = np.concatenate(
                [
                    -0.5 * ((means - np.maximum(anti, potency - b)) ** 2 / variances).sum(axis=1)
                    for b in bounds
                ]
            )
            return log_mean_exp(logs)

        odds = likelihood(unacceptable, DEAD_BOUND) - likelihood(goal, SOLVABLE_BOUND)
        gap = np.maximum(potency - unacceptable - np.maximum(anti, potency - goal), 0.0)
        proofs = dict(zip((c.id for c in own), (gap**2).mean(axis=0).tolist(), strict=True))
        return math.log(DEAD_SHARE / (1.0 - DEAD_SHARE)) + odds, proofs

    # --- a given set --------------------------------------------------------------------------

    def _choose(self, worth: Floats) -> Action | None:
        """Read the likeliest winner of those left, then settle doubts."""
        roles, price = self.log.profile.roles, self.log.price(self.log.profile.roles)
        chances, value = self._chances(worth), self._value_in_set(worth)
        read = [c for c in self._known() if self.log.is_read(c.id)]
        unread = [c for c in self._known() if not self.log.is_read(c.id)]
        known = max((value[self._row[c.smiles]] for c in read), default=0.0)
        if len(read) < self._most and unread and self.log.budget_left >= FULL_CALLS * price:
            best = max(unread, key=lambda c: chances[self._row[c.smiles]])
            if known <= 0.9 or chances[self._row[best.smiles]] >= 0.15:
                return self.measure([best], roles)
        leaders = sorted(read, key=lambda c: -value[self._row[c.smiles]])[:2]
        wanted = [c for c in leaders[:1] if self._calls(c) < FULL_CALLS]
        if len(leaders) > 1 and known < 0.85 and value[self._row[leaders[1].smiles]] > known - 0.35:
            wanted = leaders
        affordable = self.log.budget_left >= len(wanted) * price
        return self.measure(wanted, roles) if wanted and affordable else None

    def _chances(self, worth: Floats) -> Floats:
        """Return the chance of each design that it meets the profile, given that one or two of the set do."""
        rows = self._rows(self._known())
        meets = ((worth >= MEETS).sum(axis=0) + 0.3) / (len(worth) + 1)
        other = ((worth < OTHERS_BELOW).sum(axis=0) + 1) / (len(worth) + 1)
        odds = meets / other
        low, high = -40.0, 60.0
        for _ in range(60):
            middle = (low + high) / 2
            scaled = odds[rows] * math.exp(middle)
            low, high = (low, middle) if (scaled / (1 + scaled)).sum() > WINNERS else (middle, high)
        chances: Floats = odds * math.exp(low) / (1 + odds * math.exp(low))
        return chances

    def _value_in_set(self, worth: Floats) -> Floats:
        chances = self._chances(worth)
        lower = worth < OTHERS_BELOW
        others = np.where(lower, worth, 0.0).sum(axis=0) / np.maximum(lower.sum(axis=0), 1)
        value: Floats = chances + (1.0 - chances) * others
        return value


def holder_1(_: Environment) -> CarefulHolderPolicy:
    """One assayed compound."""
    return CarefulHolderPolicy(1)


def holder_4(_: Environment) -> CarefulHolderPolicy:
    """Four assayed compounds."""
    return CarefulHolderPolicy(4)
