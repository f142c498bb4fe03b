"""Arguments of reset: impossible values are refused with the allowed ones, unknown names reported."""

from __future__ import annotations

from typing import Any

import pytest

from envs import CATALOGUE
from envs.arguments import parse_arguments
from molforge.errors import BadArgument


def test_nothing_given_is_the_default_task_and_split() -> None:
    request = parse_arguments({})

    assert (request.spec.task_id, request.split, request.seed) == ("potency", "train", None)
    assert request.ignored == ()


def test_index_i_is_seed_i() -> None:
    assert parse_arguments({"split": "test", "index": 999}).seed == 999


def test_unknown_names_are_ignored_and_named() -> None:
    request = parse_arguments({"hint": "please", "answer": 1, "seed": 3})

    assert request.ignored == ("answer", "hint")


def test_the_prompt_of_a_task_row_is_no_news() -> None:
    assert parse_arguments({"prompt": [{"role": "user", "content": "brief"}], "seed": 3}).ignored == ()


def test_null_counts_as_not_given() -> None:
    assert parse_arguments(dict.fromkeys(("seed", "task_id", "targets"))) == parse_arguments({})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param({"task_id": "potancy"}, "did you mean 'potency'", id="misspelt-task"),
        pytest.param({"task_id": 3}, "triage, repair, potency, selectivity", id="task-number"),
        pytest.param({"split": "dev"}, "train, validation, test", id="split"),
        pytest.param({"seed": -1}, "from 0 to", id="negative-seed"),
        pytest.param({"seed": 2**63}, "from 0 to", id="huge-seed"),
        pytest.param({"seed": True}, "whole number", id="boolean-seed"),
        pytest.param({"seed": 1.5}, "whole number", id="fractional-seed"),
        pytest.param({"index": 1000}, "from 0 to 999", id="index-past-the-end"),
        pytest.param({"index": 1, "seed": 2}, "one of the two alone", id="index-against-seed"),
        pytest.param({"difficulty": 1.1}, "from 0 to 1", id="difficulty"),
        pytest.param({"difficulty": "hard"}, "from 0 to 1", id="difficulty-word"),
        pytest.param({"max_steps": 31}, "from 1 to 30", id="too-many-steps"),
        pytest.param({"max_steps": 0}, "from 1 to 30", id="no-steps"),
        pytest.param({"reward_mode": "shaped"}, "dense, sparse", id="reward-mode"),
        pytest.param({"targets": []}, "one or more of", id="no-targets"),
        pytest.param({"targets": ["no_such"]}, "thrombin, fxa, h3", id="unknown-target"),
        pytest.param({"targets": ["-no_such"]}, "thrombin, fxa, h3", id="unknown-target-left-out"),
        pytest.param({"targets": ["fxa", "-fxa"]}, "one or more of", id="all-targets-left-out"),
        pytest.param({"targets": ["fxa", "fxa"]}, "each name once", id="target-named-twice"),
        pytest.param({"episode_id": ""}, "printable", id="empty-episode-id"),
        pytest.param({"episode_id": "a\ud800"}, "printable", id="lone-surrogate"),
        pytest.param({"episode_id": "x" * 256}, "255", id="long-episode-id"),
        pytest.param({"noise_seed": -5}, "from 0 to", id="noise-seed"),
    ],
)
def test_impossible_value_is_refused_with_what_is_allowed(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(BadArgument, match=told):
        parse_arguments(arguments)


def test_targets_keep_the_catalogue_order() -> None:
    assert parse_arguments({"targets": ["h3", "thrombin"]}).targets == ("thrombin", "h3")
    assert parse_arguments({"targets": "fxa"}).targets == ("fxa",)
    assert "fxa" not in parse_arguments({"targets": "-fxa"}).targets
    assert parse_arguments({"targets": ["fxa", "h3", "-h3"]}).targets == ("fxa",)


def test_every_task_has_its_entry_and_grader() -> None:
    for task_id, spec in CATALOGUE.items():
        assert spec.entry == f"envs.{task_id}.family:FAMILY"
        assert spec.grader == f"graders.{task_id}:grade"
