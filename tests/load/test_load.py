"""64 agents at once, half over REST and half over WebSocket, against a server process."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from envs import CATALOGUE
from tests.app.harness import connected, process

log = logging.getLogger(__name__)

AGENTS = 32
"""Over each protocol."""
FAMILIES = tuple(CATALOGUE)
SCRIPT: tuple[dict[str, Any], ...] = (
    {"action_type": "suggest", "compound": "M1", "n": 2},
    {"action_type": "assay", "compounds": ["M1", "M2"], "assays": ["potency", "logd"], "replicates": 2},
    {"command": "assay O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1: potency, solubility"},
    {"command": "nominate M2 potency=7.5[6.5,8.5]"},
)

Call = Callable[[dict[str, Any] | None], Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with process("app.cli", "serve") as (_, url, _):
        yield url


async def play(call: Call, latencies: list[float]) -> dict[str, Any]:
    """Play one programme; return its last reply with the sum of its rewards."""
    reply = await call(None)
    total = reply["reward"]
    for action in SCRIPT:
        began = time.perf_counter()
        reply = await call(action)
        latencies.append(time.perf_counter() - began)
        total += reply["reward"]
    return {**reply, "total": total}


async def over_rest(url: str, number: int, latencies: list[float]) -> dict[str, Any]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        headers: dict[str, str] = {}

        async def call(action: dict[str, Any] | None) -> dict[str, Any]:
            path, body = ("/step", {"action": action}) if action else ("/reset", opening(number))
            async with http.post(url + path, json=body, headers=headers) as reply:
                assert reply.status == 200, await reply.text()
                headers["X-Session-ID"] = reply.headers["X-Session-ID"]
                answer: dict[str, Any] = await reply.json()
                return answer

        return await play(call, latencies)


async def over_websocket(url: str, number: int, latencies: list[float]) -> dict[str, Any]:
    async with connected(url) as socket:

        async def call(action: dict[str, Any] | None) -> dict[str, Any]:
            return await (socket.step(**action) if action else socket.reset(**opening(number)))

        return await play(call, latencies)


def opening(number: int) -> dict[str, Any]:
    return {"task_id": FAMILIES[number % len(FAMILIES)], "seed": number}


async def test_64_agents_over_rest_and_websocket_score_the_same_for_the_same_play(server: str) -> None:
    latencies: list[float] = []
    began = time.perf_counter()
    agents = [over_websocket(server, number, latencies) for number in range(AGENTS)]
    agents += [over_rest(server, number, latencies) for number in range(AGENTS)]

    ends = await asyncio.gather(*agents)

    seconds = time.perf_counter() - began
    median, slowest = statistics.median(latencies), max(latencies)
    log.info(
        "%d programmes, %d steps in %.1f s; a step took %.0f ms (median), %.0f ms at most",
        len(agents),
        len(latencies),
        seconds,
        1000 * median,
        1000 * slowest,
    )
    assert all(end["done"] for end in ends)
    for end in ends:
        assert end["total"] == pytest.approx(end["observation"]["score"], abs=1e-9)
    scores = [end["observation"]["score"] for end in ends]
    assert scores[:AGENTS] == scores[AGENTS:]
    assert seconds < 60
