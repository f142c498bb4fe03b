"""500 malformed messages: none is a 5xx, none ends or changes another session."""

from __future__ import annotations

import json
import random
from typing import Any

import aiohttp
import pytest

from app.config import Config
from tests.app.harness import connected, serving

FIELDS = (
    "action_type", "compound", "transformation", "n", "smiles", "rationale", "compounds", "assays",
    "replicates", "predicted", "reason", "command", "metadata", "seed", "episode_id", "task_id", "type",
    "data",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**30, 1e308, float("nan"), float("inf"), "", "x", "\ud800", "\x00", "é" * 300,
    "y" * 100_000, [], [[]], [None], ["CCO"] * 500, {}, {"a": {"b": {}}}, {"": ""}, {"self": 1}, [1, "a", {}],
    {"potency": {"value": "x", "low": 1, "high": 0}}, "C1CC", "stop", "design", "../../etc/passwd",
)  # fmt: skip
DEEP = "[" * 3000 + "]" * 3000


def mangled(rng: random.Random) -> str:
    """Return one message that is wrong in some way."""
    fields = {rng.choice(FIELDS): rng.choice(VALUES) for _ in range(rng.randint(0, 4))}
    kind = rng.choice(["reset", "step", "state", "close ", "mcp", "fly", 7, None])
    text = json.dumps(
        rng.choice(
            [fields, {"type": kind, "data": fields}, {"action": fields}, {"type": kind}, [fields], kind, ""]
        )
    )
    cut = rng.random()
    if cut < 0.15:
        return text[: rng.randint(0, len(text))]
    if cut < 0.2:
        return text.replace("{", '{"deep": ' + DEEP + ", ", 1)
    if cut < 0.25:
        return "".join(chr(rng.randint(32, 0x2FFF)) for _ in range(rng.randint(1, 40)))
    return text


async def test_500_malformed_messages_harm_nobody() -> None:
    rng = random.Random(20)
    messages = [mangled(rng) for _ in range(500)]
    async with serving(Config(max_rest_sessions=4)) as url, connected(url) as bystander:
        await bystander.reset(seed=9, episode_id="bystander")
        await bystander.step(command="echo before")
        before = await bystander.state()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            statuses = [await post(http, url, text, rng) for text in messages[:250]]
        async with connected(url) as socket:
            kinds = [(await socket.call(text))["type"] for text in messages[250:]]
        assert await bystander.state() == before

    assert max(statuses) < 500
    assert {status for status in statuses if status >= 400} >= {400, 422} - {400}
    assert kinds.count("error") > 100


async def post(
    http: aiohttp.ClientSession, url: str, text: str, rng: random.Random, *, path: str | None = None
) -> int:
    path = path or rng.choice(["/reset", "/step", "/step", "/mcp", "/molforge/task", "/molforge/tasks"])
    kind = rng.choice(["application/json"] * 6 + ["text/plain", "application/x-www-form-urlencoded"])
    data = text.encode("utf-8", "surrogatepass") if rng.random() < 0.95 else b"\xff\xfe" + text.encode()
    headers = {"Content-Type": kind}
    if rng.random() < 0.2:
        headers["X-Session-ID"] = rng.choice(["nope", "0" * 32, "%00", "a" * 4000])
    async with http.post(url + path, data=data, headers=headers) as reply:
        await reply.read()
        return reply.status


NESTED: tuple[dict[str, Any], ...] = (
    {"targets": "HERE"}, {"difficulty": "HERE"}, {"type": "HERE"},
    {"type": "reset", "data": {"targets": "HERE"}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "notebook", "session_id": "HERE"}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {"HERE": "HERE"}}},
)  # fmt: skip


@pytest.mark.parametrize("depth", [65, 960, 980, 1000, 1020])
@pytest.mark.parametrize("message", NESTED)
async def test_nesting_is_refused_and_no_fault_of_ours(message: dict[str, Any], depth: int) -> None:
    text = json.dumps(message).replace('"HERE"}', "[" * depth + "]" * depth + "}")
    async with serving() as url, aiohttp.ClientSession() as http, connected(url) as socket:
        paths = ("/reset", "/step", "/mcp")
        statuses = [await post(http, url, text, random.Random(), path=path) for path in paths]
        frame = await socket.call(text)

    assert max(statuses) < 500
    assert (frame["type"], frame["data"]["code"]) == ("error", "INVALID_JSON")


@pytest.mark.parametrize("field", ["predicted", "metadata", "nothing"])
async def test_members_without_end_cost_one_error(field: str) -> None:
    data = {"action_type": "nominate", field: {str(number): {} for number in range(20_000)}}
    async with serving() as url, connected(url) as socket:
        frame = await socket.call({"type": "step", "data": data})

    assert frame["data"]["code"] == "INVALID_JSON"
    assert "more than 10000 values" in str(frame)
