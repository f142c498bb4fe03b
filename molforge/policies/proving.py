"""How the planner shows a programme to be dead: what it reads again, what it makes for that, and the stop.

A stop earns by its proof: compounds count that are read at the relative and would be good but for it. A dead
programme has few of them on its own, for nothing there looks worth making; so some are made on purpose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from molforge.actions import MAX_STRUCTURES, Action, ActionType
from molforge.policies.objectives import ANTI_TARGET, Floats
from molforge.policies.proposals import Breadth, Proposer
from molforge.policies.viability import CONVINCED, Verdict, judge

if TYPE_CHECKING:
    from molforge.policies.forecasting import Outlook
    from molforge.policies.logbook import Compound
    from molforge.policies.player import Player
    from molforge.policies.search import Candidate

TYPICAL_SYNTHESIS = 14.0
"""Credits."""
PROVEN = 0.5
"""What a new compound adds to the proof."""
KEPT = 0.5
"""Part of the price of a whole proof that is kept for it, times the probability of being dead."""


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to say for a stop."""

    player: Player
    verdict: Verdict
    outlook: Outlook
    """The belief where the relative is not asked for."""
    candidates: Sequence[Candidate]
    """The measured compounds, those first that would be best but for the relative."""
    quantiles: dict[str, Floats]

    @property
    def dead(self) -> float:
        """Return the probability that the programme cannot be solved."""
        return self.verdict.dead

    @property
    def reserve(self) -> float:
        """Return the credits that are kept for the proof."""
        return self.dead * KEPT * CONVINCED / PROVEN * self._price

    @property
    def worth_of_stopping(self) -> float:
        """Return what a stop is expected to earn when all that is left is spent on its proof."""
        turns = max(0, self.player.log.steps_left - 1)
        compounds = min(int(self.player.log.budget_left // self._price), turns * MAX_STRUCTURES)
        return self.verdict.worth_of_stopping(PROVEN * compounds)

    def turn(self) -> Action:
        """Return the readings that the proof still wants, then the stop."""
        action = None
        if self.verdict.missing and self.player.log.steps_left > 1:
            action = self._read() or self._make()
        return action or Action(
            action_type=ActionType.STOP, reason="the relative follows the target everywhere"
        )

    def _read(self) -> Action | None:
        """Read the relative again where that proves more than a new compound for the same money."""
        price = self.player.log.price([ANTI_TARGET])
        wanted = int((self.verdict.gains > PROVEN * price / self._price).sum())
        count = min(wanted, int(self.player.log.budget_left // price), MAX_STRUCTURES)
        return self.player.measure(self.verdict.compounds[:count], [ANTI_TARGET]) if count else None

    def _make(self) -> Action | None:
        """Make what would be good but for the relative."""
        affordable = int(self.player.log.budget_left // self._price)
        count = min(math.ceil(self.verdict.missing / PROVEN), MAX_STRUCTURES, affordable)
        if count < 1:
            return None
        found = Proposer(self.player.search, Breadth()).propose(
            self.outlook,
            self.candidates,
            taken={candidate.identity for candidate in self.candidates},
            incumbent=0.0,
            quantiles=self.quantiles,
            reading_price=self.player.log.price(self._roles),
            count=count,
            turn=self.player.turn_number,
        )
        return self.player.make([proposal.candidate for proposal in found], self._roles) if found else None

    @property
    def _roles(self) -> tuple[str, ...]:
        return (self.player.log.profile.roles[0], ANTI_TARGET)

    @property
    def _price(self) -> float:
        """Credits for a compound of the proof."""
        return TYPICAL_SYNTHESIS + self.player.log.price(self._roles)


def case_for_stopping(
    player: Player,
    compounds: Sequence[Compound],
    candidates: Sequence[Candidate],
    outlook: Outlook,
    quantiles: dict[str, Floats],
) -> Case | None:
    """Return the case; None where the brief rules out dead programmes or nothing was read of the relative."""
    if not player.log.may_be_dead:
        return None
    uncoupled = outlook.without(ANTI_TARGET)
    good = uncoupled.worth(candidates, quantiles).expected
    verdict = judge(player.log, compounds, outlook, good)
    if verdict is None:
        return None
    order = np.argsort(-good, kind="stable").tolist()
    return Case(player, verdict, uncoupled, [candidates[row] for row in order], quantiles)
