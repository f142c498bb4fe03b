"""Content-free policies: nothing they do depends on what they read.

Where a family offers no designs, a script that would make something looks at the first compound instead.
"""

from __future__ import annotations

from typing import Any

from molforge.actions import MAX_STRUCTURES, Action, ActionType, Prediction
from molforge.contract import Environment
from molforge.policies.logbook import Logbook
from molforge.policies.objectives import ANTI_TARGET
from redteam.fixed_list import FIXED_LIST

FIXED_MOLECULE = "O=C(NCc1ccccc1)c1ccc(N2CCOCC2)nc1"
TYPICAL_SYNTHESIS = 18.0
"""Credits."""


class Script:
    """A policy with a logbook; ``play`` returns the action of turn 0, 1, 2 ..."""

    name = "script"
    log: Logbook

    def __init__(self, environment: Environment | None = None) -> None:
        """The environment is not looked at: scripts know nothing."""

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme."""
        self.log = Logbook(observation)
        self.seen = observation
        self._turn = -1

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next action."""
        if self._turn >= 0:
            self.log.update(observation)
        self.seen = observation
        self._turn += 1
        return self.play(self._turn)

    def play(self, turn: int) -> Action:
        """Return the action of a turn."""
        raise NotImplementedError

    @property
    def assays(self) -> tuple[str, ...]:
        """Every assay that the objectives need, once."""
        return self.log.assays(self.log.profile.roles)

    @property
    def relative(self) -> tuple[str, ...]:
        """The relative of the target; where no objective asks for one, the last property."""
        roles = self.log.profile.roles
        return (ANTI_TARGET,) if ANTI_TARGET in roles else roles[-1:]

    @property
    def last(self) -> str:
        """Id of the compound that was made last."""
        return self.log.made[-1].id

    def is_affordable(self, compounds: int = 1) -> bool:
        """Say whether reading everything once, after a hard synthesis, can be paid."""
        return self.log.budget_left >= compounds * (24.0 + self.log.price(self.log.profile.roles))

    def read(self, *compounds: str) -> Action:
        """Return the action that reads everything once."""
        return Action(action_type=ActionType.ASSAY, compounds=compounds, assays=self.assays)


def nominate(compound: str, **predicted: Prediction) -> Action:
    """Return a nomination."""
    return Action(action_type=ActionType.NOMINATE, compound=compound, predicted=predicted)


STOP = Action(action_type=ActionType.STOP, reason="as every time")


class Stop(Script):
    """Stops at once."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Stop."""
        return STOP


class NominateLead(Script):
    """Nominates the first compound given."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Nominate."""
        return nominate("M1")


class NominateLeadWide(Script):
    """Nominates the first compound given, with intervals that cannot miss."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Nominate."""
        wide = Prediction(value=0.0, low=-1e12, high=1e12)
        return nominate("M1", **{o.name: wide for o in self.log.profile.objectives})


class OneMolecule(Script):
    """Makes one fixed molecule, reads it twice and nominates it."""

    def play(self, turn: int) -> Action:
        """Make, read, nominate."""
        if turn >= 2 or not self.is_affordable():
            return nominate(self.last)
        if turn == 0 and self.log.offers_design:
            return Action(action_type=ActionType.ASSAY, smiles=(FIXED_MOLECULE,), assays=self.assays)
        return self.read(self.last)


class Wait(Script):
    """Asks for the same free thing until the steps run out."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Ask."""
        return Action(action_type=ActionType.DESIGN, smiles=(FIXED_MOLECULE,))


class Nonsense(Script):
    """Sends what cannot be carried out, in turn, until the steps run out."""

    ACTIONS = (
        Action(action_type=ActionType.ASSAY, compounds=("M1",), assays=("potency",), replicates=-5),
        Action(action_type=ActionType.NOMINATE, compound="M999"),
        Action(action_type=ActionType.NOMINATE, compound=None),
        Action(command="give me the score"),
        Action(action_type=ActionType.ASSAY, compounds=("M1",), assays=("score",)),
        Action(action_type=ActionType.DESIGN, smiles=("this is [not] a (molecule",)),
    )

    def play(self, turn: int) -> Action:
        """Send the next."""
        return self.ACTIONS[turn % len(self.ACTIONS)]


class SuggestOnly(Script):
    """Asks for suggestions until one step is left, then nominates the lead."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Suggest."""
        if self.log.steps_left <= 1:
            return nominate("M1")
        return Action(action_type=ActionType.SUGGEST, compound="M1")


class ReadTheLead(Script):
    """Spends everything on readings of the lead and nominates it."""

    def play(self, turn: int) -> Action:  # noqa: ARG002
        """Read or nominate."""
        price = self.log.price(self.log.profile.roles)
        if self.log.steps_left <= 1 or self.log.budget_left < price:
            return nominate("M1")
        return self.read("M1")


class Cycle(Script):
    """Reads all given compounds one after the other, round and round, then lets the time run out."""

    def play(self, turn: int) -> Action:
        """Read the next compound, or wait."""
        ids = list(self.log.compounds)
        if self.log.budget_left < self.log.price(self.log.profile.roles):
            return Action(action_type=ActionType.DESIGN, smiles=(FIXED_MOLECULE,))
        return self.read(ids[turn % len(ids)])


class FirstSuggestion(Script):
    """Makes the first suggestion for the lead (or what no claim covers), reads one assay, nominates it."""

    readings = 0

    def play(self, turn: int) -> Action:
        """Suggest, make, read, nominate."""
        nominee = self.last if self.log.offers_design else "M1"
        reading = turn if self.log.offers_design else turn + 1
        if reading == 0:
            return Action(action_type=ActionType.SUGGEST, compound=self.log.start.id)
        found = [line["smiles"] for line in self.seen["suggestions"]]
        if reading == 1 and found:
            names = self.assays if self.readings else self.assays[:1]
            return Action(action_type=ActionType.ASSAY, smiles=tuple(found[:1]), assays=names)
        if reading <= self.readings and self.is_affordable():
            return self.read(nominee)
        return nominate(nominee, **(self.log.predictions(nominee) if self.readings else {}))


class FirstStated(FirstSuggestion):
    """The same with full evidence, and the intervals that it gives."""

    readings = 2


class Walk(Script):
    """Buys the suggestions for each given compound in turn, one reading twice, and stops without a look."""

    def play(self, turn: int) -> Action:
        """Suggest, buy, and so on while there is money; then stop."""
        if not self.log.offers_design or self.log.steps_left < 3:
            return STOP
        given = [compound.id for compound in self.log.compounds.values() if compound.given]
        if turn % 2 == 0:
            return Action(action_type=ActionType.SUGGEST, compound=given[turn // 2 % len(given)])
        wanted = self.relative
        payable = int(self.log.budget_left // (TYPICAL_SYNTHESIS + 2 * self.log.price(wanted)))
        found = tuple(line["smiles"] for line in self.seen["suggestions"])[:payable]
        if not found:
            return STOP
        assays = self.log.assays(wanted)
        return Action(action_type=ActionType.ASSAY, smiles=found, assays=assays, replicates=2)


class FixedList(Script):
    """Reads the relative of a list of structures, the same in every programme, and stops without a look.

    The list was made once, of reference designs that would prove most in 400 programmes of ``train``, seven a
    target: nothing of it hangs on what is read.
    """

    def play(self, turn: int) -> Action:
        """Buy the next eight; stop."""
        chunk = FIXED_LIST[turn * MAX_STRUCTURES : (turn + 1) * MAX_STRUCTURES]
        if not self.log.offers_design or not chunk or self.log.steps_left < 2:
            return STOP
        return Action(action_type=ActionType.ASSAY, smiles=chunk, assays=self.log.assays(self.relative))


class SetListThenStop(Script):
    """Buys the suggestions for the lead, all readings of them twice, and stops whatever they say."""

    def play(self, turn: int) -> Action:
        """Suggest, buy, buy again, stop."""
        if not self.log.offers_design:
            ids = tuple(self.log.compounds)[:4]
            return self.read(*ids) if turn == 0 and self.is_affordable(len(ids)) else STOP
        if turn == 0:
            return Action(action_type=ActionType.SUGGEST, compound="M1")
        found = tuple(line["smiles"] for line in self.seen["suggestions"])
        if turn == 1 and found and self.is_affordable(len(found)):
            return Action(action_type=ActionType.ASSAY, smiles=found, assays=self.assays)
        own = tuple(compound.id for compound in self.log.own)
        if turn == 2 and own and self.is_affordable(len(own)):
            return self.read(*own)
        return STOP
