"""A lost connection is made again in the same session: no step is lost, none is doubled, and it is said."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from websockets.asyncio.server import serve

from molforge.agent.local_server import _free_port
from molforge.client import MolforgeAction, MolforgeEnv, ServerRefusal
from tests.client.cable import cable_to

PROGRAMME = {"task_id": "potency", "split": "train", "seed": 0}
STEP = MolforgeAction(action_type="assay", compounds=["M1"], assays=["potency"])
ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def client(server_url, **options):
    """Yield a cable and a client at its end with a programme open."""
    async with cable_to(server_url) as (cable, url), MolforgeEnv(base_url=url, **options) as env:
        await env.reset(**PROGRAMME)
        yield cable, env


@pytest.mark.parametrize("lost", ["request", "reply"])
async def test_a_step_under_way_is_neither_lost_nor_doubled(server_url, lost, caplog):
    async with client(server_url) as (cable, env):
        first = await env.step(STEP)
        cable.cut_next = lost
        second = await env.step(STEP)
        third = await env.step(STEP)
        state = await env.state()

    assert [r.observation.readings[0].call for r in (first, second, third)] == [1, 2, 3]
    assert second.observation.steps_left == 28
    assert state.step_count == 3
    assert env.resumed == 1
    told = "its step had been carried out" if lost == "reply" else "its step had not been carried out"
    assert any(told in record.message for record in caplog.records)


async def test_a_connection_lost_between_calls_is_made_again(server_url):
    async with client(server_url) as (cable, env):
        await env.step(STEP)
        for _ in range(3):
            cable.cut()
            await asyncio.sleep(0.05)
            result = await env.step(STEP)
        cable.cut()
        state = await env.state()

    assert result.observation.steps_left == 26
    assert (state.step_count, env.resumed) == (4, 4)


async def test_resets_without_a_seed_go_on_where_they_were(server_url):
    async def seeds(cut_before: int | None) -> list[int]:
        found = []
        async with cable_to(server_url) as (cable, url), MolforgeEnv(base_url=url) as env:
            for number in range(4):
                if number == cut_before:
                    cable.cut_next = "reply"
                found.append((await env.reset()).observation.seed)
                await env.step(STEP)
        return found

    undisturbed = await seeds(None)

    assert len(set(undisturbed)) > 2
    assert await seeds(2) == undisturbed


async def test_a_step_repeated_after_a_timeout_is_carried_out_once(server_url):
    async with client(server_url, message_timeout_s=0.3) as (cable, env):
        cable.hold_reply.clear()
        with pytest.raises(TimeoutError):
            await env.step(STEP)
        cable.hold_reply.set()
        env._message_timeout = 60.0
        again = await env.step(STEP)
        state = await env.state()

    assert (again.observation.steps_left, state.step_count) == (29, 1)


async def test_another_step_after_a_timeout_comes_after_the_first(server_url):
    async with client(server_url, message_timeout_s=0.3) as (cable, env):
        cable.hold_reply.clear()
        with pytest.raises(TimeoutError):
            await env.step(STEP)
        cable.hold_reply.set()
        env._message_timeout = 60.0
        other = await env.step(MolforgeAction(command="suggest M1"))

    assert (other.observation.steps_left, len(other.observation.suggestions)) == (28, 8)


async def test_a_session_that_somebody_else_played_in_is_an_error_and_then_goes_on(server_url):
    async with client(server_url) as (cable, env):
        session_id = (await env.state()).session_id
        cable.cut()
        async with MolforgeEnv(base_url=server_url) as other:
            other._bookmark.session_id = session_id
            other._drop_socket()
            await other.step(STEP)
            await other.step(STEP)
            other._drop_socket()
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionError, match="at step 2, this client had seen 0"):
            await env.step(STEP)
        assert (await env.step(STEP)).observation.steps_left == 27


async def test_a_session_that_is_gone_is_an_error_that_names_reset():
    attached = []

    async def forgetful(socket):
        attached.append("session_id=" in socket.request.path)
        if attached[-1]:
            gone = {"message": "Unknown session_id: s", "code": "SESSION_ERROR", "cause": "SESSION_NOT_FOUND"}
            await socket.send(json.dumps({"type": "error", "data": gone}))
            return
        await socket.recv()
        reply = {"observation": {"session_id": "s", "brief": None}, "reward": 0.0, "done": False}
        await socket.send(json.dumps({"type": "observation", "data": reply}))

    async with serve(forgetful, "127.0.0.1", 0) as server:
        env = MolforgeEnv(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with env:
            await env.reset()
            with pytest.raises(ConnectionError, match=r"session s is gone.*reset opens another"):
                await env.step(STEP)
            await env.reset()

    assert attached == [False, True, False]


async def test_a_server_that_stays_away_is_given_up(server_url):
    async with client(server_url) as (cable, env):
        env.reconnect_seconds = 0.2
        cable.cut()
        env._ws_url = "ws://127.0.0.1:9/ws"
        with pytest.raises(ConnectionError, match="cannot be reached"):
            await env.step(STEP)


def test_the_sync_client_resumes_too(server_url):
    ready, stop = threading.Event(), threading.Event()
    found = {}

    async def lay() -> None:
        async with cable_to(server_url) as (cable, found["url"]):
            found["cable"] = cable
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(lay()))
    thread.start()
    try:
        assert ready.wait(5)
        with MolforgeEnv(base_url=found["url"]).sync() as env:
            env.reset(**PROGRAMME)
            for lost in ("reply", "request"):
                found["cable"].cut_next = lost
                last = env.step(STEP)
            assert (env.state().step_count, env.async_client.resumed) == (2, 2)
            assert last.observation.steps_left == 28
    finally:
        stop.set()
        thread.join()


@contextmanager
def journalled_server(port: int, journal: Path):
    """Serve the fault environment (quick to start) on a fixed port with a journal; SIGKILL at the end."""
    python = os.environ.get("MOLFORGE_TEST_PYTHON") or sys.executable
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--journal", str(journal)]
    command = [python, "-m", "tests.app.fake_server", *options]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def await_health(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(200):
        try:
            with opener.open(f"{url}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not come up")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
async def test_a_restart_of_the_server_costs_a_client_nothing(tmp_path, number):
    port, journal = _free_port(), tmp_path / "journal.db"
    url = f"http://127.0.0.1:{port}"
    with journalled_server(port, journal) as server:
        await asyncio.to_thread(await_health, url)
        env = MolforgeEnv(base_url=url)
        env.reconnect_seconds = 30.0
        await env.reset(seed=3)
        await env.step(MolforgeAction(command="echo before"))
        server.send_signal(number)
        await asyncio.to_thread(server.wait)
        with journalled_server(port, journal):
            result = await env.step(MolforgeAction(command="echo after"))
            state = await env.state()
            await env.close()

    assert "after" in result.observation.text
    assert (state.step_count, state.seed, env.resumed) == (2, 3, 1)


async def test_a_full_server_refuses_to_resume_in_its_own_words(server_url):
    async with client(server_url) as (cable, env):
        env.reconnect_seconds = 0.1
        cable.cut()

        async def full(_url: str) -> None:
            raise ServerRefusal("Server at capacity", code="CAPACITY_REACHED", details={})

        env._connect_to = full
        with pytest.raises(ServerRefusal, match="CAPACITY_REACHED"):
            await env.step(STEP)
