"""One rollout is one programme, whatever tools are called in it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from mcp import Client

from tests.app.harness import connected, serving
from tests.app.test_mcp import laboratory, say, stateless


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_running_programme_is_given_up_for_no_other(mode: str) -> None:
    async with laboratory() as url, Client(f"{url}/mcp", mode=mode) as client:

        async def call(name: str, **arguments: Any) -> Any:
            session = {"session_id": opened["session_id"]} if "session_id" in opened else {}
            return await client.call_tool(name, {**arguments, **session})

        opened: dict[str, Any] = {}
        opened = (await call("brief", task_id="potency", seed=7)).structured_content
        await call("assay", compounds=["M1"], assays=["potency"])
        refused = await call("brief", task_id="potency", seed=7)
        left = (await call("notebook")).structured_content["observation"]["steps_left"]
        await call("close_programme")
        second = await call("brief", task_id="potency", seed=7)

    assert (refused.is_error, left) == (True, 29)
    assert "nominate or close_programme ends" in refused.content[0].text
    assert second.structured_content["observation"]["steps_left"] == 30


async def test_no_programme_is_opened_beside_that_of_the_cookie_by_reset() -> None:
    async with serving() as url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post(f"{url}/reset", json={"seed": 1}) as reply:
            mine = reply.headers["X-Session-ID"]
        brief = stateless("tools/call", name="brief", arguments={"seed": 1})
        _, answer, headers = await say(http, url, brief)

    assert answer["result"]["isError"]
    assert "Set-Cookie" not in headers or mine in headers["Set-Cookie"]


async def test_a_reset_that_failed_does_not_make_a_rollout() -> None:
    async with laboratory() as url, connected(url) as socket:
        failed = await socket.call({"type": "reset", "data": {"task_id": "no such"}})
        call = {"type": "call_tool", "tool_name": "brief", "arguments": {"seed": 1}}
        opened = await socket.call({"type": "step", "data": call})

    assert failed["type"] == "error"
    assert opened["data"]["observation"]["error"] is None
