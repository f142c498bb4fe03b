"""The agent that climbs: edit the best-read compound, read everything, keep the best reading."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from molforge.actions import Action
from molforge.assays import make_price
from molforge.policies.logbook import Compound
from molforge.policies.player import Player
from molforge.policies.search import Candidate

BATCH = 4
CHEAPEST_MAKE = make_price(1.0)
UNREAD = -1.0


class GreedyPolicy(Player):
    """Hill-climbs on readings, one round of edits after the other."""

    name = "greedy"

    def open(self) -> None:
        """Forget what was tried."""
        self._tried: set[str] = set()

    def turn(self) -> Action:
        """Return the next round around the best reading, or its nomination."""
        if self.log.steps_left > 1:
            action = self._round() if self.log.offers_design else self._look()
            if action is not None:
                return action
        nominees = self.nominees
        return self.nominate(max(nominees, key=self.reading) if nominees else None)

    def reading(self, compound: Compound) -> float:
        """Return the desirability of a compound's readings, margins breaking ties; -1 if unread."""
        values = self.log.means(compound.id, self.log.profile.roles)
        if values is None:
            return UNREAD
        margin = float(np.clip(self.log.profile.margin(values)[0], -5.0, 5.0))
        return float(self.log.profile.desirability(values)[0]) + 1e-3 * margin

    def _catch_up(self) -> Action | None:
        """Read what a change of the profile left unread of the best so far."""
        behind = [compound for compound in self.log.own if not self.log.is_read(compound.id)]
        if not behind or not self.log.has_changed or len(behind) < len(self.log.own):
            return None
        best = sorted(behind, key=self._reading_so_far, reverse=True)[:BATCH]
        roles = [r for r in self.log.profile.roles if any(self.log.estimate(c.id, r) is None for c in best)]
        affordable = int(self.log.budget_left // self.log.price(roles))
        return self.measure(best[:affordable], roles) if best[:affordable] else None

    def _reading_so_far(self, compound: Compound) -> float:
        """Return the sum of the margins of the objectives that are read."""
        total = 0.0
        for objective in self.log.profile.objectives:
            values = self.log.means(compound.id, objective.roles)
            if values is not None:
                total += min(float(objective.margin(values)[0]), 0.0)
        return total

    def _round(self) -> Action | None:
        if (action := self._catch_up()) is not None:
            return action
        ranked = sorted(self.log.made, key=self.reading, reverse=True)
        roles, left, chosen = self.log.profile.roles, self.log.budget_left, list[Candidate]()
        readings, children = self.log.price(roles), self._children(ranked)
        while len(chosen) < BATCH and left >= CHEAPEST_MAKE + readings:
            if (child := next(children, None)) is None:
                break
            price = self.search.make_price(child) + readings
            if price <= left:
                self._tried.add(child.identity)
                left -= price
                chosen.append(child)
        return self.make(chosen, roles) if chosen else None

    def _children(self, parents: list[Compound]) -> Iterator[Candidate]:
        """Yield edits that may be made, those of the best parent first and in random order."""
        known = {self.candidate(compound).identity for compound in self.log.compounds.values()}
        for parent in parents:
            children = list(self.search.children(self.candidate(parent)))
            self.stream("order", self.turn_number, parent.id).shuffle(children)
            for child in children:
                if child.identity not in known | self._tried and self.search.is_allowed(child):
                    yield child

    def _look(self) -> Action | None:
        unread = [compound for compound in self.log.made if not self.log.is_read(compound.id)]
        if not unread or self.log.price(self.log.profile.roles) > self.log.budget_left:
            return None
        chosen = self.stream("look", self.turn_number).choice(unread)
        return self.measure([chosen], self.log.profile.roles)
