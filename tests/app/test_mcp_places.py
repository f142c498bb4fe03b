"""Sessions of /mcp: places that are lost and found, calls that take turns, batches."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from app.config import Config
from app.mcp_sessions import McpSessions
from app.sessions import Origin, Session
from tests.app.harness import serving
from tests.app.test_mcp import START, laboratory, request, send, tool


async def test_handshakes_take_no_place_and_a_place_lost_comes_back_or_is_a_404() -> None:
    async with laboratory(max_rest_sessions=1, max_detached=1) as url, aiohttp.ClientSession() as http:
        names = [(await send(http, url, START))[2]["Mcp-Session-Id"] for _ in range(5)]
        for seed, name in enumerate(names[:3]):  # each takes the place of the one before
            assert "result" in (await send(http, url, tool("brief", seed=seed), Mcp_Session_Id=name))[1]
        status, noted, _ = await send(http, url, tool("notebook"), Mcp_Session_Id=names[1])
        gone, _, _ = await send(http, url, request("ping"), Mcp_Session_Id=names[0])

    assert (status, noted["result"]["structuredContent"]["observation"]["seed"]) == (200, 1)
    assert gone == 404


async def test_a_session_without_a_place_can_be_pinged_and_ended_and_told_that_all_are_taken() -> None:
    async with laboratory(max_rest_sessions=1) as url, aiohttp.ClientSession() as http:
        names = [(await send(http, url, START))[2]["Mcp-Session-Id"] for _ in range(2)]
        for name in names:
            await send(http, url, tool("brief", seed=1), Mcp_Session_Id=name)
        await send(http, url, tool("assay", compounds=["M1"], assays=["potency"]), Mcp_Session_Id=names[1])
        pinged, _, _ = await send(http, url, request("ping"), Mcp_Session_Id=names[0])
        status, full, _ = await send(http, url, tool("notebook"), Mcp_Session_Id=names[0])
        async with http.delete(f"{url}/mcp", headers={"Mcp-Session-Id": names[0]}) as reply:
            ended = reply.status

    assert (pinged, status, ended) == (200, 200, 204)
    assert full["error"]["code"] == -32000
    assert full["error"]["data"] == {"active_sessions": 1, "max_sessions": 1}


async def test_a_batch_of_a_session_is_answered_as_one() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        name = (await send(http, url, START))[2]["Mcp-Session-Id"]
        batch = [request("ping"), {"jsonrpc": "2.0", "method": "notifications/x"}, request("tools/list")]
        _, answers, _ = await send(http, url, batch, Mcp_Session_Id=name)

    assert [sorted(answer["result"]) for answer in answers] == [[], ["tools"]]


async def test_a_batch_is_bounded_and_each_of_its_messages_counts_for_the_rate_limits() -> None:
    config = Config(calls_per_second_per_address=20, trust_forwarded=True)
    far = {"X_Forwarded_For": "203.0.113.9"}
    async with serving(config) as url, aiohttp.ClientSession() as http:
        name = (await send(http, url, START))[2]["Mcp-Session-Id"]
        _, refused, _ = await send(http, url, [request("ping")] * 65, Mcp_Session_Id=name, **far)
        began = time.monotonic()
        _, answers, _ = await send(http, url, [request("ping")] * 50, Mcp_Session_Id=name, **far)
        seconds = time.monotonic() - began

    assert "at most" in refused["error"]["message"]
    assert len(answers) == 50
    assert seconds > 0.4  # two seconds' worth at once, the rest at the rate


async def test_parallel_calls_of_an_openenv_session_take_turns() -> None:
    async with laboratory() as url, aiohttp.ClientSession() as http:
        _, made, _ = await send(http, url, request("openenv/session/create"))
        session_id = made["result"]["session_id"]

        async def play(name: str, **arguments: Any) -> Any:
            call = tool(name, **arguments)
            call["params"]["session_id"] = session_id
            return (await send(http, url, call))[1]

        await play("brief", seed=1)
        answers = await asyncio.gather(
            *(play("assay", compounds=["M1"], assays=["potency"]) for _ in range(5))
        )

    assert all("result" in answer for answer in answers)


def test_handshakes_without_a_programme_are_forgotten_first() -> None:
    sessions = McpSessions(limit=2)
    playing, idle = sessions.open(), sessions.open()
    playing.seat = Session(id="s", origin=Origin.CREATED, last_used=0.0)

    sessions.open()

    assert set(sessions._sessions) >= {playing.id}
    assert idle.id not in sessions._sessions
