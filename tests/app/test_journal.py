"""The journal: the running episode of every session, enough to play it again."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from app import journal
from app.engine import InProcessEngine
from app.journal import MemoryJournal
from app.service import Service
from app.sessions import Origin, SessionTable
from app.wire import ActionMessage
from tests.app.fake import FakeEnvironment
from tests.app.harness import connected, serving


async def test_running_episode_is_recorded_as_it_was_sent_and_forgotten_with_its_session() -> None:
    record = MemoryJournal()
    engine = InProcessEngine(FakeEnvironment, threads=1)
    table = SessionTable(capacity=1, rest_capacity=1, idle_seconds=60)
    service = Service(engine=engine, sessions=table, journal=record, call_seconds=5)
    session = await service.open(Origin.SOCKET)
    await service.reset(session, {"seed": 1})
    await service.step(session, ActionMessage(command="x").to_action())

    await service.reset(session, {"seed": 2})
    await service.step(session, ActionMessage(command="end").to_action())

    recorded = [(entry.kind, entry.message, entry.done) for entry in await record.entries(session.id)]
    assert recorded == [("reset", {"seed": 2}, False), ("step", {"command": "end"}, True)]
    service.close(session)
    assert await record.entries(session.id) == ()
    await engine.close()


async def test_records_in_memory_have_a_bound_and_who_has_no_place_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 20_000)
    async with serving() as url, aiohttp.ClientSession() as http:
        ids = []
        for number in range(3):
            async with connected(url) as socket:
                ids.append((await socket.reset(seed=number))["observation"]["session_id"])
                await socket.step(command="x" * 7000)
                if number < 2:
                    socket.raw._response.connection.transport.abort()  # type: ignore[union-attr]
                    await asyncio.sleep(0.05)
                    continue
                async with http.get(f"{url}/state", headers={"X-Session-ID": ids[0]}) as gone:
                    pass
                async with http.get(f"{url}/state", headers={"X-Session-ID": ids[1]}) as left:
                    pass
                mine = await socket.state()

    assert (gone.status, left.status, mine["step_count"]) == (404, 200, 1)
