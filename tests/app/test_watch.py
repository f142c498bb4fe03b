"""Sockets that are at one thing for long: pings are answered, the dead are found, the deaf are given up."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from app import ws
from app.config import Config
from molforge.actions import Action, ActionType
from molforge.contract import Step
from tests.app.fake import FakeEnvironment
from tests.app.harness import connected, serving, tool


async def test_pings_are_answered_while_a_step_runs_and_frames_wait_in_order() -> None:
    async with serving() as url, connected(url, autoping=False) as socket:
        await socket.reset()
        await socket.send({"type": "step", "data": {"command": "sleep 1.5"}})
        await socket.send({"type": "step", "data": {"command": "second"}})
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await socket.raw.ping(b"there?")
        pong = await socket.raw.receive(timeout=5)
        seconds = time.monotonic() - began
        first, second = await socket.receive(), await socket.receive()
        third = await socket.step(command="third")

    assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"there?")
    assert seconds < 1.0
    texts = [reply["data"]["observation"]["text"].split()[1] for reply in (first, second)]
    assert texts == ["sleep", "second"]
    assert third["observation"]["text"].endswith("third")


class SlowToSuggest(FakeEnvironment):
    """Takes its time to suggest something."""

    def step(self, action: Action) -> Step:
        if action.action_type is ActionType.SUGGEST:
            time.sleep(3)
        return super().step(action)


RESET = {"type": "reset", "data": {}}
SUGGEST = {"type": "step", "data": {"action_type": "suggest", "compound": "M1"}}
FRAMES = {"/ws": (RESET, SUGGEST), "/mcp": (tool("brief"), tool("suggest", compound="M1"))}
sockets = pytest.mark.parametrize("path", list(FRAMES))


@sockets
async def test_peer_that_leaves_during_a_step_frees_its_place_before_the_step_ends(path: str) -> None:
    reset, suggest = FRAMES[path]
    async with serving(factory=SlowToSuggest) as url, aiohttp.ClientSession() as http:
        async with connected(url, path) as socket:
            await socket.call(reset)
            await socket.send(suggest)
            await asyncio.sleep(0.3)
            taken = await _sockets(http, url)
            began = time.monotonic()
        await _without_sockets(http, url)
        seconds = time.monotonic() - began

    assert taken == 1
    assert seconds < 2.0


class SlowToCome(FakeEnvironment):
    """Takes a while to be made."""

    def __init__(self) -> None:
        time.sleep(1.5)
        super().__init__()


async def test_pings_are_answered_while_the_environment_is_made_and_frames_wait_in_order() -> None:
    async with serving(factory=SlowToCome) as url, connected(url, autoping=False) as socket:
        await socket.send({"type": "reset", "data": {"seed": 7}})
        await socket.send({"type": "step", "data": {"command": "first"}})
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await socket.raw.ping(b"there?")
        pong = await socket.raw.receive(timeout=5)
        seconds = time.monotonic() - began
        opening, step = await socket.receive(), await socket.receive()

    assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"there?")
    assert seconds < 1.0
    texts = [reply["data"]["observation"]["text"] for reply in (opening, step)]
    assert texts[0].endswith("seed 7")
    assert texts[1].endswith("first")


@sockets
async def test_peer_that_leaves_while_its_environment_is_made_frees_its_place(path: str) -> None:
    config = Config(max_sessions=1)
    async with serving(config, factory=SlowToCome) as url, aiohttp.ClientSession() as http:
        async with connected(url, path):
            await asyncio.sleep(0.3)
            full = await _sockets(http, url)
            began = time.monotonic()
        await _without_sockets(http, url)
        seconds = time.monotonic() - began
        async with connected(url, path) as socket:
            await socket.call(FRAMES[path][0])

    assert full == 1
    assert seconds < 1.0


async def _sockets(http: aiohttp.ClientSession, url: str) -> int:
    """Return how many places of sockets are taken."""
    async with http.get(f"{url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    (line,) = (line for line in lines if line.startswith('molforge_sessions{kind="socket"}'))
    return int(float(line.split()[1]))


async def _without_sockets(http: aiohttp.ClientSession, url: str) -> None:
    """Wait until no place of a socket is taken."""
    while True:
        if not await _sockets(http, url):
            return
        await asyncio.sleep(0.05)


async def test_silent_peer_is_pinged_and_closed_with_1011_if_it_gives_no_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ws, "HEARTBEAT_SECONDS", 1.0)
    async with serving() as url, connected(url, autoping=False) as dead, connected(url) as alive:
        await dead.reset()
        await alive.reset()
        listening = asyncio.create_task(alive.raw.receive(timeout=30))
        ping = await dead.raw.receive(timeout=10)
        close = await dead.raw.receive(timeout=10)
        await asyncio.sleep(0.5)
        is_alive = not listening.done()
        await alive.send({"type": "state"})
        state = await listening

    assert ping.type is aiohttp.WSMsgType.PING
    assert (close.type, close.data, close.extra) == (aiohttp.WSMsgType.CLOSE, 1011, "keepalive ping timeout")
    assert is_alive
    assert state.type is aiohttp.WSMsgType.TEXT
