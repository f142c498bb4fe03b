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


def test_fresh_programmes_alone_decide_for_an_attack_near_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, policies: dict[str, object], seeds: range, **__: object) -> list[Row]:
        lucky = {"first_suggestion": 0.6, "stop": 0.01}
        return [
            replace(_rows(name, [0.2 + 0.1 * (seed % 3)])[0], seed=seed)
            if name not in lucky
            else replace(_rows(name, [lucky[name] if seed < 6 else 0.01])[0], seed=seed)
            for name in policies
            for seed in seeds
        ]

    monkeypatch.setattr(measure.ladder, "run", run)
    order = measure.Order(
        tasks=["repair"], attacks=["stop", "first_suggestion"], programmes=6, planner_programmes=2,
        near_programmes=24, split="test", journal=None, processes=1,
    )  # fmt: skip

    rows = measure.play(order, lambda _: None)
    without = measure.play(replace(order, near_programmes=0), lambda _: None)

    counts = Counter(row.policy for row in rows)
    assert (counts["stop"], counts["first_suggestion"], counts["random"]) == (6, 18, 24)
    assert {v.attack: v.outcome for v in measure.judge(rows)} == {"stop": "held", "first_suggestion": "held"}
    assert {v.attack: v.outcome for v in measure.judge(without)}["first_suggestion"] == "open"
