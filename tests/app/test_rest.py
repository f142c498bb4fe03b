"""REST: sessions found by their id, capacity of their own, errors as JSON."""

from __future__ import annotations

import asyncio
import gzip
import io
import time
from typing import Any

import aiohttp
import pytest

from app.config import Config
from app.wire import ResetArguments
from tests.app.harness import connected, process, serving

STEP = {"action": {"command": "echo hi"}}


async def post(
    http: aiohttp.ClientSession, url: str, body: Any = None, **headers: str
) -> tuple[int, Any, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.post(url, json=body, headers=named) as reply:
        return reply.status, await reply.json(), reply.headers


async def get(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.get(url, headers=named) as reply:
        return reply.status, await reply.json()


def without_cookies() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


async def test_session_is_found_by_header_query_body_and_cookie() -> None:
    async with serving() as url, without_cookies() as http:
        _, reply, headers = await post(http, f"{url}/reset", {"seed": 5, "episode_id": "e"})
        session_id = headers["X-Session-ID"]
        assert reply["metadata"] == {"session_id": session_id}
        assert headers["Set-Cookie"].startswith(f"molforge_session={session_id};")
        assert "HttpOnly" in headers["Set-Cookie"]

        await post(http, f"{url}/step", STEP, X_Session_ID=session_id)
        await post(http, f"{url}/step?session_id={session_id}", STEP)
        await post(http, f"{url}/step", {**STEP, "session_id": session_id})
        await post(http, f"{url}/step", STEP, Cookie=f"molforge_session={session_id}")
        status, state = await get(http, f"{url}/state", X_Session_ID=session_id)

    assert (status, state["episode_id"], state["step_count"]) == (200, "e", 4)


async def test_without_an_id_each_request_stands_alone_and_says_so() -> None:
    async with serving() as url, without_cookies() as http:
        await post(http, f"{url}/reset", {"seed": 5})
        status, first, _ = await post(http, f"{url}/step", STEP)
        _, second, _ = await post(http, f"{url}/step", STEP)
        _, state = await get(http, f"{url}/state")

    assert status == 200
    assert "new default programme" in first["metadata"]["note"]
    assert first["metadata"]["session_id"] != second["metadata"]["session_id"]
    assert first["observation"]["text"] == second["observation"]["text"]
    assert (state["step_count"], state["task_id"]) == (0, "")
    assert "fresh environment" in state["metadata"]["note"]


async def test_unknown_session_is_a_404_except_for_a_stale_cookie_on_reset() -> None:
    async with serving() as url, without_cookies() as http:
        status, body, _ = await post(http, f"{url}/step", STEP, X_Session_ID="nope")
        assert (status, body["code"]) == (404, "SESSION_NOT_FOUND")
        assert (await post(http, f"{url}/reset", {}, X_Session_ID="nope"))[0] == 404
        assert (await post(http, f"{url}/step", STEP, Cookie="molforge_session=old"))[0] == 404

        status, _, headers = await post(http, f"{url}/reset", {}, Cookie="molforge_session=old")

    assert status == 200
    assert headers["X-Session-ID"] != "old"


async def test_reset_with_an_id_opens_the_next_programme_in_the_same_session() -> None:
    async with serving() as url, without_cookies() as http:
        _, _, first = await post(http, f"{url}/reset", {"seed": 1})
        _, reply, second = await post(http, f"{url}/reset", {"seed": 2}, X_Session_ID=first["X-Session-ID"])

    assert first["X-Session-ID"] == second["X-Session-ID"]
    assert reply["observation"]["seed"] == 2


async def test_at_capacity_the_longest_idle_unstepped_session_makes_room_and_then_503() -> None:
    async with serving(Config(max_rest_sessions=2)) as url, without_cookies() as http:
        ids = []
        for _ in range(3):
            _, _, headers = await post(http, f"{url}/reset")
            ids.append(headers["X-Session-ID"])
        assert (await get(http, f"{url}/state", X_Session_ID=ids[0]))[0] == 200
        for session_id in ids[:2]:
            assert (await post(http, f"{url}/step", STEP, X_Session_ID=session_id))[0] == 200

        status, body, headers = await post(http, f"{url}/reset")
        async with connected(url) as socket:
            await socket.reset(seed=1)  # WebSocket places are others

    assert (status, body["code"]) == (503, "CAPACITY_REACHED")
    assert int(headers["Retry-After"]) > 0


async def test_at_capacity_an_idle_session_is_detached_and_plays_on_by_its_id() -> None:
    async with serving(Config(max_rest_sessions=1, rest_idle_seconds=0.2)) as url, without_cookies() as http:
        ids = []
        for seed in (1, 2):
            _, _, headers = await post(http, f"{url}/reset", {"seed": seed})
            ids.append(headers["X-Session-ID"])
            assert (await post(http, f"{url}/step", STEP, X_Session_ID=ids[-1]))[0] == 200
            assert (await get(http, f"{url}/state", X_Session_ID=ids[0]))[0] == (200 if seed == 1 else 503)
            await asyncio.sleep(0.3)

        for number in (2, 3):
            for session_id in ids:
                status, _, _ = await post(http, f"{url}/step", STEP, X_Session_ID=session_id)
                assert status == 200
                _, state = await get(http, f"{url}/state", X_Session_ID=session_id)
                assert state["step_count"] == number
                await asyncio.sleep(0.3)


async def test_resets_at_once_find_a_place_or_hear_503_but_never_404() -> None:
    async with serving(Config(max_rest_sessions=2)) as url, without_cookies() as http:
        for _ in range(4):
            replies = await asyncio.gather(*(post(http, f"{url}/reset") for _ in range(8)))
            assert {status for status, _, _ in replies} <= {200, 503}
            assert any(status == 200 for status, _, _ in replies)


async def test_resuming_a_session_does_not_drop_it_to_make_room() -> None:
    limits = Config(max_rest_sessions=1, max_detached=1, rest_idle_seconds=0.1)
    async with serving(limits) as url, without_cookies() as http:
        ids = []
        for _ in range(2):
            _, _, headers = await post(http, f"{url}/reset")
            ids.append(headers["X-Session-ID"])
            await post(http, f"{url}/step", STEP, X_Session_ID=ids[-1])
            await asyncio.sleep(0.2)

        for session_id in ids * 2:
            assert (await post(http, f"{url}/step", STEP, X_Session_ID=session_id))[0] == 200
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("head", ["X-Session-ID: \xff\xfe", "Cookie: molforge_session=\xff"])
async def test_header_bytes_that_are_no_text_are_an_unknown_session(head: str) -> None:
    async with serving() as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        writer.write(
            f"GET /state HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n".encode("latin-1")
        )
        reply = await reader.read()
        writer.close()

    assert reply.startswith(b"HTTP/1.1 404 ")
    assert b'"code":"SESSION_NOT_FOUND"' in reply


async def test_a_body_longer_than_anything_understood_is_refused_unread() -> None:
    async with serving() as url, without_cookies() as http:
        body, status = await _sent(http, f"{url}/step", b'{"action":{"command":"' + b"x" * (1 << 20) + b'"}}')
        answer, mcp_status = await _sent(
            http, f"{url}/mcp", b'{"jsonrpc":"2.0","id":"' + b"x" * (1 << 20) + b'"}'
        )

    assert (status, body["detail"][0]["type"]) == (422, "too_long")
    assert (mcp_status, answer["error"]["code"]) == (200, -32700)
    assert "is not read" in body["detail"][0]["msg"]
    assert "is not read" in answer["error"]["message"]


async def _sent(http: aiohttp.ClientSession, url: str, body: bytes) -> tuple[Any, int]:
    kind = {"Content-Type": "application/json"}
    async with http.post(url, data=io.BytesIO(body), headers=kind) as reply:
        return await reply.json(), reply.status


async def test_rest_and_websocket_reach_the_same_session() -> None:
    async with serving() as url, without_cookies() as http:
        _, _, headers = await post(http, f"{url}/reset", {"episode_id": "shared"})
        session_id = headers["X-Session-ID"]
        async with connected(url, f"/ws?session_id={session_id}") as socket:
            await socket.step(command="echo over the socket")
        await post(http, f"{url}/step", STEP, X_Session_ID=session_id)
        _, state = await get(http, f"{url}/state", X_Session_ID=session_id)

    assert (state["episode_id"], state["step_count"]) == ("shared", 2)


async def test_timeout_is_honoured_and_the_session_lives_on() -> None:
    async with serving() as url, without_cookies() as http:
        _, _, headers = await post(http, f"{url}/reset", {})
        session_id = headers["X-Session-ID"]
        slow = {"action": {"command": "sleep 1"}, "timeout_s": 0.05}

        status, body, _ = await post(http, f"{url}/step", slow, X_Session_ID=session_id)
        after, told, _ = await post(http, f"{url}/step", STEP, X_Session_ID=session_id)
        again, _, _ = await post(http, f"{url}/reset", {}, X_Session_ID=session_id)

    assert (status, body["code"]) == (504, "STEP_TIMEOUT")
    assert (after, told["done"]) == (200, False)
    assert again == 200


@pytest.mark.parametrize(
    ("path", "body", "kind", "loc"),
    [
        pytest.param("/reset", '{"seed": -1}', "greater_than_equal", ["body", "seed"], id="negative-seed"),
        pytest.param("/reset", '{"seed": 1.5}', "int_from_float", ["body", "seed"], id="fraction"),
        pytest.param("/reset", "{bad", "json_invalid", ["body", 1], id="bad-json"),
        pytest.param("/reset", "[]", "model_attributes_type", ["body"], id="array"),
        pytest.param("/reset", "null", "model_attributes_type", ["body"], id="null"),
        pytest.param("/reset", '{"x": "\\ud800"}', "json_invalid", ["body", 0], id="lone-surrogate"),
        pytest.param("/reset", '{"task_id": "x"}', "bad_argument", ["body", "task_id"], id="no-such-task"),
        pytest.param(
            "/reset", '{"seed": 9223372036854775808}', "bad_argument", ["body", "seed"], id="2-to-the-63"
        ),
        pytest.param("/step", "", "missing", ["body"], id="no-body"),
        pytest.param("/step", '{"command": "x"}', "missing", ["body", "action"], id="bare-action"),
        pytest.param("/step", '{"action": {"n": 9}}', "less_than_equal", ["n"], id="n-too-big"),
        pytest.param("/step", '{"action": {}}', "action_missing", ["body", "action"], id="no-action"),
        pytest.param("/step", '{"action": {"smile": []}}', "extra_forbidden", ["smile"], id="misspelt"),
    ],
)
async def test_what_does_not_fit_is_a_422_that_says_where(
    path: str, body: str, kind: str, loc: list[Any]
) -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/json"}
        async with http.post(url + path, data=body, headers=headers) as reply:
            told = await reply.json()
            detail = told["detail"]

    assert reply.status == 422
    assert told.get("code") == ("BAD_ARGUMENT" if kind == "bad_argument" else None)
    assert (kind, loc) in [(entry["type"], entry["loc"]) for entry in detail]


async def test_body_not_declared_as_json_is_not_read_as_json() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        headers = {"Content-Type": "text/plain"}
        async with http.post(f"{url}/reset", data="{}", headers=headers) as reply:
            assert reply.status == 422


async def test_environment_failure_is_a_500_without_its_details() -> None:
    async with serving() as url, without_cookies() as http:
        _, _, headers = await post(http, f"{url}/reset", {})
        named = {"X_Session_ID": headers["X-Session-ID"]}
        status, body, _ = await post(http, f"{url}/step", {"action": {"command": "boom"}}, **named)
        after, _, _ = await post(http, f"{url}/step", STEP, **named)

    assert (status, body["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in str(body)
    assert after == 200


async def test_finished_programme_is_a_409_with_a_stable_code() -> None:
    async with serving() as url, without_cookies() as http:
        _, _, headers = await post(http, f"{url}/reset", {})
        named = {"X_Session_ID": headers["X-Session-ID"]}
        _, last, _ = await post(http, f"{url}/step", {"action": {"command": "end"}}, **named)
        status, body, _ = await post(http, f"{url}/step", STEP, **named)

    assert last["done"] is True
    assert (status, body["code"]) == (409, "EPISODE_OVER")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        pytest.param("GET", "/reset", 405, "POST", id="get-reset"),
        pytest.param("PUT", "/step", 405, "POST", id="put-step"),
        pytest.param("GET", "/mcp", 405, "POST", id="get-mcp"),
        pytest.param("POST", "/health", 405, "GET", id="post-health"),
        pytest.param("GET", "/nope", 404, None, id="unknown"),
        pytest.param("GET", "/ws", 404, None, id="plain-ws"),
        pytest.param("GET", "/nope/tasks/x", 404, None, id="deep-unknown"),
    ],
)
async def test_wrong_paths_and_methods_are_told_in_json(
    method: str, path: str, status: int, allow: str | None
) -> None:
    async with serving() as url, aiohttp.ClientSession() as http, http.request(method, url + path) as reply:
        body = await reply.json()

    assert reply.status == status
    assert body == {"detail": "Not Found" if status == 404 else "Method Not Allowed"}
    assert allow is None or allow in reply.headers["Allow"]


async def test_trailing_slash_is_redirected_and_nothing_else_is() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        async with http.post(f"{url}/reset/?a=1", allow_redirects=False) as reply:
            assert (reply.status, reply.headers["Location"]) == (307, "/reset?a=1")
        async with http.get(f"{url}//example.org/", allow_redirects=False) as reply:
            assert reply.status == 404


def test_the_record_keeps_nothing_that_reset_does_not_know() -> None:
    sent = {"seed": 3, "difficulty": 0.5, "prompt": "\N{ALEMBIC}" * 1_000_000, "answer": ["x" * 1_000_000]}

    assert ResetArguments(**sent).as_mapping() == {"seed": 3, "difficulty": 0.5, "answer": True}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({f"a{n}": 1 for n in range(65)}, "at most 64 arguments that mean nothing", id="many"),
        pytest.param({"a" * 65: 1}, "names of at most 64 characters", id="long"),
        pytest.param({"seed": True}, "valid integer", id="seed-true"),
    ],
)
async def test_a_reset_that_asks_too_much_is_refused(body: dict[str, Any], told: str) -> None:
    async with serving() as url, without_cookies() as http, connected(url) as socket:
        status, reply, _ = await post(http, f"{url}/reset", body)
        frame = await socket.call({"type": "reset", "data": body})

    assert status == 422
    assert told in str(reply)
    assert (frame["type"], frame["data"]["code"]) == ("error", "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/reset", "/step", "/mcp", "/web/step"])
async def test_a_compressed_body_is_refused_unread(path: str) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with process("tests.app.fake_server", "--workers", "0") as (_, url, _):
        async with aiohttp.ClientSession() as http:
            began = time.monotonic()
            async with http.post(url + path, data=bomb, headers=headers) as reply:
                told = await reply.json()
            took = time.monotonic() - began

    assert (reply.status, "Content-Encoding" in told["detail"]) == (415, True)
    assert took < 0.25
