"""What the server says of itself, the task API, JSON-RPC, pages."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from app.config import Config
from app.info import schemas
from app.main import create_app
from app.wire import ActionMessage
from envs import CATALOGUE, SPLIT_SIZE
from tests.app.harness import connected, running, serving


async def fetch(url: str, path: str, *, body: Any = None, raw: str | None = None) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http:
        if body is None and raw is None:
            request = http.get(url + path)
        else:
            data = raw if raw is not None else json.dumps(body)
            request = http.post(url + path, data=data, headers={"Content-Type": "application/json"})
        async with request as reply:
            return reply.status, await reply.json()


async def test_health_metadata_and_openapi_have_the_shape_that_validators_want() -> None:
    async with serving() as url:
        assert await fetch(url, "/health") == (200, {"status": "healthy"})
        assert await fetch(url, "/ready") == (200, {"status": "ready"})
        _, metadata = await fetch(url, "/metadata")
        _, openapi = await fetch(url, "/openapi.json")

    assert set(metadata) == {
        "name", "description", "readme_content", "version", "author", "documentation_url",
    }  # fmt: skip
    assert metadata["name"] == "molforge"
    assert openapi["info"]["version"].startswith("1.")
    assert {"/reset", "/step", "/state", "/health", "/metadata", "/schema", "/mcp"} <= set(openapi["paths"])


def test_schemas_are_valid_and_closed_where_stock_ones_are() -> None:
    published = schemas()

    for name, schema in published.items():
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is (name == "state")
    assert "metadata" in published["action"]["properties"]
    assert {"done", "reward", "metadata"} <= set(published["observation"]["properties"])


def test_limits_of_the_wire_action_are_those_of_the_kernel() -> None:
    full = {
        "action_type": "assay",
        "smiles": ["C" * 1000] * 8,
        "compounds": ["M1"] * 24,
        "assays": ["potency"] * 12,
        "replicates": 8,
        "rationale": "r" * 4000,
        "compound": None,
    }

    action = ActionMessage.model_validate(full).to_action()

    assert action.as_message() == {name: value for name, value in full.items() if value is not None}


def test_of_an_action_no_more_is_kept_than_its_kind_uses() -> None:
    full = {
        "action_type": "suggest", "compound": "M1", "rationale": "why", "smiles": ["C"], "assays": ["logd"],
        "predicted": {"potency": {"value": 1.0, "low": 0.0, "high": 2.0}}, "metadata": {"x": "y"},
    }  # fmt: skip

    kept = ActionMessage.model_validate(full).as_message()
    with pytest.raises(ValidationError, match="at most 16000 bytes"):
        ActionMessage.model_validate({"action_type": "assay", "compounds": ["C" * 1000] * 17})

    assert kept == {"action_type": "suggest", "compound": "M1", "rationale": "why"}


async def test_tasks_are_arguments_of_reset_and_families_take_turns() -> None:
    async with serving() as url:
        _, listed = await fetch(url, "/molforge/tasks", body={"split": "test"})
        _, count = await fetch(url, "/MolForge/num_tasks", body={"split": "test"})
        _, one = await fetch(url, "/molforge/task", body={"split": "test", "index": -1})
        _, some = await fetch(url, "/molforge/task_range", body={"split": "test", "start": 1, "stop": 3})
        bad = await fetch(url, "/molforge/task", body={"split": "test", "index": 10**9})
        unknown = await fetch(url, "/echo/splits")
        invalid, _ = await fetch(url, "/molforge/tasks", body={"split": "holdout"})

    assert count == {"num_tasks": SPLIT_SIZE * len(CATALOGUE)}
    assert len(listed["tasks"]) == count["num_tasks"]
    assert len({json.dumps(task) for task in listed["tasks"]}) == count["num_tasks"]
    assert {task["task_id"] for task in listed["tasks"][: len(CATALOGUE)]} == set(CATALOGUE)
    assert one["task"] == listed["tasks"][-1]
    assert one["task"]["index"] == SPLIT_SIZE - 1
    assert some["tasks"] == listed["tasks"][1:3]
    assert bad == (400, {"detail": "Invalid task index"})
    assert unknown == (404, {"detail": "unknown environment 'echo'"})
    assert invalid == 422


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param("", -32700, id="empty"),
        pytest.param("[]", -32700, id="batch"),
        pytest.param("{}", -32600, id="no-method"),
        pytest.param('{"jsonrpc":"2.0","method":"x","params":[],"id":1}', -32600, id="params-array"),
        pytest.param('{"jsonrpc":"2.0","method":"x","id":1.5}', -32600, id="float-id"),
        pytest.param('{"jsonrpc":"2.0","method":"fly","id":1}', -32601, id="unknown-method"),
        pytest.param('{"jsonrpc":"2.0","method":"tools/call","id":1}', -32602, id="call-without-name"),
        pytest.param('{"jsonrpc":"2.0","method":"openenv/session/close","id":1}', -32602, id="close-what"),
    ],
)
async def test_json_rpc_errors_come_with_status_200(raw: str, code: int) -> None:
    async with serving() as url:
        status, answer = await fetch(url, "/mcp", raw=raw)

    assert status == 200
    assert answer["error"]["code"] == code


async def test_json_rpc_over_its_own_socket_has_a_session_of_its_own() -> None:
    async with serving(Config(max_sessions=1)) as url, connected(url, "/mcp") as socket:
        create = {"jsonrpc": "2.0", "method": "openenv/session/create", "id": 1}
        own = (await socket.call(create))["result"]["session_id"]
        close = {"jsonrpc": "2.0", "method": "openenv/session/close", "params": {"session_id": own}, "id": 2}
        assert (await socket.call(close))["error"]["code"] == -32600
        assert (await socket.call("{bad"))["error"]["code"] == -32700
        async with connected(url, "/mcp") as second:
            assert (await second.receive())["error"]["data"] == {"active_sessions": 1, "max_sessions": 1}


async def test_two_applications_in_one_process_share_nothing() -> None:
    config = Config(max_sessions=1)
    async with (
        serving(config) as first,
        serving(config) as second,
        connected(first) as a,
        connected(second) as b,
    ):
        await a.reset(seed=1)
        assert (await b.state())["episode_id"] is None


async def test_default_application_starts_with_nothing_loaded_yet() -> None:
    config = Config()
    app = await asyncio.to_thread(create_app, config)
    async with running(app, config) as url:
        assert await fetch(url, "/health") == (200, {"status": "healthy"})
