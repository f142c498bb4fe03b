"""Somebody who holds the package but not the secret, computes for free, and pays for assays like anybody.

Belief: 200 own worlds over the reference designs, conditioned on every reading. Each round makes the four
designs with the largest expected improvement per credit; then the best is read again and nominated. With
the whole budget this is the leaderboard's "planner with the true prior".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from molforge.actions import MAX_STRUCTURES, Action, Prediction
from molforge.assays import failure_probability, make_price
from molforge.contract import Environment
from molforge.landscapes.pool import Pool
from molforge.policies.logbook import Compound
from molforge.policies.objectives import ANTI_TARGET, Floats
from molforge.policies.player import Player
from molforge.policies.search import Candidate
from molforge.policies.viability import DEAD_BOUND, SOLVABLE_BOUND
from redteam.insight import OWN_WORLDS, conditioned, is_claimed, own_worlds, recognise
from redteam.memory import MAX_SA

ROUND = 4
RESERVE = 2.0
"""Full readings of one compound that are kept for the end."""
FULL_CALLS = 2
FINALISTS = 3
ECONOMY = 0.10
PROOFS = 48
"""Designs that ``blind_proof`` buys, as far as the money goes."""
DEPTH = 6
"""Readings of each call of ``convinced_stop``."""


class HolderPolicy(Player):
    """See the module."""

    name = "holder"
    worlds = OWN_WORLDS

    def open(self) -> None:
        """Recognise the target and prepare the prior."""
        target = recognise([compound.smiles for compound in self.log.made])
        self._pool = Pool.load(target)
        self._row = {smiles: row for row, smiles in enumerate(self._pool.smiles)}
        self._price = np.array([make_price(sa) for sa in self._pool.sa])
        self._success = 1.0 - np.array([failure_probability(sa) for sa in self._pool.sa])
        self._rate = self._success / (self._price + self.log.price(self.log.profile.roles))

    def turn(self) -> Action:
        """Return the next round, the readings of the finalists, or the nomination."""
        draws = self._posterior()
        worth = self.log.profile.desirability(draws)
        if self.log.steps_left > 1:
            action = self._missing() or self._round(worth) or self._confirm(worth)
            if action is not None:
                return action
        ranked = self._ranked(worth)
        self._draws = draws
        return self.nominate(ranked[0] if ranked else None)

    def _posterior(self, unread: str = "") -> Mapping[str, Floats]:
        """Return the draws given the readings; of ``unread`` only those that came with the brief."""
        found = {}
        prior = own_worlds(self._pool.name, self.log.profile.roles, self.worlds)
        for role, draws in prior.items():
            compounds = [c for c in self._known() if c.given or role != unread]
            known = [(self._row[c.smiles], self.log.estimate(c.id, role)) for c in compounds]
            read = [(row, estimate) for row, estimate in known if estimate is not None]
            rows = [row for row, _ in read]
            means = np.array([estimate.mean for _, estimate in read])
            variances = np.array([estimate.variance for _, estimate in read])
            found[role] = conditioned(draws, rows, means, variances, self.turn_number)
        return found

    def _known(self) -> list[Compound]:
        return [compound for compound in self.log.made if compound.smiles in self._row]

    def _rows(self, compounds: Iterable[Compound]) -> list[int]:
        """Return the rows of those that are reference designs."""
        return [self._row[compound.smiles] for compound in compounds if compound.smiles in self._row]

    def _incumbent(self, worth: Floats) -> float:
        """Return the best expected desirability of what could be nominated, 0 where there is nothing."""
        rows = self._rows(self.nominees)
        return float(worth.mean(axis=0)[rows].max()) if rows else 0.0

    def _missing(self) -> Action | None:
        """Try again what failed to be made, and read what was made and not read."""
        unread = [c for c in self.log.own if not self.log.is_read(c.id) and c.smiles in self._row]
        price = self.log.price(self.log.profile.roles)
        if unread and self.log.budget_left >= price * len(unread):
            return self.measure(unread, self.log.profile.roles)
        return None

    def _round(self, worth: Floats) -> Action | None:
        if not self.log.offers_design:
            return self._look(worth)
        roles = self.log.profile.roles
        taken = set(self._rows(self.log.compounds.values()))
        incumbent = self._incumbent(worth)
        gain = np.maximum(worth - incumbent, 0.0).mean(axis=0)
        order = np.argsort(-gain * self._rate).tolist()
        money = self.log.budget_left - RESERVE * self.log.price(roles)
        if self._rows(self.nominees) and gain[order[0]] * self._rate[order[0]] < self._hurdle(incumbent):
            return None
        chosen = []
        for row in order:
            price = float(self._price[row]) + self.log.price(roles)
            if row in taken or self._pool.sa[row] >= MAX_SA or price > money:
                continue
            candidate = self.search.read(self._pool.smiles[row])
            if is_claimed(self.log, candidate.structure):
                continue
            money -= price
            chosen.append(candidate)
            if len(chosen) == ROUND:
                break
        return self.make(chosen, roles) if chosen and self.log.steps_left > 3 else None

    def _look(self, worth: Floats) -> Action | None:
        """Read the most promising of a given set."""
        roles = self.log.profile.roles
        money = self.log.budget_left - self.log.price(roles)
        unread = [c for c in self._known() if not self.log.is_read(c.id)]
        if not unread or money < self.log.price(roles):
            return None
        read = [self._row[c.smiles] for c in self._known() if self.log.is_read(c.id)]
        incumbent = float(worth.mean(axis=0)[read].max()) if read else 0.0
        gain = np.maximum(worth - incumbent, 0.0).mean(axis=0)
        best = max(unread, key=lambda compound: gain[self._row[compound.smiles]])
        if gain[self._row[best.smiles]] / self.log.price(roles) < self._hurdle(incumbent):
            return None
        return self.measure([best], roles)

    def _hurdle(self, incumbent: float) -> float:
        """Return the gain per credit below which credits are better left over."""
        return ECONOMY * incumbent / self.log.budget

    def _ranked(self, worth: Floats) -> list[Compound]:
        mean = worth.mean(axis=0)
        own = [c for c in self.nominees if c.smiles in self._row and not c.properties.get("inside_claim")]
        return sorted(own, key=lambda compound: -mean[self._row[compound.smiles]])

    def _confirm(self, worth: Floats) -> Action | None:
        roles = self.log.profile.roles
        mean = worth.mean(axis=0)
        ranked = self._ranked(worth)[:FINALISTS]
        wanting = [
            compound
            for compound in ranked
            if any(
                (e := self.log.estimate(compound.id, r)) is None or e.paid_calls < FULL_CALLS for r in roles
            )
            and mean[self._row[compound.smiles]] > 0.9 * mean[self._row[ranked[0].smiles]]
        ]
        while wanting and len(wanting) * self.log.price(roles) > self.log.budget_left:
            wanting.pop()
        return self.measure(wanting, roles) if wanting else None

    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return the central 90 % of the draws."""
        row = self._row[compound.smiles]
        predicted = {}
        for objective in self.log.profile.objectives:
            values = objective.value({role: draws[:, row] for role, draws in self._draws.items()})
            low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
            predicted[objective.name] = Prediction(value=float(middle), low=float(low), high=float(high))
        return predicted


class ConvincedStopPolicy(HolderPolicy):
    """Reads the relative of four designs that ought to be selective, then stops whatever it says."""

    name = "convinced_stop"

    def turn(self) -> Action:
        """Make four, read them deeply, stop."""
        own = [compound for compound in self.log.own if compound.made]
        if not self.log.own:
            draws = own_worlds(self._pool.name, ("potency", ANTI_TARGET))
            selective = (draws["potency"] - draws[ANTI_TARGET]).mean(axis=0)
            selective[self._pool.sa >= MAX_SA] = -np.inf
            rows = np.argsort(-selective).tolist()[:ROUND]
            return self.make([self.search.read(self._pool.smiles[row]) for row in rows], [ANTI_TARGET])
        read = [self.log.estimate(compound.id, ANTI_TARGET) for compound in own]
        if own and all(e is None or e.paid_calls < FULL_CALLS + 1 for e in read):
            return replace(self.measure(own, [ANTI_TARGET]), replicates=DEPTH)
        return self.nominate(None)


class BlindProofPolicy(HolderPolicy):
    """Buys what ought to prove most that the programme is dead, and stops whatever it says."""

    name = "blind_proof"

    def open(self) -> None:
        """Put the designs in the order of the proof that is expected of them, were the programme dead."""
        super().open()
        profile, draws = self.log.profile, self._posterior()
        limits = next(o.limits for o in profile.objectives if ANTI_TARGET in o.roles)
        potency, relative = draws[profile.roles[0]], draws[ANTI_TARGET]
        dead, solvable = (
            np.maximum(relative, potency - limit - sum(bound) / 2)
            for limit, bound in zip(limits[:2], (DEAD_BOUND, SOLVABLE_BOUND), strict=True)
        )
        assay = self.log.standard(ANTI_TARGET)
        ratio = (dead - solvable) ** 2 / (2.0 * (assay.well_variance + assay.run_variance))
        good = profile.without(ANTI_TARGET).desirability(draws)
        worth = (np.minimum(1.0, ratio) * good).mean(axis=0) * self._success
        worth[self._pool.sa >= MAX_SA] = 0.0
        self._list = np.argsort(-worth).tolist()[:PROOFS]

    def turn(self) -> Action:
        """Make and read the next ones once; stop."""
        money = self.log.budget_left
        chosen: list[Candidate] = []
        while self._list and len(chosen) < MAX_STRUCTURES:
            money -= float(self._price[self._list[0]]) + self.log.price([ANTI_TARGET])
            if money < 0:
                break
            chosen.append(self.search.read(self._pool.smiles[self._list.pop(0)]))
        return self.make(chosen, [ANTI_TARGET]) if chosen else self.nominate(None)


def blind_proof(_: Environment) -> BlindProofPolicy:
    """The whole budget on proof, without a look."""
    return BlindProofPolicy()


def convinced_stop(_: Environment) -> ConvincedStopPolicy:
    """Evidence of death, bought blindly."""
    return ConvincedStopPolicy()


def holder(_: Environment) -> HolderPolicy:
    """The whole budget."""
    return HolderPolicy()
