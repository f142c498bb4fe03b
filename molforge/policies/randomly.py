"""The agent that does random things: what a budget is worth without a thought."""

from __future__ import annotations

from typing import Any

from molforge.actions import Action, ActionType
from molforge.policies.player import Player
from molforge.policies.search import Candidate

BATCH = 4
ASSAY_SHARE = 0.7
END_SHARE = 0.25
"""Chance of ending the programme after each round."""
STOP_SHARE = 0.5


class RandomPolicy(Player):
    """Makes random suggestions for the lead, reads some properties, nominates at random after a random time.

    Edits of its own edits would lead it away from anything worth having, and play to the last credit
    would leave no economy: a weaker line to measure content-free scripts by. Where a claim covers the
    lead it takes the next compound. Where there may be nothing to find it stops by the toss of a coin.
    """

    name = "random"

    def open(self) -> None:
        """Nothing is offered yet."""
        self._offered: list[str] = []

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next action."""
        self._offered = [line["smiles"] for line in observation["suggestions"]]
        return super().act(observation)

    def turn(self) -> Action:
        """Return a random round, or a random nomination when it is enough or money or turns run out."""
        rng = self.stream("turn", self.turn_number)
        roles = [role for role in self.log.profile.roles if rng.random() < ASSAY_SHARE]
        roles = roles or [self.log.profile.roles[0]]
        is_over = self._has_played and not self._offered and rng.random() < END_SHARE
        if self.log.steps_left > 1 and not is_over:
            action = self._round(roles) if self.log.offers_design else self._look(roles)
            if action is not None:
                return action
        nominees = [] if self.log.may_be_dead and rng.random() < STOP_SHARE else self.nominees
        return self.nominate(rng.choice(nominees) if nominees else None)

    @property
    def _has_played(self) -> bool:
        return bool(self.log.own) if self.log.offers_design else self.log.budget_left < self.log.budget

    def _round(self, roles: list[str]) -> Action | None:
        """Ask for suggestions, then make what can be paid of some of them."""
        if not self._offered:
            affordable = self.log.budget_left >= 4 * self.log.price(self.log.profile.roles)
            return Action(action_type=ActionType.SUGGEST, compound=self.log.start.id) if affordable else None
        rng = self.stream("edits", self.turn_number)
        known = {self.candidate(compound).identity for compound in self.log.compounds.values()}
        left = self.log.budget_left
        chosen: list[Candidate] = []
        for smiles in rng.sample(self._offered, len(self._offered)):
            candidate = self.search.read(smiles)
            left -= self.search.make_price(candidate) + self.log.price(roles)
            if left < 0 or len(chosen) == BATCH:
                break
            if candidate.identity not in known:
                chosen.append(candidate)
        return self.make(chosen, roles) if chosen else None

    def _look(self, roles: list[str]) -> Action | None:
        rng = self.stream("look", self.turn_number)
        price = self.log.price(roles)
        if price > self.log.budget_left:
            return None
        return self.measure([rng.choice(self.log.made)], roles)
