"""Sessions that outlive their sockets, and servers that are killed and come back."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import aiohttp

from app.config import Config
from tests.app.harness import Socket, connected, process, serving, tool

STEP = {"type": "step", "data": {"command": "x"}}


def cut(socket: Socket) -> None:
    socket.raw._response.connection.transport.abort()  # type: ignore[union-attr]


async def resumed(url: str, session_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    async with connected(url, f"/ws?session_id={session_id}") as socket:
        return await socket.call({"type": "state"}), await socket.call(STEP)


async def test_dropped_socket_is_resumed_with_its_last_reply() -> None:
    async with serving(Config(max_sessions=1)) as url:
        async with connected(url) as socket:
            session_id = (await socket.reset(seed=3))["observation"]["session_id"]
            last = await socket.step(command="one")
            cut(socket)
        await asyncio.sleep(0.05)
        async with connected(url) as other:  # its place is free
            assert (await other.state())["step_count"] == 0
            await asyncio.sleep(0)
            async with connected(url, f"/ws?session_id={session_id}") as refused:
                full = await refused.receive()
            await other.send({"type": "close"})
            await other.closed()
        await asyncio.sleep(0.05)
        state, step = await resumed(url, session_id)

    assert full["data"]["code"] == "CAPACITY_REACHED"
    assert state["data"]["step_count"] == 1
    assert state["data"]["last_reply"]["observation"]["text"] == last["observation"]["text"]
    assert step["type"] == "observation"


async def test_closed_or_never_reset_session_cannot_be_resumed_and_ids_are_not_guessed() -> None:
    async with serving() as url:
        async with connected(url) as socket:
            closed = (await socket.reset())["observation"]["session_id"]
            await socket.send({"type": "close"})
            await socket.closed()
        for session_id in (closed, "0" * 32, "x"):
            async with connected(url, f"/ws?session_id={session_id}") as socket:
                assert (await socket.receive())["data"]["code"] == "SESSION_ERROR"


async def test_second_socket_of_a_session_is_refused_and_changes_nothing() -> None:
    async with serving() as url, connected(url) as first:
        session_id = (await first.reset())["observation"]["session_id"]
        async with connected(url, f"/ws?session_id={session_id}") as second:
            refused = await second.receive()
        await first.step(command="x")
        state = await first.state()

    assert refused["data"]["cause"] == "ALREADY_ATTACHED"
    assert state["step_count"] == 1


async def test_detached_sessions_are_bounded_and_the_oldest_go_first() -> None:
    async with serving(Config(max_detached=2)) as url:
        ids = []
        for number in range(3):
            async with connected(url) as socket:
                ids.append((await socket.reset(seed=number))["observation"]["session_id"])
            await asyncio.sleep(0.05)
        async with connected(url, f"/ws?session_id={ids[0]}") as socket:
            assert (await socket.receive())["data"]["code"] == "SESSION_ERROR"
        for number in (1, 2):
            state, _ = await resumed(url, ids[number])
            assert state["data"]["seed"] == number


async def test_killed_server_comes_back_with_every_acknowledged_step(tmp_path: Path) -> None:
    options = ("--workers", "2", "--journal", str(tmp_path / "journal.db"))
    acknowledged: dict[str, int] = {}

    async def play(url: str, number: int) -> None:
        async with connected(url) as socket:
            session_id = (await socket.reset(seed=number))["observation"]["session_id"]
            acknowledged[session_id] = 0
            while True:
                await socket.step(command="x")
                acknowledged[session_id] += 1

    with process("tests.app.fake_server", *options) as (server, url, _):
        players = [asyncio.create_task(play(url, number)) for number in range(8)]
        async with asyncio.timeout(30):
            while len(acknowledged) < 8 or min(acknowledged.values()) < 3:  # noqa: ASYNC110 - players play
                await asyncio.sleep(0.05)
        server.send_signal(signal.SIGKILL)
        outcomes = await asyncio.gather(*players, return_exceptions=True)
    assert all(isinstance(outcome, Exception) for outcome in outcomes)

    with process("tests.app.fake_server", *options) as (_, url, _):
        for session_id, count in acknowledged.items():
            async with connected(url, f"/ws?session_id={session_id}") as socket:
                found = (await socket.state())["step_count"]
            assert found - count in (0, 1)  # the last one may have been on its way back

    assert len(acknowledged) == 8


async def test_rest_session_is_found_after_a_restart(tmp_path: Path) -> None:
    options = ("--journal", str(tmp_path / "journal.db"))
    with process("tests.app.fake_server", *options) as (_, url, _):
        async with aiohttp.ClientSession() as http, http.post(f"{url}/reset", json={"seed": 4}) as reply:
            headers = {"X-Session-ID": reply.headers["X-Session-ID"]}

    with process("tests.app.fake_server", *options) as (_, url, _):
        async with aiohttp.ClientSession() as http, http.get(f"{url}/state", headers=headers) as reply:
            state = await reply.json()

    assert state["seed"] == 4


async def test_a_close_frame_counts_when_the_goodbye_comes_right_behind_it() -> None:
    async with serving() as url:
        async with connected(url) as socket:
            session_id = (await socket.reset())["observation"]["session_id"]
            await socket.step(command="sleep 0.4")  # so long that the peer is listened to meanwhile
            await socket.send({"type": "close"})
            await socket.raw.close()
        await asyncio.sleep(0.05)
        async with connected(url, f"/ws?session_id={session_id}") as socket:
            reply = await socket.receive()

    assert reply["data"]["cause"] == "SESSION_NOT_FOUND"


async def test_reading_a_detached_session_takes_no_place() -> None:
    async with serving(Config(max_sessions=1)) as url, aiohttp.ClientSession() as http:
        async with connected(url) as socket:
            session_id = (await socket.reset(seed=3))["observation"]["session_id"]
            await socket.step(command="one")
            cut(socket)
        await asyncio.sleep(0.05)
        named = {"X-Session-ID": session_id}
        for _ in range(2):
            async with http.get(f"{url}/state", headers=named) as reply:
                assert (await reply.json())["step_count"] == 1
        async with connected(url) as other:  # the only place is free
            await other.reset()
            await other.send({"type": "close"})
            await other.closed()
        _, step = await resumed(url, session_id)

    assert step["type"] == "observation"


async def test_a_rollout_is_one_after_a_restart_too(tmp_path: Path) -> None:
    options = ("--journal", str(tmp_path / "j.db"), "--workers", "0")
    with process("server.app", *options) as (server, url, _):
        async with connected(url) as socket:
            session_id = (await socket.reset(seed=1))["observation"]["session_id"]
            await socket.step(action_type="stop")
            refused = await socket.call({"type": "mcp", "data": tool("brief", seed=2)})
            server.send_signal(signal.SIGKILL)
    with process("server.app", *options) as (_, url, _):
        async with connected(url, f"/ws?session_id={session_id}") as socket:
            again = await socket.call({"type": "mcp", "data": tool("brief", seed=2)})

    for answer in (refused, again):
        assert "only reset opens another" in answer["data"]["error"]["message"]
