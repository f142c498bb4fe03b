"""Readings in a real programme: replicates cost money, repeats are the same, % readings are told as such."""

from __future__ import annotations

from typing import Any

import pytest

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action
from molforge.assays import ASSAYS
from molforge.estimate import BOUND_SE

DESIGN = "O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1"


def opened(task_id: str = "potency", **arguments: Any) -> MolforgeEnvironment:
    environment = MolforgeEnvironment()
    environment.reset({"task_id": task_id, "seed": 11, **arguments})
    return environment


def assay(environment: MolforgeEnvironment, command: str) -> dict[str, Any]:
    observation = environment.step(Action(command=command)).observation
    assert observation["last_action_error"] is None, observation["last_action_error"]
    return observation


def test_replicates_are_new_draws_and_cost_their_price() -> None:
    environment = opened()
    before = environment.episode.laboratory.budget_left

    observation = assay(environment, "assay M1: potency x4")

    values = [reading["value"] for reading in observation["readings"]]
    assert len(set(values)) > 1
    assert observation["budget_left"] == before - 4 * ASSAYS["potency"].price
    again = [reading["value"] for reading in assay(environment, "assay M1: potency x4")["readings"]]
    assert again != values


@pytest.mark.parametrize("task_id", CATALOGUE)
def test_identical_calls_are_identical_and_another_noise_seed_is_not(task_id: str) -> None:
    first, again, other = opened(task_id), opened(task_id), opened(task_id, noise_seed=1)
    names = [line.name for line in first.episode.programme.stage.menu if not line.is_exact]
    command = f"assay M1, M2: {', '.join(names)} x2"

    told = [assay(environment, command)["readings"] for environment in (first, again, other)]

    assert told[0] == told[1]
    assert told[0] != told[2]
    assert {reading["assay"] for reading in told[0]} == set(names)
    for reading in told[0]:
        line = ASSAYS[reading["assay"]]
        assert (reading["unit"], reading["se"]) == (line.unit, round(line.se, 3))
        assert line.low <= reading["value"] <= line.high
        assert (reading["qualifier"] == "<") <= (reading["value"] == line.low)


def test_percent_readings_are_told_as_such() -> None:
    environment = opened()
    menu = {line["assay"]: line for line in environment.episode.programme.brief()["menu"]}
    assert (menu["potency_single"]["micromolar"], menu["potency_single"]["reads"]) == (1.0, "potency")
    assert "micromolar" not in menu["potency"]

    observation = assay(environment, "assay M1: potency_single, potency_single_10 x2")

    assert [reading["unit"] for reading in observation["readings"]] == ["%"] * 4
    assert "potency at 1 uM" in observation["text"]
    assert "potency at 10 uM" in observation["text"]
    assert "% " in observation["text"]


def test_a_bound_in_percent_moves_no_estimate_that_a_curve_has_made() -> None:
    environment = opened()
    notebook = environment.episode.laboratory.notebook
    before = notebook.estimate("M1", "potency")
    assert before is not None

    (reading,) = assay(environment, "assay M1: potency_single_10")["readings"]

    assert reading["qualifier"] == ">"
    assert notebook.estimate("M1", "potency") == before


def test_a_single_point_is_little_evidence() -> None:
    """One censored reading of a new compound: an estimate with an error of one log unit."""
    environment = opened()
    observation = assay(environment, f"assay {DESIGN}: potency_single")
    (reading,) = observation["readings"]
    estimate = environment.episode.laboratory.notebook.estimate(reading["compound"], "potency")

    assert estimate is not None
    assert (estimate.variance == BOUND_SE**2) == (reading["qualifier"] != "")


def test_no_days_are_told() -> None:
    """Time is counted in actions; the prices are credits of our own (docs/game.md)."""
    observation = MolforgeEnvironment().reset({"seed": 3}).observation

    assert "day" not in str({**observation, "compounds": []})
