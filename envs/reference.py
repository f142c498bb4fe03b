"""The reference plan as a policy: proof, by playing it, that a programme can be solved."""

from __future__ import annotations

from typing import Any

from molforge.actions import MAX_STRUCTURES, Action, ActionType, Prediction
from molforge.assays import Z90
from molforge.chem.structure import parse
from molforge.episode import Episode
from molforge.programme import Round


class ReferencePlan:
    """Makes the witness, reads and nominates it with honest intervals; a dead programme it proves dead.

    It holds the episode, hidden plan included: an oracle for audits and leaderboards, not an agent.
    """

    name = "witness"

    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._witness = parse(episode.programme.plan.witness)
        self._proof = [parse(smiles) for smiles in episode.programme.plan.proof]

    def begin(self, observation: dict[str, Any]) -> None:
        """Nothing to note: everything is known."""

    def act(self, observation: dict[str, Any]) -> Action:  # noqa: ARG002
        """Return the next action of the plan."""
        if self._proof:
            return self._show()
        programme = self._episode.programme
        compound = self._episode.laboratory.notebook.find(self._witness.identity)
        if compound is None or not compound.made:
            return self._call(programme.plan.rounds[0], self._witness.smiles)
        readings = self._episode.laboratory.notebook.of(compound.id).values()
        calls = {reading.call for by_property in readings for reading in by_property if reading.paid}
        if len(calls) < len(programme.plan.rounds):
            return self._call(programme.plan.rounds[len(calls)], compound.id)
        return Action(
            action_type=ActionType.NOMINATE, compound=compound.id, predicted=self._predict(compound.id)
        )

    def _show(self) -> Action:
        find = self._episode.laboratory.notebook.find
        missing = [s.smiles for s in self._proof if (found := find(s.identity)) is None or not found.made]
        if missing:
            return self._call(self._episode.programme.plan.rounds[0], *missing[:MAX_STRUCTURES])
        return Action(action_type=ActionType.STOP, reason="the relative follows the target everywhere")

    @staticmethod
    def _call(each: Round, *compounds: str) -> Action:
        return Action(
            action_type=ActionType.ASSAY,
            compounds=compounds,
            assays=each.assays,
            replicates=each.replicates,
        )

    def _predict(self, compound_id: str) -> dict[str, Prediction]:
        notebook = self._episode.laboratory.notebook
        predicted = {}
        for objective in self._episode.programme.judged.profile.objectives:
            estimate = notebook.estimate_objective(objective, compound_id)
            if estimate is not None:
                half = Z90 * estimate.variance**0.5
                predicted[objective.name] = Prediction(
                    value=estimate.value, low=estimate.value - half, high=estimate.value + half
                )
        return predicted
