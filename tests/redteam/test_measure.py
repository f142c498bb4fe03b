"""What a red team's figures are judged to say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from molforge.evaluation.match import Row
from redteam import command, measure, page


def _rows(policy: str, scores: list[float]) -> list[Row]:
    return [
        Row(
            task="repair", split="test", seed=seed, policy=policy, score=score, rewards=score, steps=1,
            refused=0, made=0, readings=0, spent=0.0, ending="nominated", cpu_seconds=0.0, wall_seconds=0.0,
        )
        for seed, score in enumerate(scores)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attack", "against", "scores", "theirs", "outcome"),
    [
        pytest.param("stop", "random", [0.01] * 6, [0.01, 0.2, 0.0, 0.1, 0.0, 0.3], "held", id="held"),
        pytest.param("stop", "random", [0.5, 0.6] * 3, [0.01, 0.02] * 3, "open", id="open"),
        pytest.param("stop", "random", [0.9, 0.8], [0.01, 0.02], "too few", id="two-programmes"),
        pytest.param("stop", "greedy", [0.9] * 6, [0.01] * 6, "not compared", id="no-random-play"),
        pytest.param("guess", "planner", [0.1, 0.2] * 3, [0.7, 0.75] * 3, "held", id="guess-held"),
        pytest.param("guess", "planner", [0.1, 0.9] * 3, [0.6, 0.5] * 3, "near", id="guess-near"),
        pytest.param("guess", "planner", [0.9, 0.8] * 3, [0.6, 0.5] * 3, "open", id="guess-open"),
    ],
)
def test_an_attack_is_judged_by_its_paired_gap(
    attack: str, against: str, scores: list[float], theirs: list[float], outcome: str
) -> None:
    rows = [*_rows(attack, scores), *_rows(against, theirs)]

    verdicts = measure.judge(rows)

    assert [verdict.outcome for verdict in verdicts] == [outcome]
    text = page.render(verdicts, [], rows, split="test")
    assert ("Not judged" in text) is (outcome in measure.UNJUDGED)


def test_attacks_may_name_a_probe_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--attacks", "duplicates"]) == 0

    said = capsys.readouterr().out
    assert "`duplicates`" in said
    assert "`atom_order`" not in said
    assert "Empty policies" not in said


@pytest.mark.parametrize(
    ("attack", "against", "scores", "theirs", "is_near"),
    [
        pytest.param("stop", "random", [0.01, 0.02] * 3, [0.5, 0.6, 0.7] * 2, False, id="far-below-random"),
        pytest.param("stop", "random", [0.1, 0.2, 0.3] * 2, [0.2, 0.1, 0.2] * 2, True, id="like-random"),
        pytest.param("stop", "random", [0.5, 0.6] * 3, [0.01, 0.02] * 3, True, id="far-above-random"),
        pytest.param("guess", "planner", [0.1, 0.9] * 3, [0.7, 0.75] * 3, True, id="almost-the-planner"),
        pytest.param("guess", "planner", [0.1, 0.2] * 3, [0.7, 0.75] * 3, False, id="far-below-the-planner"),
        pytest.param("holder", "planner", [0.8, 0.9] * 3, [0.7, 0.75] * 3, False, id="not-judged"),
    ],
)
def test_what_lies_near_its_line_is_played_more_often(
    attack: str, against: str, scores: list[float], theirs: list[float], is_near: bool
) -> None:
    verdicts = measure.judge([*_rows(attack, scores), *_rows(against, theirs)])

    assert measure.near_the_line(verdicts) == ([attack] if is_near else [])


LUCK_LASTS = {"stop": 0, "first_suggestion": 6, "cycle": 24, "walk": 96}
"""Up to which seed a script earns more than random play."""


def test_fresh_programmes_alone_decide_for_an_attack_near_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, policies: dict[str, object], seeds: range, **__: object) -> list[Row]:
        return [
            replace(_rows(name, [_score(name, seed)])[0], seed=seed) for name in policies for seed in seeds
        ]

    def _score(name: str, seed: int) -> float:
        usual = 0.2 + 0.1 * (seed % 3)
        return usual if name not in LUCK_LASTS else 0.6 if seed < LUCK_LASTS[name] else 0.01

    monkeypatch.setattr(measure.ladder, "run", run)
    order = measure.Order(
        tasks=["repair"], attacks=list(LUCK_LASTS), programmes=6, planner_programmes=2,
        near_programmes=24, last_programmes=96, split="test", journal=None, processes=1,
    )  # fmt: skip

    rows = measure.play(order, lambda _: None)
    once = measure.play(replace(order, last_programmes=0), lambda _: None)
    without = measure.play(replace(order, near_programmes=0), lambda _: None)
    at_once = measure.play(replace(order, near_programmes=6), lambda _: None)

    counts = Counter(row.policy for row in rows)
    assert {name: counts[name] for name in LUCK_LASTS} == {
        "stop": 6, "first_suggestion": 18, "cycle": 72, "walk": 72
    }  # fmt: skip
    assert counts["random"] == 96
    assert _beyond(rows) == ["walk"]
    assert _beyond(once) == ["cycle", "walk"]
    assert _beyond(without) == ["first_suggestion", "cycle", "walk"]
    assert Counter(row.policy for row in at_once)["walk"] == 90, "those that decide, when there are no others"


def _beyond(rows: list[Row]) -> list[str]:
    return measure.beyond(measure.judge(rows))
