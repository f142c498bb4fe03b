"""/ws: frames, errors, capacity, attach, and peers that leave."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import tracemalloc
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import ws
from app.config import Config
from app.errors import INTERNAL_MESSAGE
from app.faults.raw import RESET, Raw
from app.frames import BadFrame, parse
from app.sockets import text_frame
from app.wire import MAX_COMMAND, ActionMessage
from tests.app.fake import FakeEnvironment
from tests.app.harness import connected, serving


async def rpc(url: str, method: str, **params: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/mcp", json=body) as reply:
        answer: dict[str, Any] = await reply.json()
        return answer


async def test_frames_are_answered_in_order_when_pipelined() -> None:
    async with serving() as url, connected(url) as socket:
        for message in (
            {"type": "reset", "data": {"seed": 3}},
            {"type": "step", "data": {"command": "sleep 0.05"}},
            {"type": "state"},
            {"type": "step", "data": {"command": "x", "metadata": {}}},
            {"type": "state"},
        ):
            await socket.send(message)
        replies = [await socket.receive() for _ in range(5)]

    assert [reply["type"] for reply in replies] == [
        "observation", "observation", "state", "observation", "state",
    ]  # fmt: skip
    assert [replies[2]["data"]["step_count"], replies[4]["data"]["step_count"]] == [1, 2]
    assert replies[0]["data"]["observation"]["metadata"] == {}
    assert set(replies[0]["data"]) == {"observation", "reward", "done"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("{bad", "INVALID_JSON", id="bad-json"),
        pytest.param("", "INVALID_JSON", id="empty"),
        pytest.param(
            '{"type":"reset","data":{"x":' + "[" * 50_000 + "]" * 50_000 + "}}", "INVALID_JSON", id="deep"
        ),
        pytest.param('{"type":"step","data":{"command":"\\ud800"}}', "INVALID_JSON", id="lone-surrogate"),
        pytest.param("[1]", "VALIDATION_ERROR", id="array"),
        pytest.param("null", "VALIDATION_ERROR", id="null"),
        pytest.param('{"type":"fly"}', "UNKNOWN_TYPE", id="unknown-type"),
        pytest.param('{"type":["reset"]}', "UNKNOWN_TYPE", id="type-is-a-list"),
        pytest.param('{"type":"step"}', "VALIDATION_ERROR", id="no-data"),
        pytest.param('{"type":"state","data":{}}', "VALIDATION_ERROR", id="extra-key"),
        pytest.param('{"type":"step","data":{"action":{"command":"x"}}}', "VALIDATION_ERROR", id="wrapped"),
        pytest.param('{"type":"step","data":{"command":"x"}}', "EXECUTION_ERROR", id="before-reset"),
        pytest.param(
            '{"type":"reset","data":{"seed":9223372036854775808}}', "EXECUTION_ERROR", id="seed-too-big"
        ),
    ],
)
async def test_what_does_not_fit_gets_an_error_frame_and_the_session_lives(frame: str, code: str) -> None:
    async with serving() as url, connected(url) as socket:
        reply = await socket.call(frame)
        assert (await socket.state())["step_count"] == 0

    assert reply["type"] == "error"
    assert reply["data"]["code"] == code
    assert reply["data"]["message"]
    if code == "VALIDATION_ERROR":
        assert reply["data"]["errors"]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"type": "reset", "data": {"seed": -1}}, "data.seed: Input should be greater than or equal to 0"),
        ({"type": "step", "data": {"action": {"command": "x"}}}, "data: the fields of an action stand here"),
        ({"type": "step", "data": {"cmd": "x", "n": 9}}, "(and 1 more)"),
    ],
)
async def test_the_message_says_what_does_not_fit_for_clients_that_read_no_more(
    frame: dict[str, Any], told: str
) -> None:
    async with serving() as url, connected(url) as socket:
        reply = await socket.call(frame)

    assert told in reply["data"]["message"]


async def test_step_before_reset_names_reset() -> None:
    async with serving() as url, connected(url) as socket:
        reply = await socket.call({"type": "step", "data": {"command": "x"}})

    assert "reset" in reply["data"]["message"]
    assert reply["data"]["cause"] == "NOT_RESET"


async def test_nan_is_a_number_like_any_other_on_its_way_in_and_null_on_its_way_out() -> None:
    async with serving() as url, connected(url) as socket:
        await socket.reset()
        predicted = {"potency": {"value": math.nan, "low": math.inf, "high": 1}}
        action = {"action_type": "nominate", "compound": "M1", "predicted": predicted}
        text = json.dumps({"type": "step", "data": action})
        assert "NaN" in text
        reply = await socket.call(text)

    assert reply["type"] == "observation"


async def test_environment_failure_is_told_without_its_details() -> None:
    async with serving() as url, connected(url) as socket:
        await socket.reset()
        reply = await socket.call({"type": "step", "data": {"command": "boom"}})
        await socket.step(command="x")

    assert reply["data"] == {
        "message": INTERNAL_MESSAGE,
        "code": "EXECUTION_ERROR",
        "cause": "INTERNAL_ERROR",
    }


async def test_binary_frame_is_explained() -> None:
    async with serving() as url, connected(url) as socket:
        await socket.raw.send_bytes(b'{"type":"state"}')
        reply = await socket.receive()
        assert (await socket.state())["step_count"] == 0

    assert "text frame" in reply["data"]["message"]


async def test_close_is_answered_by_1000_and_the_clients_own_code_is_echoed() -> None:
    async with serving() as url:
        async with connected(url) as socket:
            await socket.send({"type": "close"})
            assert (await socket.closed())[0] == 1000
        async with connected(url) as socket:
            await socket.raw.close(code=4321)
            assert socket.raw.close_code == 4321


async def test_message_beyond_16_mib_closes_1009() -> None:
    async with serving() as url, connected(url) as socket:
        await socket.raw.send_str("y" * (15 << 20))
        assert (await socket.receive())["data"]["code"] == "VALIDATION_ERROR"
        sending = asyncio.create_task(socket.raw.send_str("y" * (17 << 20)))
        code, _ = await socket.closed()
        await asyncio.gather(sending, return_exceptions=True)

    assert code in (1009, None)  # None: cut off while still sending


async def test_over_capacity_is_accepted_told_and_closed_1000() -> None:
    async with serving(Config(max_sessions=1)) as url, connected(url) as first:
        await first.reset()
        async with connected(url) as second:
            reply = await second.receive()
            code, _ = await second.closed()
        assert (await first.state())["step_count"] == 0

    assert reply["data"]["code"] == "CAPACITY_REACHED"
    assert (reply["data"]["active_sessions"], reply["data"]["max_sessions"]) == (1, 1)
    assert code == 1000


async def test_factory_failure_is_told_and_takes_no_place() -> None:
    def broken() -> FakeEnvironment:
        raise OSError("where it hurts")

    async with serving(Config(max_sessions=1), factory=broken) as url:
        for _ in range(3):
            async with connected(url) as socket:
                reply = await socket.receive()

    assert reply["data"]["code"] == "FACTORY_ERROR"
    assert "hurts" not in str(reply)


async def test_dropped_socket_frees_its_place_at_once_even_during_a_step() -> None:
    async with serving(Config(max_sessions=1)) as url:
        async with connected(url) as socket:
            await socket.reset()
            await socket.send({"type": "step", "data": {"command": "sleep 1"}})
            await asyncio.sleep(0.05)
            transport = socket.raw._response.connection.transport  # type: ignore[union-attr]
            transport.abort()
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(0.9):
            while True:
                async with connected(url) as socket:
                    if (await socket.call({"type": "state"}))["type"] == "state":
                        break
        assert asyncio.get_running_loop().time() - began < 0.9


async def test_sessions_that_end_leave_neither_places_nor_environments_behind() -> None:
    FakeEnvironment.alive = set()
    async with serving(Config(max_sessions=2)) as url:
        for number in range(20):
            async with connected(url) as socket:
                await socket.reset(seed=number)
                if number % 2:
                    await socket.send({"type": "close"})
                    await socket.closed()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            while FakeEnvironment.alive:  # noqa: ASYNC110 - they are closed in threads
                await asyncio.sleep(0.01)


async def test_pings_are_answered_during_a_step() -> None:
    async with serving() as url, connected(url, autoping=False) as socket:
        await socket.reset()
        await socket.send({"type": "step", "data": {"command": "sleep 0.5"}})
        await socket.raw.ping(b"hello")
        message = await socket.raw.receive(timeout=0.4)

    assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"hello")


async def test_created_session_is_attached_by_one_socket_at_a_time_and_survives_it() -> None:
    async with serving(Config(max_sessions=1)) as url:
        session_id = (await rpc(url, "openenv/session/create"))["result"]["session_id"]
        async with connected(url, f"/ws?session_id={session_id}") as first:
            await first.reset(episode_id="kept")
            await first.step(command="x")
            async with connected(url, f"/ws?session_id={session_id}") as second:
                refused = await second.receive()
                assert (await second.closed())[0] == 1000
        async with connected(url, f"/ws?session_id={session_id}") as third:
            state = await third.state()
            closing = await rpc(url, "openenv/session/close", session_id=session_id)
            await third.state()
        await asyncio.sleep(0.05)
        async with connected(url, f"/ws?session_id={session_id}") as fourth:
            gone = await fourth.receive()

    assert refused["data"]["code"] == gone["data"]["code"] == "SESSION_ERROR"
    assert (state["episode_id"], state["step_count"]) == ("kept", 1)
    assert state["last_reply"]["reward"] == 0.25
    assert closing["result"] == {"session_id": session_id, "closed": False, "closing": True}


async def test_idle_socket_is_closed_with_the_reason_and_a_busy_one_is_not() -> None:
    async with serving(Config(idle_seconds=0.4)) as url, connected(url) as idle, connected(url) as busy:
        await idle.reset()
        await busy.reset()
        for _ in range(8):
            await busy.step(command="sleep 0.1")
        code, reason = await idle.closed()
        assert (await busy.state())["step_count"] == 8

    assert code == 1001
    assert reason.startswith("idle ")


async def test_step_that_runs_too_long_is_given_up_and_the_programme_goes_on_as_if_it_had_not_been() -> None:
    async with serving(Config(call_seconds=0.3)) as url, connected(url) as socket, connected(url) as other:
        await socket.reset(seed=1)
        await socket.step(command="first")
        reply = await socket.call({"type": "step", "data": {"command": "sleep 0.6"}})
        after = await socket.step(command="x")
        await other.reset(seed=1)
        await other.step(command="first")
        expected = await other.step(command="x")

    assert (reply["data"]["code"], reply["data"]["cause"]) == ("EXECUTION_ERROR", "STEP_TIMEOUT")
    assert after["observation"]["text"] == expected["observation"]["text"]


async def test_a_peer_that_never_reads_does_not_stall_others() -> None:
    async with serving() as url, connected(url) as greedy, connected(url) as other:
        await greedy.reset()
        for _ in range(2000):
            await greedy.raw.send_str(json.dumps({"type": "state"}))
        async with asyncio.timeout(2):
            await other.reset()
            await other.step(command="x")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@given(JSON | st.sampled_from(["", "x" * MAX_COMMAND, "é" * MAX_COMMAND, "x" * (MAX_COMMAND + 1)]))
def test_a_command_alone_is_taken_as_the_model_takes_it(command: Any) -> None:
    try:
        expected: object = ActionMessage.model_validate({"command": command}).as_message()
    except ValueError:
        expected = None

    try:
        found: object = parse({"type": "step", "data": {"command": command}})
    except BadFrame:
        found = None

    assert found == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_a_reply_of_any_length_is_framed(size: int) -> None:
    message = b"x" * size

    frame = text_frame(message)

    first, second, rest = frame[0], frame[1], frame[2:]
    extra = {126: 2, 127: 8}.get(second, 0)
    assert first == 0x81
    assert (int.from_bytes(rest[:extra], "big") if extra else second) == size
    assert rest[extra:] == message
    assert extra == 2 * (size > 125) + 6 * (size > 65535)


async def test_an_idle_socket_holds_no_reply() -> None:
    size, sockets = 200_000, 20
    async with serving() as url, AsyncExitStack() as stack:
        open_ = [await stack.enter_async_context(connected(url)) for _ in range(sockets)]
        for socket in open_:
            await socket.reset()
            await socket.step(command="x")
        tracemalloc.start()
        try:
            for socket in open_:
                await socket.step(command=f"big {size}")
            gc.collect()
            held = tracemalloc.get_traced_memory()[0] / sockets
        finally:
            tracemalloc.stop()

    assert held < 1.5 * size, "the environment keeps its last reply, the server none"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not list open files")
async def test_a_peer_that_reads_nothing_and_leaves_costs_no_descriptor_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ws, "SEND_SECONDS", 1.0)
    async with serving() as url:
        before = open_files()
        peer = Raw(int(url.rpartition(":")[2]))
        await peer.connect()
        await peer.upgrade()
        peer.send(RESET)
        peer.send(b'{"type":"step","data":{"command":"big 20000000"}}')
        peer.send(b"\x03\xe8", opcode=8)
        await asyncio.sleep(0.5)
        during = open_files()
        await asyncio.sleep(1.5)
        after = open_files()
        peer.abort()

    assert (during - before, after - before) == (2, 1), "both ends, then the peer's alone"
