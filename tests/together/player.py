"""One stock client that plays one programme to its end: ``player.py KIND URL``; prints the score, or why not.

Runs under whichever interpreter has the client; knows nothing of this project but its wire. Says ``ready``
when the client is imported, which takes some of them ten seconds of processor time, and plays after a line on
stdin: so all can play at once.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib import import_module

RESET = {"task_id": "potency", "split": "train", "seed": 3}
ASSAY = {"compounds": ["M1", "M2"], "assays": ["potency", "logd"]}
ROUNDS = 4


async def generic(url: str) -> float:
    """openenv's GenericEnvClient, async."""
    from openenv.core import GenericEnvClient

    async with GenericEnvClient(base_url=url) as env:
        opening = await env.reset(**RESET)
        total = opening.reward
        for _ in range(ROUNDS):
            total += (await env.step({"action_type": "assay", **ASSAY})).reward
        assert (await env.state())["step_count"] == ROUNDS
        last = await env.step({"action_type": "nominate", "compound": "M1"})
        assert last.done
        return _agreed(last.observation["score"], total + last.reward)


def generic_sync(url: str) -> float:
    """The same through SyncEnvClient."""
    from openenv.core import GenericEnvClient, SyncEnvClient

    client = GenericEnvClient(base_url=url).sync()
    assert isinstance(client, SyncEnvClient)
    return _play_sync(client)


def auto(url: str) -> float:
    """AutoEnv, which knows only the address."""
    from openenv import AutoEnv

    return _play_sync(AutoEnv.from_env("molforge", base_url=url, skip_install=True).sync())


def _play_sync(client) -> float:
    with client as env:
        total = env.reset(**RESET).reward
        for _ in range(ROUNDS):
            total += env.step({"command": "assay M1, M2: potency, logd"}).reward
        last = env.step({"command": "nominate M1"})
        assert last.done
        return _agreed(last.observation["score"], total + last.reward)


async def tools(url: str) -> float:
    """openenv's MCPToolClient: tool calls as steps in 0.3, JSON-RPC beside an attached socket in 0.10."""
    from openenv.core.mcp_client import MCPToolClient

    async with MCPToolClient(base_url=url) as client:
        opening = await client.reset(**RESET)
        assert {"brief", "assay", "nominate"} <= {tool.name for tool in await client.list_tools()}
        total = opening.reward
        for _ in range(ROUNDS):
            total += _value(await client.call_tool("assay", **ASSAY))["reward"]
        last = _value(await client.call_tool("nominate", compound="M1"))
        assert last["done"]
        return _agreed(last["observation"]["score"], total + last["reward"])


def _value(result: dict) -> dict:
    return result.get("data", result)


async def mcp(url: str, mode: str = "auto") -> float:
    """The official client of the Model Context Protocol, in its newest revision."""
    from mcp import Client

    async with Client(f"{url}/mcp", mode=mode) as client:
        total = 0.0
        named = (await client.call_tool("brief", RESET)).structured_content.get("session_id")
        who = {"session_id": named} if named else {}
        for _ in range(ROUNDS):
            read = await client.call_tool("assay", {**ASSAY, **who})
            total += read.structured_content["reward"]
        last = (await client.call_tool("nominate", {"compound": "M1", **who})).structured_content
        assert last["done"]
        return _agreed(last["observation"]["score"], total + last["reward"])


async def mcp_sessions(url: str) -> float:
    """The same with initialize and Mcp-Session-Id."""
    return await mcp(url, "legacy")


async def molforge(url: str) -> float:
    """This project's typed client."""
    from molforge.client import MolforgeAction, MolforgeEnv

    async with MolforgeEnv(base_url=url) as env:
        total = (await env.reset(**RESET)).reward
        for _ in range(ROUNDS):
            total += (await env.step(MolforgeAction(action_type="assay", **ASSAY))).reward
        last = await env.step(MolforgeAction(action_type="nominate", compound="M1"))
        assert last.done
        return _agreed(last.observation.score, total + last.reward)


def _agreed(score: float, total: float) -> float:
    assert abs(score - total) < 1e-9, (score, total)
    return score


PLAYERS: dict[str, Callable] = {
    play.__name__: play for play in (generic, generic_sync, auto, tools, mcp, mcp_sessions, molforge)
}


MODULES = {"mcp": ["mcp"], "mcp_sessions": ["mcp"], "molforge": ["molforge.client"]}
"""What else than openenv a player imports."""


def main() -> None:
    """Play as the command line says."""
    play, url = PLAYERS[sys.argv[1]], sys.argv[2]
    for module in MODULES.get(sys.argv[1], ["openenv", "openenv.core.mcp_client"]):
        import_module(module)
    print("ready", flush=True)
    sys.stdin.readline()
    score = asyncio.run(play(url)) if asyncio.iscoroutinefunction(play) else play(url)
    print(f"score {score!r}")


if __name__ == "__main__":
    main()
