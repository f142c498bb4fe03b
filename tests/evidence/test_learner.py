"""The learner: its options can always be carried out, its gradient learns, its control cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from evidence.learner.choices import FEATURES, MAX_STEPS, Choices
from molforge.evaluation.table import Mean


def needs_jax() -> None:
    pytest.importorskip("jax", reason="JAX is not installed: `make evidence` has it")


@pytest.mark.parametrize("task", CATALOGUE)
def test_every_option_can_be_carried_out(task: str) -> None:
    environment, rng = MolforgeEnvironment(), np.random.default_rng(5)
    step = environment.reset({"task_id": task, "seed": 2, "max_steps": MAX_STEPS})
    choices = Choices(step.observation)

    while not step.done:
        options = choices.options()
        assert all(option.features.shape == (FEATURES,) for option in options)
        playing = [o for o in options if str(o.action.action_type) not in ("stop", "nominate")] or options
        step = environment.step(playing[rng.integers(len(playing))].action)
        choices.update(step.observation)
        assert step.observation["last_action_error"] is None

    assert step.observation["score"] is not None


def test_the_policy_starts_uniform_and_learns_which_option_pays() -> None:
    needs_jax()
    from evidence.learner.choices import Option
    from evidence.learner.policy import Learner
    from molforge.actions import Action

    learner, rng = Learner(0), np.random.default_rng(0)
    features = np.eye(FEATURES)[:4]
    options = [Option(Action(), row) for row in features]
    first = learner.choose(options, rng)

    for _ in range(15):
        decisions = [learner.choose(options, rng) for _ in range(64)]
        gains = np.array([float(d.chosen == 2) for d in decisions])
        learner.update(decisions, gains - gains.mean())
    last = [learner.choose(options, rng).chosen for _ in range(100)]

    assert first.log_probability == pytest.approx(np.log(0.25))
    assert last.count(2) > 80


def test_the_advantage_compares_a_group_and_the_control_loses_the_place() -> None:
    needs_jax()
    from evidence.learner.arena import Programme, Rollout
    from evidence.learner.policy import Decision
    from evidence.learner.training import advantage

    def rollout(seed: int, rewards: list[float]) -> Rollout:
        programme = Programme(task="potency", split="train", seed=seed, stream=0)
        decisions = [Decision(np.zeros((2, FEATURES)), 0, 0.0) for _ in rewards]
        return Rollout(programme=programme, decisions=decisions, rewards=rewards)

    rollouts = [rollout(1, [0.0, 0.8]), rollout(1, [0.0, 0.0]), rollout(2, [0.1]), rollout(2, [0.1])]
    _, told = advantage(rollouts, None)
    _, dealt = advantage(rollouts, np.random.default_rng(3))

    assert told[0] > 0 > told[2]
    assert told[1] > 0 > told[3]
    assert told[4:].tolist() == [0.0, 0.0]
    assert not np.allclose(told, dealt)


def test_a_restored_learner_goes_on_as_the_kept_one_would() -> None:
    needs_jax()
    from evidence.learner.choices import Option
    from evidence.learner.policy import Learner
    from molforge.actions import Action

    features = np.random.default_rng(1).standard_normal((5, FEATURES))
    options = [Option(Action(), row) for row in features]
    kept, other = Learner(0), Learner(1)
    decisions = [kept.choose(options, np.random.default_rng(n)) for n in range(9)]
    kept.update(decisions, np.linspace(-1.0, 1.0, 9))

    other.restore(kept.state())
    told = [learner.update(decisions, np.linspace(-1.0, 1.0, 9)) for learner in (kept, other)]

    assert told[0] == told[1] < np.log(5)
    assert all(np.array_equal(a, b) for a, b in zip(kept.state(), other.state(), strict=True))


def run(*, is_control: bool, start: list[float], end: list[float]) -> dict[str, Any]:
    plan = {"seed": 0, "tasks": ["potency"], "is_control": is_control}
    curve = [{"update": n, "scores": {"potency": 0.1 * n}} for n in range(6)]
    scores = {"start": {"potency": start}, "end": {"potency": end}}
    return {"plan": plan, **scores, "curve": curve, "episodes": 384, "seconds": 10.0}


def test_runs_on_the_same_programmes_are_not_counted_as_more_programmes(tmp_path: Path) -> None:
    from evidence.learner import curves

    told = {"start": [0.0, 0.1, 0.2], "end": [0.3, 0.6, 0.5]}
    control = run(is_control=True, start=[0.1] * 3, end=[0.1, 0.2, 0.0])
    greedy = {"potency": Mean.of([0.3, 0.5])}

    one, three = (curves.rise([run(is_control=False, **told)] * count, "potency") for count in (1, 3))
    found = curves.summary([run(is_control=False, **told)] * 3, [control], greedy)

    assert (one.value, one.error) == pytest.approx((three.value, three.error))
    assert (one.value, one.count, three.count) == (pytest.approx(1.1 / 3), 3, 3)
    assert found["control_rise"]["potency"]["mean"] == pytest.approx(0.0)
    assert "| potency | 0.100 ± 0.058 | 0.467 ± 0.088 | +0.367 ± 0.067, 5.5 |" in curves.table(found)
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `make evidence` has it")
    curves.draw(found, tmp_path / "learner.svg")
    assert "<!-- potency -->" in (tmp_path / "learner.svg").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_trains_through_a_real_server_and_goes_on_where_it_broke_off(tmp_path: Path, capsys) -> None:
    needs_jax()
    from evidence.learner.command import main

    words = ["--seeds", "0", "--control", "--tasks", "triage", "--held-out", "2", "--keep", str(tmp_path)]
    main([*words, "--updates", "1"])
    first = capsys.readouterr()
    main([*words, "--updates", "1", "--out", str(tmp_path / "out")])
    second = capsys.readouterr()

    assert "seed-0.json: 1/1" in first.err
    assert "seed-0.json" not in second.err
    assert first.out == second.out
    assert (tmp_path / "out" / "learner.json").is_file()
