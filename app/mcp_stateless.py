"""The stateless revision of the Model Context Protocol: every request says by itself all there is to know.

There is no handshake and no ``Mcp-Session-Id``. A programme is a session all the same, so its id is an
argument: ``brief`` opens one and names it in its result, every later call gives ``session_id`` back. Calls
that name none go by the cookie that came with ``brief``, as over REST; without that they are told what to do.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiohttp import web

from app.errors import SessionNotFound
from app.mcp_calls import call_in_protocol
from app.mcp_sessions import VERSIONS
from app.mcp_tools import INSTRUCTIONS, OUTPUT_SCHEMA, SERVER_INFO, listed
from app.replies import json_reply
from app.rest import COOKIE
from app.rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    error_message,
    id_of,
    parse,
    result_message,
)
from app.service import Service
from app.sessions import Origin, Session
from molforge.errors import CallerError

VERSION = "2026-07-28"
VERSION_HEADER = "MCP-Protocol-Version"
METHOD_HEADER, NAME_HEADER = "Mcp-Method", "Mcp-Name"
_PREFIX = "io.modelcontextprotocol/"
META_VERSION, META_CAPABILITIES = f"{_PREFIX}protocolVersion", f"{_PREFIX}clientCapabilities"
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
CACHED = {"ttlMs": 3_600_000, "cacheScope": "public"}
_STATUS = dict.fromkeys(
    (PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, HEADER_MISMATCH, UNSUPPORTED_VERSION), 400
) | {METHOD_NOT_FOUND: 404}
_ID_TOLD = "The programme, as brief named it."
_GUIDE = f"{INSTRUCTIONS} brief names the programme (session_id); give that with every later call."


class NoSession(CallerError):
    """A call that names no programme, or one that is gone."""

    code = "SESSION_NOT_FOUND"


def is_meant(request: web.Request, document: Any) -> bool:
    """Say whether a message is of this revision, or of one that came after it."""
    if request.headers.get(VERSION_HEADER) == VERSION:
        return True
    return META_VERSION in _meta(document)


async def answer(request: web.Request, document: Any, service: Service) -> web.Response:
    """Answer one message; an error has the HTTP status that belongs to its code."""
    if isinstance(document, dict) and "id" not in document:
        return web.Response(status=202)
    opened: list[Session] = []
    try:
        message = parse(document)
        _check_envelope(request, message.method, message.params or {})
        result = await _dispatch(message.method, message.params or {}, request, service, opened)
    except RpcError as error:
        return json_reply(error_message(id_of(document), error), status=_STATUS.get(error.code, 200))
    stamped = {"resultType": "complete", "_meta": {f"{_PREFIX}serverInfo": SERVER_INFO}, **result}
    reply = json_reply(result_message(message.id, stamped))
    if opened:
        reply.set_cookie(COOKIE, opened[0].id, path="/", httponly=True, samesite="Lax")
    return reply


@cache
def tools() -> tuple[dict[str, Any], ...]:
    """Return the entries of tools/list: those of the other revisions, with ``session_id``."""
    return tuple(
        {**tool, "inputSchema": _with_id(tool["inputSchema"]), "outputSchema": _with_id(OUTPUT_SCHEMA)}
        for tool in listed()
    )


def _with_id(schema: dict[str, Any]) -> dict[str, Any]:
    session_id = {"type": "string", "maxLength": 255, "description": _ID_TOLD}
    return {**schema, "properties": {"session_id": session_id, **schema["properties"]}}


def _check_envelope(request: web.Request, method: str, params: Mapping[str, Any]) -> None:
    """Refuse a request that does not say what it must, or whose headers say something else."""
    meta = _meta({"params": params})
    missing = [key for key in (META_VERSION, META_CAPABILITIES) if key not in meta]
    if missing:
        raise RpcError(INVALID_PARAMS, f"params._meta lacks {', '.join(missing)}")
    said: dict[str, Any] = {VERSION_HEADER: meta[META_VERSION], METHOD_HEADER: method}
    if method == "tools/call" and "name" in params:
        said[NAME_HEADER] = params["name"]
    for header, value in said.items():
        if _decoded(request.headers.get(header)) != value:
            raise RpcError(
                HEADER_MISMATCH, f"the header {header} must repeat what the body says: {value!s:.80}"
            )
    if meta[META_VERSION] != VERSION:
        data = {"supported": [*VERSIONS, VERSION], "requested": meta[META_VERSION]}
        raise RpcError(UNSUPPORTED_VERSION, f"revision {meta[META_VERSION]!s:.40} is not spoken here", data)


def _meta(document: Any) -> Mapping[str, Any]:
    params = document.get("params") if isinstance(document, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    return meta if isinstance(meta, dict) else {}


def _decoded(header: str | None) -> str | None:
    """Return what a header says; what does not fit into one comes as ``=?base64?...?=``."""
    if header is None or not (header.startswith("=?base64?") and header.endswith("?=")):
        return header
    try:
        return base64.b64decode(header[9:-2], validate=True).decode()
    except ValueError:
        return None


async def _dispatch(
    method: str, params: dict[str, Any], request: web.Request, service: Service, opened: list[Session]
) -> dict[str, Any]:
    match method:
        case "server/discover":
            capabilities: dict[str, Any] = {"tools": {}}
            return {
                "supportedVersions": [VERSION],
                "capabilities": capabilities,
                "instructions": _GUIDE,
                **CACHED,
            }
        case "tools/list":
            return {"tools": tools(), **CACHED}
        case "tools/call":
            return await _call(params, request, service, opened)
    raise RpcError(METHOD_NOT_FOUND, f"Method not found: {method[:80]}")


async def _call(
    params: dict[str, Any], request: web.Request, service: Service, opened: list[Session]
) -> dict[str, Any]:
    given = params.get("arguments") or {}
    named = given.get("session_id") if isinstance(given, dict) else None
    arguments = _without_session(given) if isinstance(given, dict) else given
    is_brief = params.get("name") == "brief"
    taken: list[Session] = []

    @asynccontextmanager
    async def seat() -> AsyncIterator[Session]:
        session = _find(request, service, named, is_brief=is_brief, is_plain=not arguments)
        if session is None:
            session = await service.open(Origin.REST)
            opened.append(session)
        taken.append(session)
        async with service.turns.of(session.id):
            yield session

    try:
        result = await call_in_protocol({**params, "arguments": arguments}, service, seat())
    except BaseException:
        _close(opened, service)
        raise
    if result["isError"]:
        _close(opened, service)
    if "structuredContent" in result:
        result["structuredContent"]["session_id"] = taken[0].id
        if is_brief:
            result["content"].append({"type": "text", "text": f"session_id: {taken[0].id}"})
    return result


def _find(
    request: web.Request, service: Service, named: Any, *, is_brief: bool, is_plain: bool
) -> Session | None:
    """Return the session that the argument names, or else the cookie; None: ``brief`` is to open one.

    Only a plain ``brief`` goes by the cookie: several assistants may share one, and asking for a certain
    programme must not end another's. But what ``reset`` has opened for the cookie goes by it alone: there
    ``brief`` opens nothing beside it. Raises ``NoSession``.
    """
    by_cookie = request.cookies.get(COOKIE)
    if is_brief and not is_plain and not _is_rollout(service, by_cookie):
        by_cookie = None
    session_id = by_cookie if named is None else str(named)
    if session_id is None:
        if is_brief:
            return None
        raise NoSession("no programme is open: call brief first")
    try:
        return service.find(session_id)
    except SessionNotFound:
        if is_brief and named is None:
            return None
        raise NoSession(f"there is no programme {session_id[:64]}, or no longer: call brief") from None


def _is_rollout(service: Service, session_id: str | None) -> bool:
    try:
        return session_id is not None and service.sessions.known(session_id).is_rollout
    except SessionNotFound:
        return False


def _without_session(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "session_id"}


def _close(opened: list[Session], service: Service) -> None:
    while opened:
        service.close(opened.pop())
