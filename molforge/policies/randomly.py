"""The agent that does random things: what a budget is worth without a thought."""

from __future__ import annotations

from molforge.actions import Action
from molforge.policies.player import Player
from molforge.policies.search import Candidate

BATCH = 4
ASSAY_SHARE = 0.7
TRIES = 8
STOP_SHARE = 0.5


class RandomPolicy(Player):
    """Edits known compounds at random, reads some properties, nominates at random.

    Where there may be nothing to find it stops by the toss of a coin instead.
    """

    name = "random"

    def turn(self) -> Action:
        """Return a random round, or a random nomination when money or turns run out."""
        rng = self.stream("turn", self.turn_number)
        roles = [role for role in self.log.profile.roles if rng.random() < ASSAY_SHARE]
        roles = roles or [self.log.profile.roles[0]]
        if self.log.steps_left > 1:
            affordable = self._round(roles) if self.log.offers_design else self._look(roles)
            if affordable is not None:
                return affordable
        nominees = [] if self.log.may_be_dead and rng.random() < STOP_SHARE else self.nominees
        return self.nominate(rng.choice(nominees) if nominees else None)

    def _round(self, roles: list[str]) -> Action | None:
        rng = self.stream("edits", self.turn_number)
        known = {self.candidate(compound).identity for compound in self.log.compounds.values()}
        chosen: dict[str, Candidate] = {}
        left = self.log.budget_left
        for _ in range(BATCH * TRIES):
            child = self.search.mutant(self.candidate(rng.choice(self.log.made)), rng)
            if child is None or child.identity in known or child.identity in chosen:
                continue
            left -= self.search.make_price(child) + self.log.price(roles)
            if left < 0:
                break
            chosen[child.identity] = child
            if len(chosen) == BATCH:
                break
        return self.make(list(chosen.values()), roles) if chosen else None

    def _look(self, roles: list[str]) -> Action | None:
        rng = self.stream("look", self.turn_number)
        price = self.log.price(roles)
        if price > self.log.budget_left:
            return None
        return self.measure([rng.choice(self.log.made)], roles)
