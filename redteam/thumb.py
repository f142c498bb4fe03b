"""Rules of thumb: what a chemist would try unseen, without an assay.

They are no scripts, for they act on what they know: prices grow with the complexity of a structure, small
or simplifying edits lose less of what the lead can do than bold ones, and what several compounds in hand have
in common is what they live by.
"""

from __future__ import annotations

import math
from typing import Any

from molforge.actions import Action, ActionType
from molforge.chem.structure import parse, similarity
from redteam.scripts import FIXED_MOLECULE, Script, nominate

GENTLE_EDITS = (
    "chain_contraction",
    "deaza",
    "methyl_removal",
    "chlorine_to_fluorine",
    "n_demethylation",
    "methyl_to_chlorine",
    "homologation",
)
"""The edits after which a compound is most often better than its lead: of those that apply to a tenth of the
leads or more, over 500 programmes of ``potency``, P(better) .41 to .21; a bold edit's is .10."""


class Cheapest(Script):
    """Designs what was suggested, makes the cheapest with one cheap reading, nominates it."""

    def play(self, turn: int) -> Action:
        """Suggest, design, make, nominate."""
        if not self.log.offers_design or turn > 2:
            return nominate(self.last if self.log.offers_design else "M1")
        if turn == 0:
            return Action(action_type=ActionType.SUGGEST, compound="M1")
        if turn == 1:
            found = tuple(line["smiles"] for line in self.seen["suggestions"])
            return Action(action_type=ActionType.DESIGN, smiles=found or (FIXED_MOLECULE,))
        waiting = [c for c in self.log.compounds.values() if not c.made]
        if not waiting:
            return nominate(self.last)
        cheapest = min(waiting, key=lambda compound: compound.make_price)
        return Action(action_type=ActionType.ASSAY, compounds=(cheapest.id,), assays=self.assays[:1])


class _Reading(Script):
    """Reads what it chose fully, states what was read, and nominates it."""

    READINGS = 2

    def read_or_nominate(self, compound: str) -> Action:
        """Return the next reading, or the nomination after the last one."""
        estimate = self.log.estimate(compound, self.log.profile.roles[0])
        is_wanting = estimate is None or estimate.paid_calls < self.READINGS
        if is_wanting and self.is_affordable():
            return self.read(compound)
        return nominate(compound, **self.log.predictions(compound))


class MostAlike(_Reading):
    """Makes what is most like all compounds in hand, of four lists of suggestions; of a set the typical."""

    LISTS = 4

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme."""
        super().begin(observation)
        self._offered: dict[str, float] = {}
        self._hand = [parse(compound.smiles) for compound in self.log.made]

    def play(self, turn: int) -> Action:
        """Suggest four times, make, read, nominate."""
        if not self.log.offers_design:
            return self.read_or_nominate(self.log.made[self._most_typical].id)
        if self.log.own:
            return self.read_or_nominate(self.log.own[0].id)
        for line in self.seen["suggestions"]:
            structure = parse(line["smiles"])
            self._offered[line["smiles"]] = math.fsum(similarity(structure, other) for other in self._hand)
        if turn < self.LISTS:
            return Action(action_type=ActionType.SUGGEST, compound=self.log.start.id)
        if not self._offered or not self.is_affordable():
            return nominate(self.last)
        best = max(self._offered, key=self._offered.__getitem__)
        del self._offered[best]  # its synthesis may fail: then the next
        return Action(action_type=ActionType.ASSAY, smiles=(best,), assays=self.assays)

    @property
    def _most_typical(self) -> int:
        """Place of the compound that another one is most like."""
        hand = self._hand
        nearest = [max(similarity(one, other) for other in hand if other is not one) for one in hand]
        return max(range(len(hand)), key=nearest.__getitem__)


class Gentle(_Reading):
    """Makes the first gentle edit of the first compound outside a claim, reads it fully and nominates it."""

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme."""
        super().begin(observation)
        self._edits = iter(GENTLE_EDITS)

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Suggest until an edit applies, make and read, nominate."""
        if not self.log.offers_design:
            return self.read_or_nominate(self.last)
        if self.log.own:
            return self.read_or_nominate(self.log.own[0].id)
        if found := self.seen["suggestions"]:
            return Action(action_type=ActionType.ASSAY, smiles=(found[0]["smiles"],), assays=self.assays)
        edit = next(self._edits, None)
        if edit is None:
            return nominate(self.last)
        start = self.log.start.id
        return Action(action_type=ActionType.SUGGEST, compound=start, transformation=edit, n=1)
