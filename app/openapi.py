"""/openapi.json, made from the wire models and one table of endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.mcp import Request as RpcRequest
from app.tasks import NAME, RangeRequest, SplitRequest, TaskRequest
from app.wire import ActionMessage, Observation, ResetArguments, State, StepReply, StepRequest

VERSION = "1.0.0"
"""Version of the wire contract; validators want a 1."""
SESSION = [
    {
        "name": "X-Session-ID",
        "in": "header",
        "schema": {"type": "string"},
        "description": "The session, as the reply to an earlier request named it.",
    },
    {
        "name": "session_id",
        "in": "query",
        "schema": {"type": "string"},
        "description": "The same, as a query.",
    },
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of the table."""

    method: str
    path: str
    summary: str
    body: type[BaseModel] | None = None
    body_required: bool = True
    reply: type[BaseModel] | None = None
    has_session: bool = False
    tag: str = "Environment"


ENDPOINTS = (
    Endpoint(
        method="post",
        path="/reset",
        summary="Open a programme, in the named session or in a new one",
        body=ResetArguments,
        body_required=False,
        reply=StepReply,
        has_session=True,
    ),
    Endpoint(
        method="post",
        path="/step",
        summary="Carry out one action",
        body=StepRequest,
        reply=StepReply,
        has_session=True,
    ),
    Endpoint(method="get", path="/state", summary="The public notebook", reply=State, has_session=True),
    Endpoint(method="get", path="/health", summary="Whether the server lives", tag="Server"),
    Endpoint(method="get", path="/ready", summary="Whether models are loaded (503 while not)", tag="Server"),
    Endpoint(method="get", path="/metadata", summary="What this environment is", tag="Server"),
    Endpoint(method="get", path="/schema", summary="JSON Schemas of the messages", tag="Server"),
    Endpoint(method="post", path="/mcp", summary="JSON-RPC 2.0: sessions", body=RpcRequest, tag="Server"),
    Endpoint(method="get", path="/tasks", summary="The catalogue with the action schema", tag="Tasks"),
    Endpoint(method="get", path="/list_environments", summary="Names of environments", tag="Tasks"),
    Endpoint(method="get", path=f"/{NAME}/splits", summary="Names of splits", tag="Tasks"),
    Endpoint(
        method="post", path=f"/{NAME}/tasks", summary="All tasks of a split", body=SplitRequest, tag="Tasks"
    ),
    Endpoint(
        method="post", path=f"/{NAME}/num_tasks", summary="How many there are", body=SplitRequest, tag="Tasks"
    ),
    Endpoint(
        method="post",
        path=f"/{NAME}/task",
        summary="One task: arguments of reset",
        body=TaskRequest,
        tag="Tasks",
    ),
    Endpoint(method="post", path=f"/{NAME}/task_range", summary="Some tasks", body=RangeRequest, tag="Tasks"),
)


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    models = {m for endpoint in ENDPOINTS for m in (endpoint.body, endpoint.reply) if m is not None}
    models |= {ActionMessage, Observation}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MolForge",
            "version": VERSION,
            "summary": "A medicinal-chemistry laboratory for language-model agents.",
        },
        "paths": paths,
        "components": {"schemas": definitions["$defs"]},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    reply = {"type": "object"} if endpoint.reply is None else _reference(endpoint.reply)
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method}_{endpoint.path.strip('/').replace('/', '_')}",
        "tags": [endpoint.tag],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": reply}}}},
    }
    if endpoint.has_session:
        operation["parameters"] = SESSION
        operation["responses"]["404"] = {"description": "No session of that id"}
        operation["responses"]["503"] = {"description": "No free place; see Retry-After"}
    if endpoint.body is not None:
        content = {"application/json": {"schema": _reference(endpoint.body)}}
        operation["requestBody"] = {"required": endpoint.body_required, "content": content}
        operation["responses"]["422"] = {"description": "The body does not fit; detail lists why"}
    return operation


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
