"""The reference plan as a policy: proof, by playing it, that a programme can be solved."""

from __future__ import annotations

from typing import Any

from molforge.actions import Action, ActionType, Prediction
from molforge.assays import Z90
from molforge.chem.structure import parse
from molforge.episode import Episode


class ReferencePlan:
    """Makes the witness, reads every objective from two calls, nominates it with honest intervals.

    It holds the episode, hidden plan included: an oracle for audits and leaderboards, not an agent.
    """

    name = "witness"

    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._witness = parse(episode.programme.plan.witness)

    def begin(self, observation: dict[str, Any]) -> None:
        """Nothing to note: everything is known."""

    def act(self, observation: dict[str, Any]) -> Action:  # noqa: ARG002
        """Return the next action of the plan."""
        programme = self._episode.programme
        compound = self._episode.laboratory.notebook.find(self._witness.identity)
        names = tuple(programme.standard_assay(name).name for name in programme.profile.properties)
        if compound is None:
            return Action(action_type=ActionType.ASSAY, smiles=(self._witness.smiles,), assays=names)
        paid = {
            reading.call
            for readings in self._episode.laboratory.notebook.of(compound.id).values()
            for reading in readings
            if reading.paid
        }
        if len(paid) < programme.plan.readings:
            return Action(action_type=ActionType.ASSAY, compounds=(compound.id,), assays=names)
        return Action(
            action_type=ActionType.NOMINATE, compound=compound.id, predicted=self._predict(compound.id)
        )

    def _predict(self, compound_id: str) -> dict[str, Prediction]:
        notebook = self._episode.laboratory.notebook
        predicted = {}
        for objective in self._episode.programme.profile.objectives:
            estimate = notebook.estimate_objective(objective, compound_id)
            if estimate is not None:
                half = Z90 * estimate.variance**0.5
                predicted[objective.name] = Prediction(
                    value=estimate.value, low=estimate.value - half, high=estimate.value + half
                )
        return predicted
