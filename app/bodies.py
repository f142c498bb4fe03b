"""HTTP bodies besides the messages of the game: what /openapi.json publishes about them.

Replies are not validated on their way out; tests compare what is sent with these models.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.wire import ActionMessage

_OUT = ConfigDict(extra="forbid")


class ErrorBody(BaseModel):
    """What went wrong: a sentence, and a stable code where there is one."""

    model_config = _OUT

    detail: str
    code: str = Field(default="", description="Stable name of the error, for instance SESSION_NOT_FOUND.")


class ErrorEntry(BaseModel):
    """One thing that does not fit."""

    model_config = _OUT

    type: str
    loc: list[str | int] = Field(description="Where; inside an action relative to the action.")
    msg: str
    input: Any = None
    url: str | None = None
    ctx: dict[str, Any] | None = None


class ValidationBody(BaseModel):
    """Everything that does not fit, at most 50 entries; or one sentence."""

    model_config = _OUT

    detail: list[ErrorEntry] | str
    code: str = ""


class WebStep(BaseModel):
    """Body of /web/step: an action, or the text of one."""

    model_config = _OUT

    action: ActionMessage | None = None
    message: str | None = Field(default=None, max_length=8000, description="The same as action.command.")

    @model_validator(mode="after")
    def _says_one(self) -> Self:
        if (self.action is None) == (self.message is None):
            raise ValueError("give an action or a message, one of the two")
        return self


class Health(BaseModel):
    """The server lives."""

    model_config = _OUT

    status: Literal["healthy"]


class Readiness(BaseModel):
    """Whether it makes sense to send somebody here; if not, what is in the way."""

    model_config = _OUT

    status: Literal["ready", "starting", "stopping", "journal", "full"]
    detail: str | None = Field(default=None, description="What is in the way, where there is more to say.")


class Metadata(BaseModel):
    """What this environment is."""

    model_config = _OUT

    name: str
    description: str
    readme_content: str | None
    version: str | None
    author: str | None
    documentation_url: str | None


class Schemas(BaseModel):
    """JSON Schemas, draft 2020-12, with local references only."""

    model_config = _OUT

    action: dict[str, Any]
    observation: dict[str, Any]
    state: dict[str, Any]
    reset_observation: dict[str, Any]


class TaskView(BaseModel):
    """One family of programmes."""

    model_config = _OUT

    task_id: str
    id: str = Field(description="The same as task_id.")
    title: str
    description: str
    level: Literal["easy", "medium", "hard", "expert"]
    difficulty: Literal["easy", "medium", "hard", "expert"] = Field(description="The same as level.")
    max_steps: int
    grader: str = Field(description="module:function, callable on a recorded episode from a checkout.")
    splits: list[str]
    programmes_per_split: int


class Catalogue(BaseModel):
    """What can be played, and how to act."""

    model_config = _OUT

    tasks: list[TaskView]
    action_schema: dict[str, Any]


class Grade(BaseModel):
    """The score of a finished episode, with its parts."""

    model_config = _OUT

    session_id: str
    episode_id: str
    task_id: str
    split: str
    seed: int
    phase: str
    steps: int
    grader: str
    score: float = Field(gt=0.0, lt=1.0)
    score_parts: dict[str, float]


class Split(BaseModel):
    """One split of the tasks."""

    model_config = _OUT

    name: str
    type: Literal["train", "validation", "test"]


class TaskArguments(BaseModel):
    """One task: arguments of reset."""

    model_config = _OUT

    task_id: str
    split: str
    index: int


class OneTask(BaseModel):
    """One task."""

    model_config = _OUT

    task: TaskArguments


class SomeTasks(BaseModel):
    """Some tasks, in order."""

    model_config = _OUT

    tasks: list[TaskArguments]


class AllTasks(SomeTasks):
    """Every task of a split."""

    env_name: str


class TaskCount(BaseModel):
    """How many tasks a split has."""

    model_config = _OUT

    num_tasks: int


class RpcErrorView(BaseModel):
    """A JSON-RPC error."""

    model_config = _OUT

    code: int
    message: str
    data: Any = None


class RpcReply(BaseModel):
    """A JSON-RPC 2.0 response: either result or error."""

    model_config = _OUT

    jsonrpc: Literal["2.0"]
    id: str | int | None
    result: dict[str, Any] = Field(default_factory=dict)
    error: RpcErrorView | None = None
