"""The harness, on a game small enough to check by hand."""

from __future__ import annotations

import json
import math
import multiprocessing
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from molforge.actions import Action, ActionType
from molforge.contract import Environment, Step
from molforge.evaluation import ladder, table
from molforge.policies import Policy, make


class _Coin:
    """Pays the seed's share for a nomination; counts resets."""

    resets = 0

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:
        type(self).resets += 1
        self._arguments = arguments
        return Step(observation=self._observation(), reward=0.0, done=False)

    def step(self, action: Action) -> Step:
        score = self._arguments["seed"] / 10 if action.action_type is ActionType.NOMINATE else 0.01
        observation = self._observation() | {
            "phase": "nominated",
            "score": score,
            "score_parts": {"profile": score},
            "budget_left": 60.0,
        }
        return Step(observation=observation, reward=score, done=True)

    def _observation(self) -> dict[str, Any]:
        return {
            **{key: self._arguments[key] for key in ("task_id", "split", "seed")},
            "compounds": [],
            "readings": [],
            "budget_left": 100.0,
            "last_action_error": None,
            "phase": "running",
            "score": None,
            "score_parts": None,
        }

    def state(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        pass


class _Nominator:
    name = "nominator"

    def begin(self, observation: dict[str, Any]) -> None:
        pass

    def act(self, observation: dict[str, Any]) -> Action:
        return Action(action_type=ActionType.NOMINATE, compound="M1")


def _nominator(_: Environment) -> Policy:
    return _Nominator()


def _noop(_: Environment) -> Policy:
    return make("noop")


POLICIES = {"noop": _noop, "nominator": _nominator}
play = partial(ladder.run, _Coin, tasks=["coin"], policies=POLICIES)


def test_rows_tell_what_was_scored_and_spent() -> None:
    row = play(seeds=[7])[1]

    assert (row.policy, row.seed, row.score, row.rewards, row.spent, row.steps) == (
        "nominator", 7, 0.7, 0.7, 40.0, 1,
    )  # fmt: skip


def test_resumed_ladder_plays_only_what_is_missing(tmp_path: Path) -> None:
    journal = tmp_path / "ladder.jsonl"
    first = play(seeds=range(2), journal=journal)
    _Coin.resets = 0

    rows = play(seeds=range(3), journal=journal)

    assert _Coin.resets == 2
    assert rows[:4] == first
    assert len(journal.read_text().splitlines()) == 6


def test_processes_play_the_same_matches() -> None:
    alone = play(seeds=range(2))

    together = play(seeds=range(2), processes=2)

    assert [(r.seed, r.policy, r.score) for r in together] == [(r.seed, r.policy, r.score) for r in alone]


class _Stuck(_Nominator):
    def act(self, observation: dict[str, Any]) -> Action:
        raise StopIteration


def test_a_policy_that_fails_is_an_error_and_not_the_end_of_the_matches() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        play(seeds=[1], policies={"stuck": lambda _: _Stuck()})


class _Slow(_Nominator):
    def act(self, observation: dict[str, Any]) -> Action:
        time.sleep(60)
        return super().act(observation)


def _slow(_: Environment) -> Policy:
    return _Slow()


def _play_slowly() -> None:
    play(seeds=range(2), policies={"slow": _slow}, processes=2)


def _children(of: int) -> set[int]:
    tasks = (path / "children" for path in Path(f"/proc/{of}/task").iterdir())
    direct = {int(word) for task in tasks for word in task.read_text().split()}
    return direct.union(*map(_children, direct))


def _lives(pid: int) -> bool:
    with suppress(OSError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_no_process_outlives_a_killed_ladder() -> None:
    ladder_process = multiprocessing.get_context("spawn").Process(target=_play_slowly)
    ladder_process.start()
    assert ladder_process.pid is not None
    until = time.monotonic() + 30
    while len(players := _children(ladder_process.pid)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1.0)

    ladder_process.kill()
    ladder_process.join()

    while any(map(_lives, players)) and time.monotonic() < until + 10:
        time.sleep(0.1)
    assert len(players) >= 2
    assert not any(map(_lives, players))


def test_standings_and_gaps_are_means_over_paired_seeds() -> None:
    rows = play(seeds=range(2, 5))

    nominator = table.standings(rows)[1]
    gap = table.gaps(rows)[0]

    assert nominator.score.value == pytest.approx(0.3)
    assert nominator.score.error == pytest.approx(0.1 / math.sqrt(3))
    assert (gap.better, gap.worse) == ("nominator", "noop")
    assert gap.mean.value == pytest.approx(0.29)
    assert gap.in_errors == pytest.approx(0.29 / (0.1 / math.sqrt(3)))
    assert "| coin | nominator | 3 | 0.300 ± 0.058 |" in table.render(rows)


def test_row_survives_json() -> None:
    row = play(seeds=[7])[1]

    assert type(row).from_json(json.loads(json.dumps(row.as_json()))) == row


def test_a_line_that_was_being_written_when_the_writer_died_is_played_again(tmp_path: Path) -> None:
    journal = tmp_path / "matches.jsonl"
    play = partial(
        ladder.run, _Coin, tasks=["a"], policies={"nominator": lambda _: _Nominator()}, journal=journal
    )
    play(seeds=range(3))
    journal.write_text(journal.read_text()[:-20], encoding="utf-8")

    kept = ladder.read(journal)
    rows = play(seeds=range(3))

    assert [row.seed for row in kept] == [0, 1]
    assert [row.seed for row in rows] == [row.seed for row in ladder.read(journal)] == [0, 1, 2]
