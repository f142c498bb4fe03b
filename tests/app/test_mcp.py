"""The Model Context Protocol by its official client, and OpenEnv's dialect of the same tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from mcp import Client

from app import mcp_stateless
from app.config import Config
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.main import create_app
from app.mcp_sessions import VERSIONS, McpSessions
from app.mcp_tools import OUTPUT_SCHEMA, listed
from tests.app.fake import FakeEnvironment
from tests.app.harness import connected, request, running, serving, tool

NAMES = ["brief", "suggest", "design", "assay", "nominate", "close_programme", "notebook"]
START = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": VERSIONS[-1],
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}


@asynccontextmanager
async def laboratory(**settings: Any) -> AsyncIterator[str]:
    """Serve the real environment."""
    config = Config(**settings)
    engine = InProcessEngine(environment_factory(None), threads=2)
    async with running(await asyncio.to_thread(create_app, config, engine=engine), config) as url:
        yield url


async def send(http: aiohttp.ClientSession, url: str, message: Any, **headers: str) -> tuple[int, Any, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.post(f"{url}/mcp", json=message, headers=named) as reply:
        body = await reply.json() if reply.content_type == "application/json" else None
        return reply.status, body, reply.headers


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_official_client_plays_a_programme_to_its_end(mode: str) -> None:
    async with laboratory() as url, Client(f"{url}/mcp", mode=mode) as client:
        spoken = client.protocol_version
        tools = (await client.list_tools()).tools
        brief = await client.call_tool("brief", {"task_id": "potency", "seed": 7})
        offered = await client.call_tool("suggest", {"compound": "M1", "n": 2})
        smiles = [s["smiles"] for s in offered.structured_content["observation"]["suggestions"]]
        await client.call_tool("design", {"smiles": smiles, "rationale": "nearby"})
        read = await client.call_tool("assay", {"compounds": ["M1", "M5"], "assays": ["potency"]})
        noted = await client.call_tool("notebook", {})
        again = await client.call_tool("brief", {})
        interval = {"potency": {"value": 8.0, "low": 7.0, "high": 9.0}}
        last = await client.call_tool("nominate", {"compound": "M1", "predicted": interval})
        after = await client.call_tool("assay", {"compounds": ["M1"], "assays": ["potency"]})

    assert spoken == {"auto": mcp_stateless.VERSION, "legacy": VERSIONS[-1]}[mode]
    assert [tool.name for tool in tools] == NAMES
    assert "Potency programme" in brief.content[0].text
    assert "M1: potency" in read.content[0].text
    assert {r["compound"] for r in noted.structured_content["observation"]["readings"]} >= {"M1", "M5"}
    assert again.content[0].text == noted.content[0].text
    assert last.structured_content["done"] is True
    assert 0 < last.structured_content["observation"]["score"] < 1
    assert after.is_error
    assert "call brief to open another" in after.content[0].text


async def test_what_a_model_does_wrong_is_a_result_it_can_read() -> None:
    async with laboratory() as url, Client(f"{url}/mcp") as client:
        early = await client.call_tool("suggest", {"compound": "M1"})
        await client.call_tool("brief", {})
        wrong = await client.call_tool(
            "assay", {"compounds": ["M1"], "assays": ["potency"], "replicates": 99}
        )
        missing = await client.call_tool("design", {})
        refused = await client.call_tool("nominate", {"compound": "M99"})

    assert (early.is_error, early.content[0].text) == (True, "no programme is open: call brief first")
    assert "replicates: Input should be less than or equal to 8" in wrong.content[0].text
    assert "smiles: Field required" in missing.content[0].text
    assert refused.is_error
    assert "M99" in refused.content[0].text


async def test_parallel_calls_of_one_client_take_turns() -> None:
    async with laboratory() as url, Client(f"{url}/mcp") as client:
        await client.call_tool("brief", {"seed": 1})
        assay = {"compounds": ["M1"], "assays": ["potency"]}
        replies = await asyncio.gather(*(client.call_tool("assay", assay) for _ in range(5)))

    assert not any(reply.is_error for reply in replies)
    left = [reply.structured_content["observation"]["steps_left"] for reply in replies]
    assert sorted(left) == [25, 26, 27, 28, 29]


def test_tools_have_valid_schemas_in_which_every_argument_is_described() -> None:
    for entry in listed():
        Draft202012Validator.check_schema(entry["inputSchema"])
        assert entry["inputSchema"]["additionalProperties"] is False
        assert len(entry["description"]) > 40
        for name, argument in entry["inputSchema"]["properties"].items():
            assert argument.get("description"), (entry["name"], name)
    Draft202012Validator.check_schema(OUTPUT_SCHEMA)
    assert not {"reset", "step", "state", "close"} & set(NAMES)


async def test_a_session_is_named_by_its_header_until_it_is_deleted() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        status, reply, headers = await send(http, url, START)
        name = {"Mcp_Session_Id": headers["Mcp-Session-Id"], "MCP_Protocol_Version": VERSIONS[-1]}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await send(http, url, note, **name))[:2] == (202, None)
        assert (await send(http, url, request("ping"), **name))[1]["result"] == {}
        assert (await send(http, url, tool("brief", seed=4), **name))[1]["result"]["isError"] is False
        async with http.delete(f"{url}/mcp", headers={"Mcp-Session-Id": headers["Mcp-Session-Id"]}) as gone:
            assert gone.status == 204
        after, error, _ = await send(http, url, request("ping"), **name)
        async with http.delete(f"{url}/mcp") as nameless:
            assert nameless.status == 400

    assert (status, reply["result"]["protocolVersion"]) == (200, VERSIONS[-1])
    assert (after, error["error"]["code"]) == (404, -32600)


@pytest.mark.parametrize(("given", "told"), [(7, 7), ("a", "a"), (True, None), (1.5, None), ([], None)])
async def test_the_id_of_a_lost_session_is_echoed_only_if_it_is_one(given: Any, told: Any) -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        message = {**request("ping"), "id": given}
        status, reply, _ = await send(http, url, message, Mcp_Session_Id="gone")

    assert (status, reply["id"]) == (404, told)


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [*((version, version) for version in VERSIONS), ("2099-01-01", VERSIONS[-1]), (None, VERSIONS[-1])],
)
async def test_the_revision_is_the_clients_if_known_else_our_newest(wanted: Any, spoken: str) -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        params = {**START["params"], "protocolVersion": wanted}
        _, reply, _ = await send(http, url, {**START, "params": params})
        status, error, _ = await send(http, url, request("ping"), MCP_Protocol_Version="2099-01-01")

    assert reply["result"]["protocolVersion"] == spoken
    assert (status, error["error"]["data"]["supported"]) == (400, list(VERSIONS))


async def test_what_the_wire_does_not_take_is_the_callers_error() -> None:
    async with laboratory() as url, Client(f"{url}/mcp") as client:
        await client.call_tool("brief", {"task_id": "potency", "seed": 7})
        compounds = ["C" * 1000] * 17
        refused = await client.call_tool("assay", {"compounds": compounds, "assays": ["potency"]})

    assert refused.is_error
    assert "at most 16000 bytes" in refused.content[0].text


def test_handshakes_are_forgotten_longest_unused_first() -> None:
    sessions = McpSessions(limit=2)
    first, second = sessions.open(), sessions.open()
    sessions.get(first.id, None)  # type: ignore[arg-type]  # nothing played: the service is not asked
    sessions.open()

    assert sessions.get(first.id, None) is first  # type: ignore[arg-type]
    with pytest.raises(Exception, match="Unknown session_id"):
        sessions.get(second.id, None)  # type: ignore[arg-type]


async def test_openenv_sessions_play_with_tools_over_http_while_a_socket_is_attached() -> None:
    async with laboratory() as url, aiohttp.ClientSession() as http:
        _, made, _ = await send(http, url, request("openenv/session/create"))
        session_id = made["result"]["session_id"]
        async with connected(url, f"/ws?session_id={session_id}") as socket:
            await socket.reset(task_id="triage", seed=3)
            call = tool("assay", compounds=["M1"], assays=["potency"])
            call["params"]["session_id"] = session_id
            _, reply, _ = await send(http, url, call)
            state = await socket.state()

    result = reply["result"]
    assert (state["step_count"], len(state["readings"])) == (1, 1)
    assert result["data"]["observation"]["readings"] == state["readings"]
    assert result["data"]["text"] in result["content"][0]["text"]
    assert (result["is_error"], result["data"]["done"]) == (False, False)


async def test_openenv_calls_without_a_session_play_in_one_of_their_own() -> None:
    async with laboratory(max_rest_sessions=1) as url, aiohttp.ClientSession() as http:
        for seed in (7, 7):
            _, reply, _ = await send(http, url, tool("brief", task_id="potency", seed=seed))
            assert "Potency programme" in reply["result"]["data"]["text"]
        _, early, _ = await send(http, url, tool("notebook"))

    assert early["error"]["code"] == -32603


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({"name": "fly"}, -32603, id="unknown-tool"),
        pytest.param({"name": "assay", "arguments": {"compounds": []}}, -32602, id="bad-arguments"),
        pytest.param({"name": "assay", "arguments": [1]}, -32602, id="arguments-no-object"),
        pytest.param({"name": "brief", "arguments": {"seed": 2**63}}, -32603, id="impossible-seed"),
        pytest.param({"name": 7}, -32602, id="name-no-text"),
        pytest.param({"name": "brief", "session_id": "x"}, -32602, id="unknown-session"),
    ],
)
async def test_openenv_errors_have_their_codes(params: Any, code: int) -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        _, reply, _ = await send(http, url, request("tools/call", **params))

    assert reply["error"]["code"] == code


async def test_frames_of_a_socket_carry_tool_calls() -> None:
    async with serving() as url, connected(url) as socket:
        await socket.reset(seed=1)
        reply = await socket.call({"type": "mcp", "data": tool("assay", compounds=["M1"], assays=["x"])})
        state = await socket.state()

    assert reply["type"] == "mcp"
    assert reply["data"]["result"]["data"]["reward"] == 0.25
    assert state["step_count"] == 1


class Failing(FakeEnvironment):
    """Fails at every step."""

    def step(self, action: Any) -> Any:
        raise RuntimeError("secret detail")


async def test_failures_of_the_environment_are_told_without_details() -> None:
    async with serving(factory=Failing) as url, connected(url) as socket, Client(f"{url}/mcp") as client:
        await socket.reset()
        told = await socket.call({"type": "mcp", "data": tool("suggest", compound="M1")})
        await client.call_tool("brief", {"seed": 1})
        with pytest.raises(Exception, match="internal error") as error:
            await client.call_tool("suggest", {"compound": "M1"})

    assert told["data"]["error"]["code"] == -32603
    assert "secret" not in f"{told}{error.value}"


def stateless(method: str, **params: Any) -> dict[str, Any]:
    meta = {mcp_stateless.META_VERSION: mcp_stateless.VERSION, mcp_stateless.META_CAPABILITIES: {}}
    return request(method, _meta=meta, **params)


async def say(http: aiohttp.ClientSession, url: str, message: dict[str, Any], **headers: str) -> Any:
    """Send a message of the stateless revision with the headers that belong to it."""
    said = {"MCP_Protocol_Version": mcp_stateless.VERSION, "Mcp_Method": message["method"]}
    if "name" in message["params"]:
        said["Mcp_Name"] = message["params"]["name"]
    return await send(http, url, message, **{**said, **headers})


async def test_the_stateless_revision_names_the_programme_in_every_call() -> None:
    jar = aiohttp.DummyCookieJar()
    async with laboratory() as url, aiohttp.ClientSession(cookie_jar=jar) as http:

        async def call(name: str, **arguments: Any) -> Any:
            _, reply, _ = await say(http, url, stateless("tools/call", name=name, arguments=arguments))
            return reply["result"]

        one = await call("brief", task_id="potency", seed=7)
        other = await call("brief", task_id="potency", seed=8)
        first, second = (result["structuredContent"]["session_id"] for result in (one, other))
        assay = {"compounds": ["M1"], "assays": ["potency"]}
        replies = await asyncio.gather(
            *(call("assay", session_id=name, **assay) for name in (first, first, second))
        )
        nameless = await call("assay", **assay)
        unknown = await call("assay", session_id="x", **assay)
        end = await call("close_programme", session_id=first)
        async with http.get(f"{url}/grader?session_id={first}") as graded:
            grade = await graded.json()

    left = [reply["structuredContent"]["observation"]["steps_left"] for reply in replies]
    assert (sorted(left[:2]), left[2]) == ([28, 29], 29)
    assert one["content"][-1]["text"] == f"session_id: {first}"
    assert (nameless["isError"], unknown["isError"]) == (True, True)
    assert "no programme is open: call brief first" in nameless["content"][0]["text"]
    assert (end["resultType"], grade["score"]) == (
        "complete",
        end["structuredContent"]["observation"]["score"],
    )


async def test_a_certain_programme_does_not_end_that_of_the_cookie() -> None:
    async with serving() as url, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:

        async def brief(**arguments: Any) -> str:
            message = stateless("tools/call", name="brief", arguments=arguments)
            _, reply, _ = await say(http, url, message)
            return str(reply["result"]["structuredContent"]["session_id"])

        first, second = await brief(seed=1), await brief(seed=2)
        assert first != second
        assert await brief(session_id=first, seed=3) == first


@pytest.mark.parametrize(
    ("changes", "headers", "status", "code"),
    [
        pytest.param({"method": "ping"}, {}, 404, -32601, id="ping-is-no-more"),
        pytest.param({"method": "initialize"}, {}, 404, -32601, id="no-handshake"),
        pytest.param({}, {"Mcp_Method": "tools/call"}, 400, -32020, id="another-method"),
        pytest.param({}, {"MCP_Protocol_Version": "2025-11-25"}, 400, -32020, id="another-revision"),
        pytest.param({"params": {}}, {}, 400, -32602, id="no-envelope"),
        pytest.param({"jsonrpc": "1.0"}, {}, 400, -32600, id="no-request"),
    ],
)
async def test_the_stateless_revision_checks_its_envelope(
    changes: dict[str, Any], headers: dict[str, str], status: int, code: int
) -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        got, reply, _ = await say(http, url, {**stateless("tools/list"), **changes}, **headers)

    assert (got, reply["error"]["code"], reply["id"]) == (status, code, 1)


async def test_a_later_revision_is_told_what_is_spoken() -> None:
    message = stateless("server/discover")
    message["params"]["_meta"][mcp_stateless.META_VERSION] = "2099-01-01"
    async with serving() as url, aiohttp.ClientSession() as http:
        status, reply, _ = await say(http, url, message, MCP_Protocol_Version="2099-01-01")
        _, found, _ = await say(http, url, stateless("server/discover"))
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}}
        acknowledged, _, _ = await say(http, url, note)
        async with http.delete(f"{url}/mcp", headers={"MCP-Protocol-Version": mcp_stateless.VERSION}) as gone:
            assert gone.status == 405

    assert (status, reply["error"]["code"], acknowledged) == (400, -32022, 202)
    assert reply["error"]["data"]["supported"] == [*VERSIONS, mcp_stateless.VERSION]
    assert found["result"]["supportedVersions"] == [mcp_stateless.VERSION]
    assert "session_id" in found["result"]["instructions"]


async def test_a_brief_that_fails_leaves_no_session_behind() -> None:
    async with serving(Config(max_rest_sessions=2)) as url, aiohttp.ClientSession() as http:
        for _ in range(4):
            wrong = stateless("tools/call", name="brief", arguments={"seed": 2**63})
            _, reply, headers = await say(http, url, wrong)
            assert reply["result"]["isError"]
            assert "Set-Cookie" not in headers
        good = stateless("tools/call", name="brief", arguments={"seed": 1})
        assert (await say(http, url, good))[1]["result"]["isError"] is False
