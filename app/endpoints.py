"""The table of HTTP endpoints that /openapi.json is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, RootModel

from app.bodies import (
    AllTasks,
    Catalogue,
    Grade,
    Health,
    Metadata,
    OneTask,
    Readiness,
    RpcReply,
    Schemas,
    SomeTasks,
    Split,
    TaskCount,
    WebStep,
)
from app.examples import (
    ACTION_EXAMPLES,
    GRADE,
    MCP_EXAMPLES,
    RESET_EXAMPLES,
    RESET_REPLY,
    RPC_REPLY,
    STATE_REPLY,
    STEP_REPLY,
)
from app.rpc import Request as RpcRequest
from app.tasks import NAME, RangeRequest, SplitRequest, TaskRequest
from app.wire import ResetArguments, State, StepReply, StepRequest

Tag = Literal["Environment", "Server", "Tasks", "MCP", "Pages"]
PLAY_ERRORS = (404, 409, 500, 503, 504)
"""What a call in a session can meet besides errors of the body."""


class Names(RootModel[list[str]]):
    """Names of environments."""


class Splits(RootModel[list[Split]]):
    """Splits of the tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of the table."""

    method: Literal["get", "post", "delete"]
    path: str
    summary: str
    tag: Tag
    body: type[BaseModel] | None = None
    is_body_required: bool = True
    reply: type[BaseModel] | None = None
    """None: no JSON; see ``media``."""
    media: str = "application/json"
    success: int = 200
    session: Literal["", "taken", "answered"] = ""
    """``taken``: the request can name a session; ``answered``: the reply names one as well."""
    parameters: tuple[str, ...] = ()
    """Names of further parameters, see ``app.openapi``."""
    errors: tuple[int, ...] = ()
    """Statuses besides those that follow from the other columns."""
    requests: dict[str, Any] = field(default_factory=dict)
    """Examples of bodies, by a name that says what they show."""
    example: Any = None
    """Example of the reply."""


ENVIRONMENT = (
    Endpoint(
        method="post",
        path="/reset",
        summary="Open a programme, in the named session or in a new one",
        tag="Environment",
        body=ResetArguments,
        is_body_required=False,
        reply=StepReply,
        session="answered",
        errors=PLAY_ERRORS,
        requests=RESET_EXAMPLES,
        example=RESET_REPLY,
    ),
    Endpoint(
        method="post",
        path="/step",
        summary="Carry out one action in the named session, or in a new default programme",
        tag="Environment",
        body=StepRequest,
        reply=StepReply,
        session="answered",
        errors=PLAY_ERRORS,
        requests={name: {"action": action} for name, action in ACTION_EXAMPLES.items()},
        example=STEP_REPLY,
    ),
    Endpoint(
        method="get",
        path="/state",
        summary="The public notebook of the named session, or that of a fresh environment",
        tag="Environment",
        reply=State,
        session="answered",
        errors=PLAY_ERRORS,
        example=STATE_REPLY,
    ),
)
SERVER = (
    Endpoint(
        method="get",
        path="/health",
        summary="Whether the server lives",
        tag="Server",
        reply=Health,
        example={"status": "healthy"},
    ),
    Endpoint(
        method="get",
        path="/ready",
        summary="Whether it makes sense to send somebody here; 503 while it does not",
        tag="Server",
        reply=Readiness,
        errors=(503,),
        example={"status": "ready"},
    ),
    Endpoint(
        method="get",
        path="/metrics",
        summary="Figures for Prometheus: sessions, calls and their times, workers, refusals",
        tag="Server",
        media="text/plain",
    ),
    Endpoint(
        method="get", path="/metadata", summary="What this environment is", tag="Server", reply=Metadata
    ),
    Endpoint(method="get", path="/schema", summary="JSON Schemas of messages", tag="Server", reply=Schemas),
    Endpoint(method="get", path="/openapi.json", summary="This document", tag="Server"),
    Endpoint(
        method="post",
        path="/mcp",
        summary="One JSON-RPC 2.0 message: OpenEnv's sessions and tools, or the Model Context Protocol",
        tag="MCP",
        body=RpcRequest,
        reply=RpcReply,
        parameters=("Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Origin"),
        errors=(202, 403, 500),
        requests=MCP_EXAMPLES,
        example=RPC_REPLY,
    ),
    Endpoint(
        method="delete",
        path="/mcp",
        summary="End a session of the Model Context Protocol",
        tag="MCP",
        success=204,
        parameters=("Mcp-Session-Id", "MCP-Protocol-Version", "Origin"),
        errors=(400, 403, 404, 500),
    ),
)
TASKS = (
    Endpoint(
        method="get",
        path="/tasks",
        summary="The catalogue, with the action schema",
        tag="Tasks",
        reply=Catalogue,
    ),
    Endpoint(
        method="get",
        path="/grader",
        summary="The score of the session's finished episode, with its parts",
        tag="Tasks",
        reply=Grade,
        session="taken",
        errors=(404, 409, 500, 503, 504),
        example=GRADE,
    ),
    Endpoint(
        method="get",
        path="/list_environments",
        summary="Names of environments",
        tag="Tasks",
        reply=Names,
        example=[NAME],
    ),
    Endpoint(method="get", path=f"/{NAME}/splits", summary="Names of splits", tag="Tasks", reply=Splits),
    Endpoint(
        method="post",
        path=f"/{NAME}/tasks",
        summary="All tasks of a split",
        tag="Tasks",
        body=SplitRequest,
        reply=AllTasks,
        requests={"split": {"split": "train"}},
    ),
    Endpoint(
        method="post",
        path=f"/{NAME}/num_tasks",
        summary="How many tasks a split has",
        tag="Tasks",
        body=SplitRequest,
        reply=TaskCount,
        requests={"split": {"split": "train"}},
    ),
    Endpoint(
        method="post",
        path=f"/{NAME}/task",
        summary="One task: arguments of reset",
        tag="Tasks",
        body=TaskRequest,
        reply=OneTask,
        requests={"first": {"split": "train", "index": 0}, "last": {"split": "test", "index": -1}},
        example={"task": {"task_id": "potency", "split": "train", "index": 0}},
    ),
    Endpoint(
        method="post",
        path=f"/{NAME}/task_range",
        summary="Some tasks, as in a Python slice",
        tag="Tasks",
        body=RangeRequest,
        reply=SomeTasks,
        requests={"ten": {"split": "train", "start": 0, "stop": 10}},
    ),
)
PAGES = tuple(
    Endpoint(method="get", path=path, summary=summary, tag="Pages", media="text/html")
    for path, summary in (
        ("/web/", "What this is, and a programme to play by hand"),
        ("/docs", "The reference of endpoints and messages"),
        ("/redoc", "The same"),
    )
)
HOME = tuple(
    Endpoint(method="get", path=path, summary="Leads to /web/", tag="Pages", success=307)
    for path in ("/", "/web")
)
WEB = (
    Endpoint(method="get", path="/web/metadata", summary="As /metadata", tag="Pages", reply=Metadata),
    Endpoint(
        method="post",
        path="/web/reset",
        summary="As /reset, for visitors",
        tag="Pages",
        body=ResetArguments,
        is_body_required=False,
        reply=StepReply,
        session="answered",
        errors=PLAY_ERRORS,
        requests=RESET_EXAMPLES,
    ),
    Endpoint(
        method="post",
        path="/web/step",
        summary="As /step, for visitors",
        tag="Pages",
        body=WebStep,
        reply=StepReply,
        session="answered",
        errors=PLAY_ERRORS,
        requests={"text": {"message": "assay M1: potency"}},
    ),
    Endpoint(
        method="get",
        path="/web/state",
        summary="As /state, for visitors",
        tag="Pages",
        reply=State,
        session="answered",
        errors=PLAY_ERRORS,
    ),
)
ENDPOINTS: tuple[Endpoint, ...] = (*ENVIRONMENT, *SERVER, *TASKS, *HOME, *PAGES, *WEB)
