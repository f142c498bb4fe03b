"""``molforge export`` and ``molforge replay`` on a journal of real programmes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from app.cli import main
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.service import Service
from app.sessions import Origin, SessionTable
from app.sqlite_journal import SqliteJournal
from molforge.actions import Action
from molforge.seeding import DEFAULT_SECRET, secret_fingerprint


async def record(path: Path) -> None:
    engine = InProcessEngine(environment_factory(None), threads=1)
    table = SessionTable(capacity=10, rest_capacity=10, idle_seconds=60)
    journal = SqliteJournal(path, fingerprint=secret_fingerprint(DEFAULT_SECRET))
    service = Service(engine=engine, sessions=table, journal=journal, call_seconds=600)
    await service.start()
    session = await service.open(Origin.REST)
    for arguments in ({}, {"task_id": "triage"}):
        await service.reset(session, arguments)
        await service.step(session, Action(command="assay M1: potency"))
        await service.step(session, Action(command="nominate M1"))
    await service.stop()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "journal.db"
    asyncio.run(record(path))
    return path


def test_replay_proves_that_a_journal_plays_the_same(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(journal)]) == 0
    assert capsys.readouterr().out == "2 episodes play exactly the same, 0 do not\n"


def test_export_holds_actions_rewards_and_observations(journal: Path, tmp_path: Path) -> None:
    assert main(["export", str(journal), "--out", str(tmp_path / "out.jsonl"), "--observations"]) == 0

    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["episode"] for line in lines] == [1, 2]
    assert [line["reset"] for line in lines] == [{}, {"task_id": "triage"}]
    assert all(line["done"] and len(line["steps"]) == 2 for line in lines)
    assert lines[0]["observation"]["brief"]["objectives"]
    assert lines[0]["steps"][0]["observation"]["readings"]


def test_replay_notices_a_changed_record_and_another_secret(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = tmp_path / "forged.db"
    forged.write_bytes(journal.read_bytes())
    with sqlite3.connect(forged) as database:
        database.execute(
            "UPDATE entries SET message = ? WHERE number = 1", ('{"command": "assay M2: potency"}',)
        )
    database.close()
    (tmp_path / "secret").write_text("another")

    assert main(["replay", str(forged)]) == 1
    assert "0 episodes play exactly the same, 2 do not" in capsys.readouterr().out
    assert main(["replay", str(journal), "--secret-file", str(tmp_path / "secret")]) == 1
    assert "another secret" in capsys.readouterr().err


def test_export_to_parquet_has_a_row_a_call(journal: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "episodes.parquet"

    assert main(["export", str(journal), "--out", str(out), "--observations"]) == 0

    rows = parquet.read_table(out).to_pylist()
    assert [(row["episode"], row["number"], row["kind"]) for row in rows] == [
        (episode, number, "step" if number else "reset") for episode in (1, 2) for number in range(3)
    ]
    assert json.loads(rows[1]["message"]) == {"command": "assay M1: potency"}
    assert json.loads(rows[1]["observation"])["readings"]
    assert [row["done"] for row in rows] == [False, False, True] * 2
    assert all(len(row["digest"]) == 16 for row in rows)
