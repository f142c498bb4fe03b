"""Honest policies with one thing bent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rdkit import Chem

from molforge.actions import Action, ActionType, Prediction
from molforge.contract import Environment
from molforge.policies.greedy import GreedyPolicy
from molforge.policies.logbook import Compound

HUGE = 1e300


class _ZeroWidth(GreedyPolicy):
    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return intervals of no width."""
        honest = super().predictions(compound)
        return {name: Prediction(value=p.value, low=p.value, high=p.value) for name, p in honest.items()}


class _HugeWidth(GreedyPolicy):
    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return intervals that cannot miss."""
        honest = super().predictions(compound)
        return {name: Prediction(value=p.value, low=-HUGE, high=HUGE) for name, p in honest.items()}


class _Queued:
    """Greedy whose actions are broken up into several."""

    name = "queued"

    def __init__(self) -> None:
        self._inner = GreedyPolicy()

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme."""
        self._inner.begin(observation)
        self._waiting: list[Action] = []
        self._steps_left = int(observation["steps_left"])
        self._merged = dict(observation)
        self._is_first = True

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next part, or the parts of the next action of greedy."""
        self._collect(observation)
        if self._waiting and observation["steps_left"] > 1:
            return self._waiting.pop(0)
        self._waiting.clear()
        action = self._inner.act(self._merged)
        self._merged = {"compounds": [], "readings": []}
        self._waiting = self.parts(action)
        return self._waiting.pop(0)

    def _collect(self, observation: Mapping[str, Any]) -> None:
        if self._is_first:
            self._is_first = False
            return
        for name in ("compounds", "readings"):
            self._merged[name] = [*self._merged[name], *observation[name]]
        for name in ("budget_left", "steps_left"):
            self._merged[name] = observation[name]

    def parts(self, action: Action) -> list[Action]:
        """Return what an action is broken up into."""
        raise NotImplementedError


class _OneByOne(_Queued):
    def parts(self, action: Action) -> list[Action]:
        """One call for each structure."""
        if action.action_type is not ActionType.ASSAY:
            return [action]
        return [replace(action, smiles=(s,), compounds=()) for s in action.smiles] + [
            replace(action, smiles=(), compounds=(c,)) for c in action.compounds
        ]


class _Redrawn(GreedyPolicy):
    """Orders each structure in two drawings at once, hoping for two syntheses and two readings."""

    def act(self, observation: dict[str, Any]) -> Action:
        """Return greedy's action with a second drawing of each structure."""
        action = super().act(observation)
        if action.action_type is not ActionType.ASSAY or not action.smiles:
            return action
        other = tuple(Chem.MolToSmiles(Chem.MolFromSmiles(s), doRandom=True) for s in action.smiles)
        return replace(action, smiles=(action.smiles + other)[:8])


class _WaitOut(GreedyPolicy):
    """Reads the lead until nearly half of the money is gone, then plays."""

    SHARE = 0.46

    def turn(self) -> Action:
        """Read the lead first."""
        roles = self.log.profile.roles
        is_early = self.log.budget_left > (1.0 - self.SHARE) * self.log.budget
        if is_early and self.log.steps_left > 12 and self.log.offers_design:
            return replace(self.measure(self.log.made[:4], roles), replicates=2)
        return super().turn()


def zero_width(_: Environment) -> GreedyPolicy:
    """Greedy with intervals of no width."""
    return _ZeroWidth()


def huge_width(_: Environment) -> GreedyPolicy:
    """Greedy with intervals of 10^300."""
    return _HugeWidth()


def one_by_one(_: Environment) -> _Queued:
    """Greedy with every call split."""
    return _OneByOne()


def redrawn(_: Environment) -> GreedyPolicy:
    """Greedy that orders everything in two drawings."""
    return _Redrawn()


def wait_out(_: Environment) -> GreedyPolicy:
    """Greedy that first spends past the shift."""
    return _WaitOut()
