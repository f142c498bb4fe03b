"""HTTP bodies: reading JSON requests, writing JSON replies, and the bodies of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from app.encoding import NotJson, dumps, received
from app.misfits import describe, shorten
from app.sieve import MAX_MESSAGE, MAX_READ, TooLong

M = TypeVar("M", bound=BaseModel)

COMPRESSED = {"detail": "a body with a Content-Encoding is not read: send it as it is"}
_BODY = web.RequestKey("body", bytes)
"""Where a request keeps its body: it can be read once."""


class Refused(Exception):
    """A request that gets this status and body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def json_reply(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON response."""
    reply = web.Response(body=dumps(value), status=status, headers=headers)
    reply.headers["Content-Type"] = "application/json"
    return reply


async def read_body(request: web.Request) -> bytes:
    """Return the request's body; raise ``TooLong`` where decoding it would hold up everybody for nothing.

    A compressed one is refused with a 415 unread: a few bytes of it can be millions.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(415, COMPRESSED)
    if _BODY in request:
        return request[_BODY]
    body, size = bytearray(), 0
    try:
        while size <= MAX_MESSAGE and (chunk := await request.content.readany()):
            size += len(chunk)
            if size <= MAX_READ:
                body += chunk
            else:
                body.clear()
    except BaseException:
        body.clear()  # who hangs up halfway leaves a traceback, which holds what is here for a while
        raise
    if size > MAX_MESSAGE:
        raise web.HTTPRequestEntityTooLarge(MAX_MESSAGE, size)
    if size > MAX_READ:
        raise TooLong(size)
    request[_BODY] = bytes(body)
    return bytes(body)


async def read_model(request: web.Request, model: type[M], *, is_optional: bool = False) -> M:
    """Return the request's body as a model; raise ``Refused`` with a 422 that says what is wrong.

    An empty body is an empty object if ``is_optional``. A body that is not declared as JSON is not
    read as JSON: so browsers cannot be made to send one across sites.
    """
    try:
        body = await read_body(request)
    except TooLong as why:
        raise _unprocessable("too_long", ["body"], str(why), None) from None
    if not body:
        if is_optional:
            return model()
        raise _unprocessable("missing", ["body"], "Field required", None)
    value = _document(body) if is_json(request) else body.decode(errors="replace")
    if not isinstance(value, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise _unprocessable("model_attributes_type", ["body"], message, value)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Refused(422, {"detail": [_located(entry) for entry in describe(error)]}) from None


def is_json(request: web.Request) -> bool:
    """Say whether the request declares its body as JSON."""
    kind = request.content_type
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _document(body: bytes) -> Any:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(400, {"detail": "There was an error parsing the body"}) from None
    try:
        return received(text)
    except NotJson as why:
        entry = {
            "type": "json_invalid",
            "loc": ["body", why.position],
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": str(why)},
        }
        raise Refused(422, {"detail": [entry]}) from None


def _located(entry: dict[str, Any]) -> dict[str, Any]:
    """Locate an error as stock does: inside an action relative to it, elsewhere from the body."""
    inside_action = len(entry["loc"]) > 1 and entry["loc"][0] == "action"
    return {**entry, "loc": entry["loc"][1:] if inside_action else ["body", *entry["loc"]]}


def _unprocessable(kind: str, loc: list[str], message: str, value: Any) -> Refused:
    return Refused(422, {"detail": [{"type": kind, "loc": loc, "msg": message, "input": shorten(value)}]})
