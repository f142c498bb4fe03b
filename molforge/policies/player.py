"""What all playing policies share: the logbook, the search, and ways to write actions down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from molforge.actions import Action, ActionType, Prediction
from molforge.policies.logbook import Compound, Logbook
from molforge.policies.search import Candidate, Search


class Player(ABC):
    """A policy with a memory; ``turn`` decides from ``self.log``."""

    name: ClassVar[str]

    log: Logbook
    search: Search

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        self._is_fresh = False

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme; everything earlier is forgotten."""
        self.log = Logbook(observation)
        # the search must not hold the policy: a cycle keeps its thousands of molecules alive
        claimed = self.log.claimed_lead
        self.search = Search(
            partial(self.log.stream, self.name, self.seed),
            claimed_lead=None if claimed is None else claimed.smiles,
        )
        self._is_fresh = True
        self.open()

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next action."""
        if not self._is_fresh:
            self.log.update(observation)
        self._is_fresh = False
        return self.turn()

    def open(self) -> None:  # noqa: B027 (most policies have nothing to prepare)
        """Prepare for a new programme."""

    @abstractmethod
    def turn(self) -> Action:
        """Return the next action from what the logbook holds."""

    def stream(self, *names: object) -> Any:
        """Return a random stream of this policy, its seed and the programme."""
        return self.log.stream(self.name, self.seed, *names)

    @property
    def turn_number(self) -> int:
        """Number that no two turns of a programme share."""
        return self.log.steps_left

    def candidate(self, compound: Compound) -> Candidate:
        """Return the structure of a registered compound, ready for the search."""
        return self.search.read(compound.smiles)

    @property
    def nominees(self) -> list[Compound]:
        """Compounds that may earn something: own ones, or any where nothing can be designed."""
        own = self.log.own if self.log.offers_design else self.log.made
        return [compound for compound in own if not compound.is_claimed]

    def measure(self, compounds: Sequence[Compound], roles: Iterable[str]) -> Action:
        """Return the action that reads ``roles`` once for each of ``compounds``."""
        return Action(
            action_type=ActionType.ASSAY,
            compounds=tuple(compound.id for compound in compounds),
            assays=self.log.assays(roles),
        )

    def make(self, candidates: Sequence[Candidate], roles: Iterable[str]) -> Action:
        """Return the action that makes structures and reads ``roles`` once for each."""
        return Action(
            action_type=ActionType.ASSAY,
            smiles=tuple(candidate.structure.smiles for candidate in candidates),
            assays=self.log.assays(roles),
        )

    def nominate(self, compound: Compound | None) -> Action:
        """Return the nomination with the 90 % intervals of the readings; ``stop`` for None."""
        if compound is None:
            return Action(action_type=ActionType.STOP, reason="nothing worth nominating")
        return Action(
            action_type=ActionType.NOMINATE, compound=compound.id, predicted=self.predictions(compound)
        )

    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return what the nominee is predicted to be: the intervals that its readings alone give."""
        return self.log.predictions(compound.id)
