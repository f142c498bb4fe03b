"""The board: who plays how often, what the page says, and that it resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evidence.leaderboard import command, page, plan
from molforge.evaluation.match import Row

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


def test_the_plan_is_the_issue_of_the_day_unless_capped() -> None:
    whole = plan.Order(tasks=(), cap=500, dear_cap=200, curve=0, journal=Path(), processes=1)
    small = plan.Order(tasks=(), cap=8, dear_cap=3, curve=0, journal=Path(), processes=1, elsewhere=False)

    assert [plan.counts(name, "test", whole) for name in ("greedy", "planner", "holder")] == [500, 200, 60]
    assert [plan.counts(name, "train", whole) for name in ("greedy", "planner", "holder")] == [200, 60, 0]
    assert [plan.counts(name, "test", small) for name in ("greedy", "planner", "holder")] == [8, 3, 3]
    assert plan.counts("greedy", "train", small) == 0


def test_the_page_names_the_step_that_does_not_hold() -> None:
    good, bad = page.render(board(), {}, None), page.render(board(greedy=0.8), {}, None)

    assert "does not hold in: no row" in good
    assert "planner over greedy in potency (test)" in bad
    assert "| planner | 0.702 ± 0.001 (5) |" in good.replace("  ", " ")


def test_the_values_are_plain(tmp_path: Path) -> None:
    curves = {0.0: board(), 1.0: board(greedy=0.2)}

    found = page.as_json(board(), curves)

    (point,) = [p for p in found["difficulty"] if (p["difficulty"], p["policy"]) == (0.0, "greedy")]
    assert json.loads(json.dumps(point)) == point
    assert (point["score"], point["programmes"]) == (pytest.approx(0.402), 20)


@pytest.mark.slow
def test_a_small_board_is_played_written_and_resumed(tmp_path: Path, capsys) -> None:
    words = ["--tasks", "triage", "--cap", "2", "--dear-cap", "1", "--curve", "0", "--test-only"]
    words += ["--journal", str(tmp_path / "matches.jsonl"), "--out", str(tmp_path)]

    command.main(words)
    first = (tmp_path / "matches.jsonl").read_text()
    command.main(words)

    assert (tmp_path / "matches.jsonl").read_text() == first
    assert len(first.splitlines()) == 4 * 2 + 4
    assert "# Leaderboard" in (tmp_path / "leaderboard.md").read_text()
    assert "witness" in capsys.readouterr().out
