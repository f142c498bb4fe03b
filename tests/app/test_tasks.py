"""The catalogue and the grades."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from app.bodies import Catalogue, Grade
from app.config import Config
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.main import create_app
from envs import CATALOGUE
from tests.app.harness import connected, running, serving


async def get(url: str, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as http, http.get(url, headers=named) as reply:
        return reply.status, await reply.json()


async def test_the_catalogue_lists_every_family_and_how_to_act() -> None:
    async with serving() as url:
        _, listed = await get(f"{url}/tasks")

    catalogue = Catalogue.model_validate(listed)
    assert [task.task_id for task in catalogue.tasks] == list(CATALOGUE)
    assert catalogue.action_schema["properties"]["action_type"]


@pytest.mark.parametrize("task_id", CATALOGUE)
async def test_a_finished_episode_is_graded_for_its_holder(task_id: str) -> None:
    config = Config()
    engine = InProcessEngine(environment_factory(None), threads=2)
    app = await asyncio.to_thread(create_app, config, engine=engine)
    async with running(app, config) as url, connected(url) as socket:
        session_id = (await socket.reset(task_id=task_id, seed=5))["observation"]["session_id"]
        running_still, told = await get(f"{url}/grader", X_Session_ID=session_id)
        last = await socket.step(action_type="stop", reason="enough")

        by_header = await get(f"{url}/grader", X_Session_ID=session_id)
        by_query = await get(f"{url}/grader?session_id={session_id}")
        by_cookie = await get(f"{url}/grader", Cookie=f"molforge_session={session_id}")

    assert (running_still, told["code"]) == (409, "EPISODE_RUNNING")
    assert by_header == by_query == by_cookie
    grade = Grade.model_validate(by_header[1])
    assert (grade.task_id, grade.seed, grade.steps, grade.session_id) == (task_id, 5, 1, session_id)
    assert grade.score == last["observation"]["score"]
    assert grade.score_parts == last["observation"]["score_parts"]


async def test_nobody_is_graded_without_naming_a_session() -> None:
    async with serving() as url, connected(url) as socket:
        nameless, told = await get(f"{url}/grader")
        unknown, _ = await get(f"{url}/grader", X_Session_ID="x")
        call = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}
        reply = await socket.call({"type": "mcp", "data": call})
        session_id = reply["data"]["result"]["session_id"]
        early, why = await get(f"{url}/grader", X_Session_ID=session_id)

    assert (nameless, told["code"]) == (404, "SESSION_NOT_FOUND")
    assert unknown == 404
    assert (early, why["code"]) == (409, "NOT_RESET")
