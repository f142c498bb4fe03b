"""The task API: the catalogue as numbered tasks, each the arguments of one reset; and grades.

A split holds ``SPLIT_SIZE`` programmes of every family, families taking turns, so that the first few
tasks already show all of them: task k is index ``k // families`` of family ``k % families``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from app.errors import SessionNotFound
from app.keys import SERVICE
from app.replies import Refused, json_reply, read_model
from app.rest import session_of
from app.wire import ActionMessage
from envs import CATALOGUE, SPLIT_SIZE, SPLITS
from molforge.errors import NotReset

NAME = "molforge"
_STRICT = ConfigDict(extra="forbid")

routes = web.RouteTableDef()


class SplitRequest(BaseModel):
    """Body of tasks and num_tasks."""

    model_config = _STRICT

    split: Literal["train", "validation", "test"]


class TaskRequest(SplitRequest):
    """Body of task."""

    index: int


class RangeRequest(SplitRequest):
    """Body of task_range: as in a Python slice."""

    start: int | None = None
    stop: int | None = None


def count() -> int:
    """Return the number of tasks in a split."""
    return SPLIT_SIZE * len(CATALOGUE)


def task(split: str, number: int) -> dict[str, Any]:
    """Return the arguments of reset for one task; a negative number counts from the end."""
    if not -count() <= number < count():
        raise Refused(400, {"detail": "Invalid task index"})
    families = tuple(CATALOGUE)
    index, family = divmod(number % count(), len(families))
    return {"task_id": families[family], "split": split, "index": index}


@cache
def listed(split: str) -> tuple[dict[str, Any], ...]:
    """Return all tasks of a split: the same objects every time, for there are thousands."""
    return tuple(task(split, number) for number in range(count()))


@cache
def _action_schema() -> dict[str, Any]:
    return ActionMessage.model_json_schema()


@routes.get("/tasks")
async def catalogue(_request: web.Request) -> web.Response:
    """Return what can be played, and how to act."""
    tasks = [
        {
            "task_id": spec.task_id,
            "id": spec.task_id,
            "title": spec.title,
            "description": spec.description,
            "level": spec.level,
            "difficulty": spec.level,
            "max_steps": spec.max_steps,
            "grader": spec.grader,
            "splits": list(SPLITS),
            "programmes_per_split": SPLIT_SIZE,
        }
        for spec in CATALOGUE.values()
    ]
    return json_reply({"tasks": tasks, "action_schema": _action_schema()})


@routes.get("/grader")
async def grade(request: web.Request) -> web.Response:
    """Return the score of the finished episode of the session that header, query or cookie names."""
    service = request.app[SERVICE]
    session = session_of(request, service)
    if session is None:
        message = "name the session whose episode is graded: X-Session-ID header, ?session_id= or cookie"
        raise Refused(404, {"detail": message, "code": SessionNotFound.code})
    state = await service.look(session)
    if not state.get("task_id"):
        raise NotReset
    if state.get("score") is None:
        message = "this programme still runs: it is graded when it has ended"
        raise Refused(409, {"detail": message, "code": "EPISODE_RUNNING"})
    told = ("episode_id", "task_id", "split", "seed", "phase", "score", "score_parts")
    return json_reply(
        {
            "session_id": session.id,
            "steps": state["step_count"],
            "grader": CATALOGUE[state["task_id"]].grader,
            **{name: state[name] for name in told},
        }
    )


@routes.get("/list_environments")
async def list_environments(_request: web.Request) -> web.Response:
    """Return the one name."""
    return json_reply([NAME])


@routes.get("/{environment}/splits")
async def splits(request: web.Request) -> web.Response:
    """Return names and types of the splits."""
    _check_name(request)
    return json_reply([{"name": split, "type": split} for split in SPLITS])


@routes.post("/{environment}/tasks")
async def tasks(request: web.Request) -> web.Response:
    """Return every task of a split."""
    _check_name(request)
    body = await read_model(request, SplitRequest)
    return json_reply({"tasks": listed(body.split), "env_name": NAME})


@routes.post("/{environment}/num_tasks")
async def num_tasks(request: web.Request) -> web.Response:
    """Return how many tasks a split has."""
    _check_name(request)
    await read_model(request, SplitRequest)
    return json_reply({"num_tasks": count()})


@routes.post("/{environment}/task")
async def one_task(request: web.Request) -> web.Response:
    """Return one task."""
    _check_name(request)
    body = await read_model(request, TaskRequest)
    return json_reply({"task": task(body.split, body.index)})


@routes.post("/{environment}/task_range")
async def task_range(request: web.Request) -> web.Response:
    """Return a slice of the tasks."""
    _check_name(request)
    body = await read_model(request, RangeRequest)
    numbers = range(count())[body.start : body.stop]
    return json_reply({"tasks": [task(body.split, number) for number in numbers]})


def _check_name(request: web.Request) -> None:
    name = request.match_info["environment"]
    if name.lower() != NAME:
        raise Refused(404, {"detail": f"unknown environment '{name[:80]}'"})
