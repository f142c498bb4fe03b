"""The board: who plays how often, what the page says, and that it resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envs.environment import MolforgeEnvironment
from evidence.leaderboard import command, page, plan
from evidence.leaderboard.allowance import Allowance, limited
from molforge.actions import Action, ActionType
from molforge.evaluation.match import Row, play
from redteam.measure import factories

USUAL = {"noop": 0.01, "random": 0.05, "greedy": 0.4, "planner": 0.7, "witness": 0.96}


def match(task: str, split: str, seed: int, policy: str, score: float) -> Row:
    return Row(
        task=task, split=split, seed=seed, policy=policy, score=score, rewards=score, steps=3, refused=0,
        made=1, readings=4, spent=30.0, ending="nominated", cpu_seconds=1.0, wall_seconds=1.0,
    )  # fmt: skip


def board(**changed: float) -> list[Row]:
    return [
        match(task, split, seed, policy, score + 0.001 * seed * (policy != "noop"))
        for task in ("triage", "potency")
        for split in ("test", "train")
        for seed in range(5)
        for policy, score in {**USUAL, **changed}.items()
    ]


def told(rows: list[Row]) -> page.Board:
    return page.Board(rows=rows, difficulties={}, budgets={})


def test_the_plan_is_the_issue_of_the_day_unless_capped() -> None:
    whole = plan.Order(tasks=(), cap=500, dear_cap=200, curve=0, journal=Path(), processes=1)
    small = plan.Order(tasks=(), cap=8, dear_cap=3, curve=0, journal=Path(), processes=1, elsewhere=False)

    assert [plan.counts(name, "test", whole) for name in ("greedy", "planner", "holder")] == [500, 200, 60]
    assert [plan.counts(name, "train", whole) for name in ("greedy", "planner", "holder")] == [200, 60, 0]
    assert [plan.counts(name, "test", small) for name in ("greedy", "planner", "holder")] == [8, 3, 3]
    assert plan.counts("greedy", "train", small) == 0


def test_the_page_names_the_step_that_does_not_hold() -> None:
    good, bad = (page.render(told(rows), None) for rows in (board(), board(greedy=0.8)))

    assert "does not hold by two standard errors in: no row" in good
    assert "planner over greedy in potency (test)" in bad
    assert "| planner | 0.702 ± 0.001 (5) |" in good.replace("  ", " ")


def test_the_values_are_plain(tmp_path: Path) -> None:
    curves = {0.0: board(), 1.0: board(greedy=0.2)}

    found = page.as_json(page.Board(rows=board(), difficulties=curves, budgets=curves))

    (point,) = [p for p in found["difficulty"] if (p["difficulty"], p["policy"]) == (0.0, "greedy")]
    assert json.loads(json.dumps(point)) == point
    assert (point["score"], point["programmes"]) == (pytest.approx(0.402), 20)
    (point,) = [p for p in found["budget"] if (p["share"], p["policy"]) == (1.0, "greedy")]
    assert (point["score"], point["spent"]) == (pytest.approx(0.202), 30.0)


def test_the_pictures_are_drawn_and_name_everybody(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `make evidence` has it")
    from evidence.leaderboard import pictures

    curve = {share: [row for row in board() if row.policy != "noop"] for share in (0.5, 1.0)}
    pictures.draw(page.Board(rows=board(), difficulties=curve, budgets=curve), tmp_path)

    drawn = {path.name: path.read_text() for path in tmp_path.glob("*.svg")}
    assert set(drawn) == {"leaderboard.svg", "budget.svg", "difficulty.svg"}
    assert all(f"<!-- {name} -->" in drawn["leaderboard.svg"] for name in ("no-op", "planner", "witness"))
    assert "<!-- credits spent, mean over families -->" in drawn["budget.svg"]


class Spender:
    """Remembers what it saw of the money."""

    name = "spender"

    def begin(self, observation: dict[str, Any]) -> None:
        self.seen = [observation["brief"]["budget"]]

    def act(self, observation: dict[str, Any]) -> Action:
        self.seen.append(observation["budget_left"])
        return Action(action_type=ActionType.STOP)


def test_an_allowance_hides_the_rest_of_the_budget() -> None:
    spender = Spender()
    policy = Allowance(spender, 0.25)

    row = play(MolforgeEnvironment(), policy, {"task_id": "potency", "split": "test", "seed": 0})
    whole = MolforgeEnvironment().reset({"task_id": "potency", "split": "test", "seed": 0}).observation

    assert spender.seen == [0.25 * whole["brief"]["budget"]] * 2
    assert row.spent == 0


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_greedy_spends_no_more_than_its_allowance(share: float) -> None:
    (factory,) = limited(factories(["greedy"]), share).values()
    environment = MolforgeEnvironment()

    row = play(environment, factory(environment), {"task_id": "selectivity", "split": "train", "seed": 3})

    assert 0 < row.spent <= share * 1200


@pytest.mark.slow
def test_a_small_board_is_played_written_and_resumed(tmp_path: Path, capsys) -> None:
    words = ["--tasks", "triage", "--cap", "2", "--dear-cap", "1", "--curve", "1", "--test-only"]
    words += ["--journal", str(tmp_path / "matches.jsonl"), "--out", str(tmp_path)]

    command.main(words)
    first = (tmp_path / "matches.jsonl").read_text()
    command.main(words)

    assert (tmp_path / "matches.jsonl").read_text() == first
    assert len(first.splitlines()) == 4 * 2 + 4 + 3 * (5 + 3)
    assert "# Leaderboard" in (tmp_path / "leaderboard.md").read_text()
    assert "witness" in capsys.readouterr().out
