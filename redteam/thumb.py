"""Rules of thumb: what a chemist would try unseen, without an assay.

They are no scripts, for they act on what they know: prices grow with the complexity of a structure, and small
or simplifying edits lose less of what the lead can do than bold ones.
"""

from __future__ import annotations

from typing import Any

from molforge.actions import Action, ActionType
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


class Gentle(Script):
    """Makes the first gentle edit of the first compound outside a claim, reads it fully and nominates it."""

    READINGS = 2

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme."""
        super().begin(observation)
        self._edits = iter(GENTLE_EDITS)

    def play(self, turn: int) -> Action:
        """Suggest until an edit applies, make and read, nominate."""
        if not self.log.offers_design:
            return self.read(self.last) if turn < self.READINGS else nominate(self.last)
        if self.log.own:
            return self._read_or_nominate(self.log.own[0].id)
        if found := self.seen["suggestions"]:
            return Action(action_type=ActionType.ASSAY, smiles=(found[0]["smiles"],), assays=self.assays)
        edit = next(self._edits, None)
        if edit is None:
            return nominate(self.last)
        start = self.log.start.id
        return Action(action_type=ActionType.SUGGEST, compound=start, transformation=edit, n=1)

    def _read_or_nominate(self, compound: str) -> Action:
        estimate = self.log.estimate(compound, self.log.profile.roles[0])
        is_wanting = estimate is None or estimate.paid_calls < self.READINGS
        return self.read(compound) if is_wanting and self.is_affordable() else nominate(compound)
