"""Episodes: the books balance, nothing leaks, refused actions change nothing."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType, Prediction
from molforge.errors import EpisodeOver, NotReset

SMILES = (
    "CC(=O)Nc1ccc(OCCN2CCCCC2)cc1",
    "COc1ccc(CNC(=O)c2ccccc2Cl)cc1",
    "O=C(NCc1ccccc1)c1ccc(N2CCOCC2)nc1",
    "CCO",
    "c1ccccc1",
    "C1CC",
    "not a molecule",
    "C" * 300,
    "O=C(O)c1ccccc1.[Na]",
)
ASSAYS = ("potency", "logd", "solubility", "off_target", "anti_target", "prior_art", "hergg")


def random_action(rng: random.Random) -> Action:
    kind = rng.choice([*ActionType, ActionType.ASSAY, ActionType.ASSAY, None])
    numbers = [rng.uniform(-10, 20), float("nan"), float("inf")]
    return Action(
        action_type=kind if kind is not ActionType.STOP or rng.random() < 0.2 else ActionType.ASSAY,
        compound=rng.choice(["M1", "M2", "M9", "m1", "x", None]),
        transformation=rng.choice([None, None, "no_such_edit"]),
        n=rng.choice([1, 8, 0, 99]),
        smiles=tuple(rng.choice(SMILES) for _ in range(rng.choice([0, 0, 1, 3, 9]))),
        compounds=tuple(rng.choice(["M1", "M2", "M5", "M99", "CCO"]) for _ in range(rng.choice([0, 1, 2]))),
        assays=tuple(rng.choice(ASSAYS) for _ in range(rng.choice([0, 1, 2]))),
        replicates=rng.choice([1, 2, 0, -3, 8, 10**9]),
        predicted={
            rng.choice(["potency", "nonsense"]): Prediction(
                value=rng.choice(numbers), low=rng.choice(numbers), high=rng.choice(numbers)
            )
        }
        if rng.random() < 0.3
        else {},
        reason=rng.choice([None, "dead", "out_of_time"]),
        command=None if kind is not None else rng.choice(["", "design CCO", "nonsense", "assay M1: logd"]),
    )


class AnyPlay(RuleBasedStateMachine):
    """Random actions in a random family: rewards sum to the score, money is never negative."""

    @initialize(task=st.sampled_from(sorted(CATALOGUE)), seed=st.integers(0, 5), sparse=st.booleans())
    def open(self, task: str, seed: int, sparse: bool) -> None:
        self.environment = MolforgeEnvironment()
        mode = "sparse" if sparse else "dense"
        self.step = self.environment.reset(
            {"task_id": task, "seed": seed, "max_steps": 8, "reward_mode": mode}, session_id="s"
        )
        self.total = 0.0
        self.steps = 0

    @precondition(lambda self: not self.step.done)
    @rule(seed=st.integers(0, 10**6))
    def act(self, seed: int) -> None:
        before = self.environment.state()
        self.step = self.environment.step(random_action(random.Random(seed)))
        self.total += self.step.reward
        self.steps += 1
        error = self.step.observation["last_action_error"]
        if error is not None and not self.step.observation["compounds"] and not self.step.done:
            after = self.environment.state()
            for name in ("compounds", "readings", "budget_left"):
                assert after[name] == before[name], error

    @precondition(lambda self: self.step.done)
    @rule()
    def act_after_the_end(self) -> None:
        before = json.dumps(self.environment.state())
        with pytest.raises(EpisodeOver):
            self.environment.step(Action(action_type=ActionType.NOMINATE, compound="M1"))
        assert json.dumps(self.environment.state()) == before

    @invariant()
    def books_balance(self) -> None:
        observation = self.step.observation
        assert observation["budget_left"] >= 0
        assert -1.0 <= self.step.reward <= 1.0
        assert self.environment.state()["step_count"] == self.steps
        json.dumps(observation, allow_nan=False)
        if self.step.done:
            assert 0.01 <= observation["score"] <= 0.99
            assert abs(self.total - observation["score"]) < 1e-9
        else:
            assert observation["score"] is None
            assert observation["score_parts"] is None


TestAnyPlay = AnyPlay.TestCase
TestAnyPlay.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_step_before_reset_is_refused() -> None:
    with pytest.raises(NotReset):
        MolforgeEnvironment().step(Action(action_type=ActionType.STOP))


def test_a_session_that_never_seeds_meets_new_worlds() -> None:
    environment = MolforgeEnvironment()

    seeds = [environment.reset({}).observation["seed"] for _ in range(3)]
    other = environment.reset({"split": "test"}).observation["seed"]

    assert seeds == [0, 1, 2]
    assert other == 0


class Veiled:
    """A hidden world with everything changed but what a set of compounds is worth."""

    def __init__(self, world: Any, kept: set[str]) -> None:
        self._world, self._kept = world, kept

    def values(self, structure: Any) -> Any:
        values = self._world.values(structure)
        if structure.identity in self._kept:
            return values
        return {name: round(9.0 - value, 3) for name, value in values.items()}

    def nearest(self, structure: Any) -> float:
        return self._world.nearest(structure)


def _play(programme: Any, play: Any, seed: int) -> tuple[list[str], set[str]]:
    """Return the messages of a random episode and the identities that were measured."""
    episode, rng = play(programme), random.Random(seed)
    step = episode.opening()
    messages = [json.dumps(step.observation)]
    while not step.done:
        action = random_action(rng)
        if action.action_type is ActionType.NOMINATE and episode.steps < 6:
            action = Action(action_type=ActionType.DESIGN, smiles=SMILES[:3])
        step = episode.step(action)
        messages.append(json.dumps([step.observation, step.reward]))
    notebook = episode.laboratory.notebook
    return messages, {notebook.compounds[reading.compound].identity for reading in notebook.readings}


@pytest.mark.parametrize("task", CATALOGUE)
@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(6, 64), marks=pytest.mark.slow)])
def test_nothing_that_was_not_measured_shows_before_the_end(task, seeds, open_programme, play) -> None:
    for seed in seeds:
        programme = open_programme(task, seed % 3, max_steps=10)
        plain, measured = _play(programme, play, seed)
        veiled = dataclasses.replace(programme, world=Veiled(programme.world, measured))
        other, _ = _play(veiled, play, seed)

        assert plain[:-1] == other[:-1]


def test_veil_notices_a_planted_leak(open_programme, play, monkeypatch) -> None:
    from molforge import laboratory
    from molforge.laboratory import Laboratory

    original = Laboratory._register

    def leaking(self: Any, structure: Any) -> Any:
        compound = original(self, structure)
        compound.make_price += 0.001 * self.programme.world.values(structure)["potency"]
        return compound

    programme = open_programme("potency", 0, max_steps=10)
    measured = _play(programme, play, 3)[1]
    monkeypatch.setattr(laboratory.Laboratory, "_register", leaking)
    veiled = dataclasses.replace(programme, world=Veiled(programme.world, measured))
    plain, _ = _play(programme, play, 3)
    other, _ = _play(veiled, play, 3)

    assert plain[:-1] != other[:-1]


def test_same_compound_drawn_differently_is_the_same_compound_and_no_new_draw(open_programme, play) -> None:
    episode = play(open_programme("potency", 0))
    drawn = (
        "CC(=O)Nc1ccc(OCCN2CCCCC2)cc1",
        "C1CCN(CCOc2ccc(NC(C)=O)cc2)CC1",
        "CC(=O)Nc1ccc(OCC[NH+]2CCCCC2)cc1",
    )

    step = episode.step(Action(action_type=ActionType.DESIGN, smiles=drawn))

    assert len(step.observation["compounds"]) == 1


def test_splitting_a_call_gives_the_same_wells(open_programme, play) -> None:
    programme = open_programme("potency", 0)
    together, apart = play(programme), play(programme)
    both = Action(action_type=ActionType.ASSAY, compounds=("M1", "M2"), assays=("logd",))

    one = together.step(both).observation["readings"]
    first = apart.step(dataclasses.replace(both, compounds=("M1",))).observation["readings"]
    second = apart.step(dataclasses.replace(both, compounds=("M2",))).observation["readings"]

    assert one[0] == first[0]
    assert one[1]["value"] == pytest.approx(second[0]["value"], abs=0.3)  # another run, another offset
