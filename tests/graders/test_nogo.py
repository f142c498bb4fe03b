"""What a stop is worth: the proof that a programme is dead, compound by compound."""

from __future__ import annotations

from typing import Any

import pytest

from graders.nogo import CONVINCED, UNCONVINCED, grade, proof, ratio_of_call

POTENCY = {
    "name": "potency",
    "unit": "pKi",
    "kind": "up",
    "limits": [6.0, 7.0],
    "weight": 0.5,
    "terms": [["potency", 1]],
    "assays": ["potency"],
    "prior_width": 3.0,
}
SELECTIVITY = {
    **POTENCY,
    "name": "selectivity",
    "limits": [1.0, 2.0],
    "terms": [["potency", 1], ["anti_target", -1]],
}


def reading(compound: str, mean: float, *, variance: float = 0.1) -> dict[str, Any]:
    return {
        "compound": compound,
        "reads": "anti_target",
        "mean": mean,
        "variance": variance,
        "dead": 7.0,
        "solvable": 5.5,
    }


def episode(
    readings: list[dict[str, Any]], *, potency: float = 8.0, dead: bool = True, reason: str = "dead"
) -> dict[str, Any]:
    compounds = {r["compound"] for r in readings}
    return {
        "phase": "stopped",
        "reason": reason,
        "budget": 1200.0,
        "budget_left": 1000.0,
        "truth": {"plan_price": 200.0},
        "objectives": [POTENCY, SELECTIVITY],
        "twins": {
            "is_dead": dead,
            "readings": readings,
            "values": {name: {"potency": potency, "anti_target": 7.0} for name in compounds},
        },
    }


def good(count: int, mean: float = 7.0) -> list[dict[str, Any]]:
    return [reading(f"M{number}", mean) for number in range(count)]


def test_a_compound_counts_once_however_often_it_was_read() -> None:
    assert proof(episode(good(1))) == proof(episode(good(1) * 40)) == pytest.approx(1.0)


def test_a_compound_counts_by_what_else_is_wanted_of_it() -> None:
    assert proof(episode(good(8), potency=6.5)) == pytest.approx(4.0)
    assert proof(episode(good(8), potency=5.0)) == 0.0


def test_readings_that_speak_for_life_are_taken_off() -> None:
    assert proof(episode([*good(8), reading("M9", 5.5)])) == pytest.approx(7.0)


def test_little_evidence_adds_up_within_a_compound() -> None:
    middling = ratio_of_call(6.3, dead=7.0, solvable=5.5, variance=0.4)
    assert 0.0 < middling < 0.5

    once = proof(episode([reading("M1", 6.3, variance=0.4)]))
    twice = proof(episode([reading("M1", 6.3, variance=0.4)] * 2))
    assert (once, twice) == (pytest.approx(middling), pytest.approx(2 * middling))


@pytest.mark.parametrize(
    ("count", "evidence"),
    [(0, 0.0), (int(UNCONVINCED), 0.0), (6, 0.5), (int(CONVINCED), 1.0), (30, 1.0)],
)
def test_four_compounds_prove_nothing_and_eight_everything(count: int, evidence: float) -> None:
    graded = grade(episode(good(count)))

    assert graded.parts == {"evidence": pytest.approx(evidence), "economy": 1.0}
    assert graded.value == pytest.approx(evidence)


def test_a_stop_earns_nothing_in_a_living_programme_or_when_time_ran_out() -> None:
    assert grade(episode(good(12), dead=False)).value == 0.0
    assert grade(episode(good(12), reason="out_of_time")).value == 0.0
