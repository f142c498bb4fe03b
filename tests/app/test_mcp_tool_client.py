"""OpenEnv's own tool client, whichever version is installed, plays a programme with the tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.config import Config
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.main import create_app
from tests.app.harness import connected, running, serving


async def test_the_stock_tool_client_plays_a_programme_to_its_end() -> None:
    pytest.importorskip("openenv.core", reason="no OpenEnv client is installed")
    from openenv.core.mcp_client import MCPToolClient

    config = Config(max_sessions=1)
    engine = InProcessEngine(environment_factory(None), threads=2)
    app = await asyncio.to_thread(create_app, config, engine=engine)
    async with running(app, config) as url, MCPToolClient(base_url=url) as client:
        await client.reset(task_id="potency", seed=7)
        tools = await client.list_tools()
        read = await client.call_tool("assay", compounds=["M1"], assays=["potency"])
        last = await client.call_tool("close_programme", reason="seen enough")
        for tool, arguments in (("suggest", {"compound": "M1"}), ("brief", {}), ("brief", {"seed": 7})):
            with pytest.raises(RuntimeError, match="only reset opens another in this session"):
                await client.call_tool(tool, **arguments)
        with pytest.raises(RuntimeError, match="Unknown tool"):
            await client.call_tool("fly")
        state = await client.state()

    assert [tool.name for tool in tools][:2] == ["brief", "suggest"]
    assert read["observation"]["readings"]
    assert last["done"] is True
    assert last["reward"] == last["observation"]["score"]
    assert state.step_count == 2


async def step(url: str, *actions: dict[str, Any]) -> list[dict[str, Any]]:
    async with connected(url) as socket:
        await socket.reset(seed=1)
        return [await socket.call({"type": "step", "data": action}) for action in actions]


async def test_a_tool_call_sent_as_a_step_is_one() -> None:
    call = {"type": "call_tool", "tool_name": "assay", "arguments": {"compounds": ["M1"], "assays": ["x"]}}
    wrong = {"type": "call_tool", "tool_name": "assay", "arguments": {}}
    async with serving() as url:
        good, bad, misspelt = await step(url, call, wrong, {"type": "call_tool", "tool": "x"})

    assert (good["data"]["reward"], good["data"]["done"]) == (0.25, False)
    assert good["data"]["observation"]["tool_name"] == "assay"
    assert bad["data"]["observation"]["error"]["error_type"] == "invalid_args"
    assert misspelt["data"]["code"] == "VALIDATION_ERROR"
