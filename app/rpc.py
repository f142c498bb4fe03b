"""JSON-RPC 2.0: requests, answers and errors, whatever they are about."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR, SERVER_ERROR = -32602, -32603, -32000


class RpcError(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class Request(BaseModel):
    """One JSON-RPC request; without an id, or named notifications/..., a notification."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    method: StrictStr = Field(
        description="initialize, server/discover, ping, tools/list, tools/call, notifications/..., "
        "openenv/session/create, openenv/session/close"
    )
    params: dict[str, Any] | None = None
    id: StrictStr | StrictInt | None = None


def parse(document: Any) -> Request:
    """Return the request; raise ``RpcError``."""
    try:
        return Request.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        told = f"Invalid request: {where[:80]}: {first['msg']}"
        raise RpcError(INVALID_REQUEST, told) from None


def is_notification(document: Any) -> bool:
    """Say whether nobody waits for an answer: a notification of the protocol, or a client's response."""
    if not isinstance(document, dict) or document.get("jsonrpc") != "2.0":
        return False
    if "method" not in document:
        return "result" in document or "error" in document
    method = document["method"]
    return "id" not in document and isinstance(method, str) and method.startswith("notifications/")


def id_of(document: Any) -> str | int | None:
    """Return the id to answer with, also of something that is no request."""
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def result_message(request_id: str | int | None, result: dict[str, Any]) -> dict[str, Any]:
    """Return an answer."""
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def error_message(request_id: str | int | None, error: RpcError) -> dict[str, Any]:
    """Return an answer that something went wrong."""
    body = {"code": error.code, "message": str(error), "data": error.data}
    return {"jsonrpc": "2.0", "id": request_id, "error": body}
