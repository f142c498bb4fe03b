"""Policies at real programmes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType
from molforge.contract import Step
from molforge.policies import NAMES, make

TASKS = tuple(CATALOGUE)


class _Match:
    """A finished match and everything that was said."""

    def __init__(self, task: str, name: str, *, seed: int = 1, max_steps: int = 12, **arguments: Any) -> None:
        self.environment = MolforgeEnvironment()
        policy = make(name, seed=0)
        arguments = {**arguments, "task_id": task, "seed": seed, "max_steps": max_steps}
        step = self.environment.reset(arguments)
        self.actions: list[Action] = []
        self.steps: list[Step] = [step]
        policy.begin(step.observation)
        while not step.done:
            self.actions.append(policy.act(step.observation))
            step = self.environment.step(self.actions[-1])
            self.steps.append(step)

    @property
    def last(self) -> dict[str, Any]:
        return self.steps[-1].observation


@pytest.fixture(scope="module")
def match() -> Callable[..., _Match]:
    played: dict[tuple[Any, ...], _Match] = {}

    def playing(task: str, name: str, **arguments: Any) -> _Match:
        key = (task, name, *sorted(arguments.items()))
        if key not in played:
            played[key] = _Match(task, name, **arguments)
        return played[key]

    return playing


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", TASKS)
def test_policy_decides_and_never_asks_for_the_impossible(
    match: Callable[..., _Match], task: str, name: str
) -> None:
    played = match(task, name)

    assert played.last["phase"] in {"nominated", "stopped"}
    assert [step.observation["last_action_error"] for step in played.steps] == [None] * len(played.steps)


@pytest.mark.parametrize("name", ["random", "greedy", "planner"])
def test_short_programme_is_decided_in_time(match: Callable[..., _Match], name: str) -> None:
    for max_steps in (1, 2, 4):
        played = match("potency", name, max_steps=max_steps)

        assert played.last["phase"] in {"nominated", "stopped"}


@pytest.mark.parametrize("name", ["random", "planner"])
def test_same_programme_and_seed_give_the_same_actions(match: Callable[..., _Match], name: str) -> None:
    first = match("triage", name)

    again = _Match("triage", name)

    assert again.actions == first.actions


def test_planner_names_an_interval_for_every_objective(match: Callable[..., _Match]) -> None:
    played = match("selectivity", "planner")
    nomination = played.actions[-1]
    names = {objective["name"] for objective in played.steps[0].observation["brief"]["objectives"]}

    assert nomination.action_type is ActionType.NOMINATE
    assert set(nomination.predicted) == names
    assert all(p.low < p.value < p.high for p in nomination.predicted.values())


def test_planner_completes_the_evidence_and_asks_for_prior_art(match: Callable[..., _Match]) -> None:
    played = match("potency", "planner")
    nominee = played.actions[-1].compound
    found = [
        reading["value"]
        for step in played.steps
        for reading in step.observation["readings"]
        if reading["compound"] == nominee and reading["assay"] == "prior_art"
    ]

    assert played.last["score_parts"]["evidence"] == pytest.approx(1.0, abs=1e-3)
    assert found
    assert found[0] <= 0.85


def test_planner_drops_a_finalist_that_is_prior_art(monkeypatch: pytest.MonkeyPatch) -> None:
    favourite = _Match("potency", "planner", seed=2, max_steps=9)
    best = favourite.actions[-1].compound
    from molforge.laboratory import Laboratory

    plain = Laboratory._readings

    def taken(self: Laboratory, compound: Any, assay: Any, *rest: Any, **named: Any) -> Any:
        readings = plain(self, compound, assay, *rest, **named)
        if assay.name == "prior_art" and compound.id == best:
            from dataclasses import replace

            return [replace(reading, value=0.93) for reading in readings]
        return readings

    monkeypatch.setattr(Laboratory, "_readings", taken)

    played = _Match("potency", "planner", seed=2, max_steps=9)

    assert played.actions[-1].action_type is ActionType.NOMINATE
    assert played.actions[-1].compound != best


def test_unknown_policy_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="did you mean 'planner'"):
        make("planer")
