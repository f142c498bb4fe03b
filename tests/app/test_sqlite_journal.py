"""The journal in a file: what it keeps, what it refuses, and what it says when it cannot write."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app import sqlite_journal
from app.engine import InProcessEngine
from app.errors import JournalFailed
from app.hosting import Entry
from app.journal import ForeignJournal
from app.service import Service
from app.sessions import Origin, SessionTable
from app.sqlite_journal import SqliteJournal
from molforge.actions import Action
from tests.app.fake import FakeEnvironment

MARK = "0123456789abcdef"


def entry(number: int, *, episode: int = 1) -> Entry:
    return Entry(
        kind="step" if number else "reset",
        message={"command": f"x{number}", "predicted": {"potency": {"value": float("inf")}}},
        reward=0.25,
        done=False,
        digest=f"{number:016x}",
        memory=None if number else {"resets": 0},
        episode=episode,
        number=number,
    )


def make_service(path: Path) -> Service:
    engine = InProcessEngine(FakeEnvironment, threads=2)
    table = SessionTable(capacity=10, rest_capacity=10, idle_seconds=60)
    journal = SqliteJournal(path, fingerprint=MARK)
    return Service(engine=engine, sessions=table, journal=journal, call_seconds=5)


async def test_what_was_appended_is_read_back_by_the_next_server(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db", fingerprint=MARK)
    assert await journal.start() == []
    await asyncio.gather(*(journal.append("s", "socket", entry(number)) for number in range(5)))
    await journal.append("t", "rest", entry(0, episode=3))
    await journal.append("gone", "rest", entry(0))
    journal.forget("gone")
    await journal.close()

    journal = SqliteJournal(tmp_path / "j.db", fingerprint=MARK)
    past = await journal.start()

    assert [(p.session_id, p.origin, p.episode, p.number) for p in past] == [
        ("s", "socket", 1, 4),
        ("t", "rest", 3, 0),
    ]
    assert await journal.entries("s") == [entry(number) for number in range(5)]
    await journal.close()


async def test_journal_of_another_secret_or_server_is_refused_and_the_secret_is_not_in_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, fingerprint=MARK)
    await journal.start()
    with pytest.raises(ForeignJournal, match="in use"):
        await SqliteJournal(path, fingerprint=MARK).start()
    await journal.close()

    with pytest.raises(ForeignJournal, match="another secret"):
        await SqliteJournal(path, fingerprint="f" * 16).start()
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 50)
    with pytest.raises(ForeignJournal, match="cannot be used"):
        await SqliteJournal(tmp_path / "text", fingerprint=MARK).start()


async def test_restarted_server_finds_every_session_and_goes_on_with_it(tmp_path: Path) -> None:
    service = make_service(tmp_path / "j.db")
    await service.start()
    sessions = [await service.open(Origin.SOCKET) for _ in range(5)]
    for number, session in enumerate(sessions):
        await service.reset(session, {"seed": number})
        await service.step(session, Action(command="one"))
    states = [await service.state(session) for session in sessions]
    service.close(sessions.pop())
    await service.engine.close()  # and nothing else: as if killed
    await service.journal.close()

    service = make_service(tmp_path / "j.db")
    await service.start()
    found = [service.sessions.get(session.id) for session in sessions]

    assert [await service.state(session) for session in found] == states[:4]
    step = await service.step(found[0], Action(command="two"))
    assert step.reward == 0.25
    assert (await service.state(found[0]))["step_count"] == 2
    assert service.sessions.active == {"socket": 4, "rest": 0, "detached": 0}
    await service.stop()


async def test_a_finished_programme_is_known_as_finished_after_a_restart(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db", fingerprint=MARK)
    await journal.start()
    for name, done in (("over", True), ("running", False)):
        await journal.append(name, "rest", Entry("reset", {}, 0.0, False, "a", episode=1, number=0))
        await journal.append(name, "rest", Entry("step", {}, 0.5, done, "b", episode=1, number=1))
    await journal.close()

    again = SqliteJournal(tmp_path / "j.db", fingerprint=MARK)
    past = await again.start()
    await again.close()

    assert {each.session_id: each.is_finished for each in past} == {"over": True, "running": False}


async def test_what_cannot_be_written_is_not_acknowledged_and_did_not_happen(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    service = make_service(path)
    await service.start()
    session = await service.open(Origin.SOCKET)
    await service.reset(session, {"seed": 1})
    blocker = await asyncio.to_thread(sqlite3.connect, path, check_same_thread=False)
    await asyncio.to_thread(blocker.execute, "BEGIN IMMEDIATE")

    with pytest.raises(JournalFailed):
        await service.step(session, Action(command="x"))
    refused = service.readiness
    await asyncio.to_thread(blocker.close)

    assert refused[0] == "journal"
    assert (await service.state(session))["step_count"] == 0
    await service.step(session, Action(command="x"))
    assert service.readiness == ("ready", None)
    assert (await service.state(session))["step_count"] == 1
    await service.stop()


async def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(ForeignJournal, match="cannot be used as a journal"):
        await SqliteJournal(tmp_path, fingerprint=MARK).start()


@pytest.mark.parametrize("has_traffic", [True, False])
async def test_what_was_closed_while_nothing_could_be_written_is_closed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_traffic: bool
) -> None:
    monkeypatch.setattr(sqlite_journal, "PROBE_SECONDS", 60.0 if has_traffic else 0.05)
    journal = SqliteJournal(tmp_path / "j.db", fingerprint=MARK)
    await journal.start()
    for name in ("kept", "closed"):
        await journal.append(name, "socket", entry(0))
    with closing(sqlite3.connect(tmp_path / "j.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        journal.forget("closed")
        async with asyncio.timeout(20):
            while journal.trouble is None:  # noqa: ASYNC110 - a thread of the journal's own finds out
                await asyncio.sleep(0.05)
        other.execute("ROLLBACK")
    if has_traffic:
        await journal.append("kept", "socket", entry(1))
    else:
        async with asyncio.timeout(20):
            while journal.trouble is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await journal.close()

    past = await SqliteJournal(tmp_path / "j.db", fingerprint=MARK).start()

    assert [p.session_id for p in past] == ["kept"]
