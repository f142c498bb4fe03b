"""What the client does when the other side is late, full or gone; the other side is written by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from websockets.asyncio.server import serve

from molforge.client import MolforgeAction, MolforgeEnv, ServerRefusal

STEP = MolforgeAction(command="suggest M1")


def observation(text: str) -> str:
    return json.dumps({"type": "observation", "data": {"observation": {"text": text}, "reward": 0.0}})


def error(code: str) -> str:
    return json.dumps({"type": "error", "data": {"message": "no", "code": code}})


@asynccontextmanager
async def client_of(handler, **options):
    """Yield a client of a WebSocket server whose every connection is handled by ``handler``."""
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with MolforgeEnv(base_url=f"http://127.0.0.1:{port}", **options) as env:
            yield env


async def test_a_late_reply_is_never_taken_for_the_next_ones():
    connections = []

    async def late_once(socket):
        connections.append(socket)
        is_first = len(connections) == 1
        async for frame in socket:
            message = json.loads(frame)
            if message["type"] == "reset" and is_first:
                await asyncio.sleep(0.1)
            if message["type"] != "close":
                await socket.send(observation("late" if is_first else "fresh"))

    async with client_of(late_once, message_timeout_s=0.05) as env:
        with pytest.raises(TimeoutError):
            await env.reset()
        await asyncio.sleep(0.1)
        assert (await env.reset()).observation.text == "fresh"
    assert len(connections) == 2


async def test_a_cancelled_call_does_not_shift_later_replies():
    async def counting(socket):
        count = 0
        async for frame in socket:
            if json.loads(frame)["type"] != "close":
                count += 1
                await asyncio.sleep(0.05)
                await socket.send(observation(str(count)))

    async with client_of(counting) as env:
        await env.reset()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await env.step(STEP)
        assert (await env.reset()).observation.text == "1", "a fresh session, whose first reply this is"


async def test_a_session_closed_by_the_server_is_an_error_that_names_reset():
    async def restarting(socket):
        await socket.recv()
        await socket.close(1012, "session-7")

    async with client_of(restarting) as env:
        with pytest.raises(ConnectionError, match=r"session-7.*reset opens another"):
            await env.reset()


async def test_the_next_reset_after_a_lost_connection_opens_a_new_session():
    connections = []

    async def short(socket):
        connections.append(socket)
        await socket.recv()
        await socket.send(observation("open"))

    async with client_of(short) as env:
        await env.reset()
        with pytest.raises(ConnectionError):
            await env.step(STEP)
        assert (await env.reset()).observation.text == "open"
    assert len(connections) == 2


async def test_a_full_server_says_so_in_its_own_words():
    async def full(socket):
        await socket.send(error("CAPACITY_REACHED"))
        await socket.close()

    async with client_of(full) as env:
        await asyncio.sleep(0.05)
        with pytest.raises(ServerRefusal) as refused:
            await env.reset()
    assert refused.value.code == "CAPACITY_REACHED"


async def test_fields_of_a_newer_server_are_ignored():
    reply = {
        "text": "hello",
        "invented_later": 1,
        "suggestions": [{"smiles": "C", "transformation": "t", "x": 1}],
    }

    async def newer(socket):
        async for frame in socket:
            if json.loads(frame)["type"] == "reset":
                data = {"observation": reply, "reward": None, "done": False, "metadata": None}
                await socket.send(json.dumps({"type": "observation", "data": data}))

    async with client_of(newer) as env:
        result = await env.reset()
    assert (result.observation.text, result.observation.suggestions[0].smiles) == ("hello", "C")


async def test_no_server_is_a_connection_error():
    with pytest.raises(ConnectionError, match="Failed to connect"):
        await MolforgeEnv(base_url="http://127.0.0.1:9").connect()


async def test_a_first_reset_whose_connection_was_lost_is_sent_again():
    connections = []

    async def lost_once(socket):
        connections.append(socket)
        await socket.recv()
        if len(connections) > 1:
            await socket.send(observation("open"))

    async with client_of(lost_once) as env:
        assert (await env.reset()).observation.text == "open"
    assert len(connections) == 2
