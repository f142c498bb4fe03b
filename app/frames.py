"""Frames that clients send over /ws."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import error_frame
from app.misfits import as_sentence, describe
from app.wire import ActionMessage, ResetArguments, is_command

M = TypeVar("M", bound=BaseModel)

_FRAME = ConfigDict(extra="forbid", frozen=True)
_TOOL_CALLS = ("list_tools", "call_tool")


class Reset(BaseModel):
    """Open a programme."""

    model_config = _FRAME

    type: Literal["reset"]
    data: ResetArguments = Field(default_factory=ResetArguments)


class StepFrame(BaseModel):
    """Carry out one action."""

    model_config = _FRAME

    type: Literal["step"]
    data: ActionMessage


class ListToolsAction(BaseModel):
    """What the tool client of OpenEnv 0.3 sends as a step to learn the tools."""

    model_config = _FRAME

    type: Literal["list_tools"]
    metadata: dict[str, Any] = Field(default_factory=dict)


class CallToolAction(BaseModel):
    """What the tool client of OpenEnv 0.3 sends as a step to call a tool."""

    model_config = _FRAME

    type: Literal["call_tool"]
    tool_name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)


class ToolFrame(BaseModel):
    """A step in the shape of a tool call; see ``app.mcp_calls``."""

    model_config = _FRAME

    type: Literal["step"]
    data: ListToolsAction | CallToolAction = Field(discriminator="type")


class State(BaseModel):
    """Ask for the public notebook."""

    model_config = _FRAME

    type: Literal["state"]


class Close(BaseModel):
    """End the session; there is no reply."""

    model_config = _FRAME

    type: Literal["close"]


class Mcp(BaseModel):
    """One JSON-RPC request."""

    model_config = _FRAME

    type: Literal["mcp"]
    data: dict[str, Any]


Frame = Reset | dict[str, Any] | ToolFrame | State | Close | Mcp
"""What a frame says; a step says its action, in the wire form that engines and journals take."""

_FRAMES: dict[str, type[Reset | StepFrame | ToolFrame | State | Close | Mcp]] = {
    "reset": Reset,
    "step": StepFrame,
    "state": State,
    "close": Close,
    "mcp": Mcp,
}


class BadFrame(Exception):
    """A frame that is JSON and none of ours; ``frame`` is the answer."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(frame["data"]["message"])
        self.frame = frame


def parse(document: Any) -> Frame:
    """Return the frame; raise ``BadFrame``."""
    if isinstance(document, dict) and len(document) == 2 and document.get("type") == "step":
        data = document.get("data")
        if type(data) is dict and is_command(data):
            return data  # most frames
    if not isinstance(document, dict):
        message = f"a frame must be a JSON object with a type, not {type(document).__name__}"
        entry = {"type": "dict_type", "loc": [], "msg": message}
        raise BadFrame(error_frame(message, "VALIDATION_ERROR", errors=[entry]))
    kind = document.get("type")
    model = _FRAMES.get(kind) if isinstance(kind, str) else None
    if model is None:
        message = f"Unknown message type: {str(kind)[:80]}; known: {', '.join(_FRAMES)}"
        raise BadFrame(error_frame(message, "UNKNOWN_TYPE"))
    if model is StepFrame:
        data = document.get("data")
        if type(data) is dict and len(document) == 2 and data.get("type") not in _TOOL_CALLS:
            return _checked(ActionMessage, data, prefix=("data",)).as_message()  # without a wrapping
        if isinstance(data, dict) and data.get("type") in _TOOL_CALLS:
            model = ToolFrame
    frame = _checked(model, document)
    return frame.data.as_message() if isinstance(frame, StepFrame) else frame


def _checked(model: type[M], value: Any, *, prefix: tuple[str, ...] = ()) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = describe(error, prefix=prefix)
        first, *others = errors
        message = f"Invalid message: {as_sentence(first)}"  # stock clients raise it and drop the rest
        message += f" (and {len(others)} more)" if others else ""
        raise BadFrame(error_frame(message, "VALIDATION_ERROR", errors=errors)) from None
