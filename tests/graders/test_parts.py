"""Graders: full, zero, malformed, deterministic; parts scale and never add."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import parts, potency, triage
from graders.score import Score


def episode() -> dict[str, Any]:
    """A nominated programme that meets everything, read twice, with honest intervals."""
    se = 0.327

    def readings(name: str) -> list[dict[str, Any]]:
        return [
            {
                "reads": name,
                "assay": name,
                "call": call,
                "value": 8.5,
                "qualifier": "",
                "well_se": 0.3104,
                "run_se": 0.1035,
                "micromolar": None,
            }
            for call in (1, 2)
        ]

    return {
        "phase": "nominated",
        "budget": 800.0,
        "budget_left": 760.0,
        "objectives": [
            {
                "name": "potency",
                "unit": "pKi",
                "kind": "up",
                "limits": [7.0, 8.2],
                "weight": 0.6,
                "assays": ["potency"],
                "terms": [["potency", 1]],
                "prior_width": 4.0,
            },
            {
                "name": "logd",
                "unit": "logD7.4",
                "kind": "window",
                "limits": [0.3, 1.0, 2.0, 2.7],
                "weight": 0.4,
                "assays": ["logd"],
                "terms": [["logd", 1]],
                "prior_width": 3.0,
            },
        ],
        "standard_se": {"potency": se, "logd": se},
        "nominee": {
            "given": False,
            "nearest": 0.6,
            "inside_claim": False,
            "values": {"potency": 8.5, "logd": 1.5},
            "predicted": {
                "potency": {"value": 8.5, "low": 8.5, "high": 8.5},
                "logd": {"value": 1.5, "low": 1.5, "high": 1.5},
            },
            "readings": readings("potency") + readings("logd"),
        },
        "truth": {"lead_desirability": 0.3, "plan_price": 40.0, "prior_art_limit": 0.85},
    }


def changed(path: str, value: object) -> dict[str, Any]:
    result = copy.deepcopy(episode())
    node: Any = result
    *parents, last = path.split(".")
    for name in parents:
        node = node[int(name) if isinstance(node, list) else name]
    node[last] = value
    return result


def test_perfect_programme_scores_one() -> None:
    score = potency.grade(episode())

    assert score.parts == pytest.approx(
        {"profile": 1.0, "evidence": 1.0, "calibration": 1.0, "economy": 1.0}, abs=2e-3
    )
    assert float(score) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(changed("nominee.given", True), id="given-compound"),
        pytest.param(changed("nominee.nearest", 0.9), id="prior-art"),
        pytest.param(changed("nominee.values.potency", 6.9), id="one-objective-unacceptable"),
        pytest.param(changed("phase", "stopped"), id="stopped"),
        pytest.param(changed("phase", "truncated"), id="no-decision"),
    ],
)
def test_what_is_no_better_molecule_scores_zero(spoiled: dict[str, Any]) -> None:
    assert potency.grade(spoiled).value == 0.0


def test_triage_grades_a_given_compound() -> None:
    assert triage.grade(changed("nominee.given", True)).value > 0.9


def test_profile_is_measured_from_the_lead() -> None:
    halfway = changed("nominee.values.potency", 7.6)  # desirability 0.5, weight 0.6

    expected = (0.5**0.6 - 0.3) / 0.7

    assert potency.grade(halfway).parts["profile"] == pytest.approx(expected)


def test_one_reading_is_half_the_evidence() -> None:
    once = episode()
    once["nominee"]["readings"] = [r for r in once["nominee"]["readings"] if r["call"] == 1]

    assert parts.evidence(once) == pytest.approx(0.5, abs=2e-3)


def test_repeats_within_one_call_do_not_average_the_run_away() -> None:
    many = episode()
    first = [r for r in many["nominee"]["readings"] if r["call"] == 1]
    many["nominee"]["readings"] = first * 1000

    floor = 0.1035**2
    assert parts.evidence(many) == pytest.approx(min(1.0, 0.327**2 / 2 / floor), rel=0.01)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(-1e9, 1e9, id="infinite-width"),
        pytest.param(9.0, 9.0, id="zero-width-and-wrong"),
    ],
)
def test_gamed_intervals_earn_nothing(low: float, high: float) -> None:
    gamed = changed("nominee.predicted", {"potency": {"value": 9.0, "low": low, "high": high}})

    assert parts.calibration(gamed) == 0.0


@given(st.floats(0, 20), st.floats(-5, 8), st.floats(0, 800))
def test_score_never_exceeds_profile(potency_value: float, logd: float, left: float) -> None:
    changed_episode = episode()
    changed_episode["nominee"]["values"] = {"potency": potency_value, "logd": logd}
    changed_episode["budget_left"] = left

    score = potency.grade(changed_episode)

    assert 0.0 <= score.value <= score.parts["profile"] <= 1.0
    assert score == potency.grade(changed_episode)


@pytest.mark.parametrize("value", [math.nan, -0.1, 1.1, math.inf])
def test_score_refuses_what_is_no_score(value: float) -> None:
    with pytest.raises(ValueError, match="not in"):
        Score(value)


def test_malformed_record_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(KeyError):
        potency.grade({"phase": "nominated"})
