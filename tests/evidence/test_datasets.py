"""Data sets: what is in a row can be played, and the usual library loads the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs.environment import MolforgeEnvironment
from evidence.datasets import command, episodes, files, tasks
from evidence.datasets.wording import as_command
from molforge.actions import Action, ActionType, Prediction
from molforge.agent.conversation import reminder
from molforge.command import parse_command

A = ActionType
PROGRAMMES = [("triage", "train", 0), ("potency", "train", 1)]
ASSAYS = ("potency", "logd")


@pytest.mark.parametrize(
    "action",
    [
        Action(action_type=A.SUGGEST, compound="M1"),
        Action(action_type=A.SUGGEST, compound="M2", transformation="fluorine_scan"),
        Action(action_type=A.DESIGN, smiles=("CC(=O)Nc1ccc(O)cc1", "C[C@H](N)c1ccccc1")),
        Action(action_type=A.ASSAY, compounds=("M1", "M3"), assays=ASSAYS),
        Action(action_type=A.ASSAY, compounds=("M1",), assays=("logd",), replicates=3),
        Action(action_type=A.NOMINATE, compound="M4"),
        Action(
            action_type=A.NOMINATE,
            compound="M4",
            predicted={"logd": Prediction(value=-1.25, low=-1.5, high=2.0)},
        ),
        Action(action_type=A.STOP, reason="the series is dead"),
    ],
)  # fmt: skip
def test_an_action_is_read_back_as_itself(action: Action) -> None:
    assert parse_command(as_command(action), assays=ASSAYS) == action


def test_structures_to_be_made_are_read_back() -> None:
    action = Action(action_type=A.ASSAY, smiles=("CC(=O)Nc1ccc(O)cc1", "CCO"), assays=ASSAYS)

    read = parse_command(as_command(action), assays=ASSAYS)

    assert set(read.smiles + read.compounds) == set(action.smiles)
    assert read.assays == ASSAYS


def test_a_conversation_can_be_played_again() -> None:
    rows = list(episodes.conversations(PROGRAMMES, policy="greedy"))

    assert len(rows) == 2
    for row in rows:
        environment = MolforgeEnvironment()
        step = environment.reset({name: row[name] for name in ("task_id", "split", "seed")})
        roles = [message["role"] for message in row["messages"]]
        assert roles == ["system", "user", *["assistant", "user"] * ((len(roles) - 3) // 2), "assistant"]
        for said, answered in zip(row["messages"][2::2], [*row["messages"][3::2], None], strict=True):
            step = environment.step(Action(command=said["content"]))
            assert step.observation["last_action_error"] is None
            if answered is not None:
                left = step.observation["steps_left"]
                assert answered["content"] == f"{step.observation['text']}\n\n{reminder(left)}"
        assert step.observation["score"] == row["score"] == pytest.approx(sum(row["rewards"]))


def test_only_good_episodes_are_kept_and_the_card_counts_them(tmp_path: Path) -> None:
    out = tmp_path / "sft.jsonl"

    none = files.write(episodes.conversations(PROGRAMMES, policy="noop", least=0.5), out, kind="sft")
    with pytest.raises(ValueError, match="a folder of its own"):
        files.write(tasks.tasks(PROGRAMMES), tmp_path / "tasks.jsonl", kind="tasks")
    (tmp_path / "README.md").unlink()
    some = files.write(tasks.tasks(PROGRAMMES), tmp_path / "tasks.jsonl", kind="tasks")

    assert (none, some) == (0, 2)
    assert "Rows: 2 (1 triage/train, 1 potency/train)" in (tmp_path / "README.md").read_text()
    rows = [json.loads(line) for line in (tmp_path / "tasks.jsonl").read_text().splitlines()]
    first = MolforgeEnvironment().reset(rows[0]).observation
    assert first["text"].split("\n\nIgnored")[0] == rows[0]["prompt"][1]["content"]


def test_nothing_hidden_is_in_a_row() -> None:
    hidden = MolforgeEnvironment()
    for row in tasks.tasks(PROGRAMMES):
        hidden.reset({name: row[name] for name in ("task_id", "split", "seed")})
        programme = hidden.episode.programme
        witness = programme.plan.witness
        is_given = witness in {structure.smiles for structure in programme.given}
        assert is_given or witness not in json.dumps(row)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as why:
        command.main(
            ["tasks", "--out", str(tmp_path / "tasks.csv"), "--programmes", "1", "--tasks", "triage"]
        )

    assert why.value.code == 2


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_datasets_loads_both(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip(
        "datasets", reason="the library `datasets` is not installed: `make evidence` has it"
    )
    out = tmp_path / f"rows.{suffix}"
    files.write(episodes.conversations(PROGRAMMES, policy="greedy"), out, kind="sft")

    found = datasets.load_dataset(
        "json" if suffix == "jsonl" else "parquet", data_files=str(out), cache_dir=str(tmp_path / "cache")
    )

    assert found["train"].num_rows == 2
    assert found["train"][0]["messages"][1]["role"] == "user"
    assert found["train"].features["score"].dtype == "float64"
