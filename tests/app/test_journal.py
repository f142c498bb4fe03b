"""The journal: the running episode of every session, enough to play it again."""

from __future__ import annotations

from app.engine import InProcessEngine
from app.journal import MemoryJournal
from app.service import Service
from app.sessions import Origin, SessionTable
from app.wire import ActionMessage
from tests.app.fake import FakeEnvironment


async def test_running_episode_is_recorded_as_it_was_sent_and_forgotten_with_its_session() -> None:
    journal = MemoryJournal()
    engine = InProcessEngine(FakeEnvironment, threads=1)
    table = SessionTable(capacity=1, rest_capacity=1, idle_seconds=60)
    service = Service(engine=engine, sessions=table, journal=journal, call_seconds=5)
    session = await service.open(Origin.SOCKET)
    await service.reset(session, {"seed": 1})
    await service.step(session, ActionMessage(command="x").to_action())

    await service.reset(session, {"seed": 2})
    await service.step(session, ActionMessage(command="end").to_action())

    recorded = [(entry.kind, entry.message, entry.done) for entry in await journal.entries(session.id)]
    assert recorded == [("reset", {"seed": 2}, False), ("step", {"command": "end"}, True)]
    service.close(session)
    assert await journal.entries(session.id) == ()
    await engine.close()
