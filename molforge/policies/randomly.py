"""The agent that does random things: what a choice is worth that nobody thought about."""

from __future__ import annotations

from typing import Any

from molforge.actions import Action, ActionType
from molforge.policies.player import Player
from molforge.policies.search import Candidate

BATCH = 4
"""Compounds that are made at most."""
READINGS = 2
"""Of everything, in calls of their own: full evidence."""


class RandomPolicy(Player):
    """Makes a random number of random suggestions for the lead, reads one of them fully, nominates it.

    It takes the same care with a nominee as an honest agent, two readings and their intervals: whatever a
    content-free script nominates is no better than a random choice, so none can be expected to earn more.
    Where a claim covers the lead it takes the next compound, and where nothing can be designed any compound.
    """

    name = "random"

    def open(self) -> None:
        """Nothing is offered or chosen yet."""
        self._offered: list[str] = []
        self._chosen: str | None = None
        self._read = 0

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next action."""
        self._offered = [line["smiles"] for line in observation["suggestions"]]
        return super().act(observation)

    def turn(self) -> Action:
        """Return the next step towards a nomination; nominate early where money or turns run out."""
        if self._chosen is None and self.nominees:
            self._chosen = self.stream("choice").choice(self.nominees).id
            self._read = int(self.log.offers_design)
        has_turns = self.log.steps_left > 1
        if self._chosen is None:
            action = self._design() if has_turns else None
            return action or self.nominate(None)
        chosen = self.log.compounds[self._chosen]
        price = self.log.price(self.log.profile.roles)
        if self._read < READINGS and has_turns and price <= self.log.budget_left:
            self._read += 1
            return self.measure([chosen], self.log.profile.roles)
        return self.nominate(chosen)

    def _design(self) -> Action | None:
        """Ask for suggestions, then make what can be paid of some of them."""
        roles = self.log.profile.roles
        if not self._offered:
            affordable = self.log.budget_left >= BATCH * self.log.price(roles)
            return Action(action_type=ActionType.SUGGEST, compound=self.log.start.id) if affordable else None
        rng = self.stream("edits", self.turn_number)
        known = {self.candidate(compound).identity for compound in self.log.compounds.values()}
        left = self.log.budget_left
        wanted = rng.randint(1, BATCH)
        chosen: list[Candidate] = []
        for smiles in rng.sample(self._offered, len(self._offered)):
            candidate = self.search.read(smiles)
            left -= self.search.make_price(candidate) + self.log.price(roles)
            if left < 0 or len(chosen) == wanted:
                break
            if candidate.identity not in known:
                chosen.append(candidate)
        return self.make(chosen, roles) if chosen else None
