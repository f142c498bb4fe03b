"""/mcp: JSON-RPC 2.0 as OpenEnv speaks it, over POST and over a WebSocket.

There are no tools (yet); sessions can be created and closed. HTTP status is 200 throughout.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

import molforge
from app.encoding import NotJson, loads
from app.errors import CapacityReached, FactoryFailed, SessionNotFound, report
from app.keys import SERVICE
from app.replies import json_reply
from app.service import Service
from app.sessions import Origin, Session
from app.sockets import new_socket, send

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR, SERVER_ERROR = -32602, -32603, -32000
PROTOCOL_VERSION = "2025-06-18"

log = logging.getLogger(__name__)

routes = web.RouteTableDef()


class Request(BaseModel):
    """One JSON-RPC request."""

    model_config = ConfigDict(extra="forbid")

    jsonrpc: Literal["2.0"]
    method: StrictStr
    params: dict[str, Any] | None = None
    id: StrictStr | StrictInt | None = None


class RpcError(Exception):
    """An error answer."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@routes.post("/mcp")
async def over_http(request: web.Request) -> web.Response:
    """Answer one JSON-RPC request."""
    try:
        document = loads(await request.read())
    except NotJson as why:
        return json_reply(_error(None, RpcError(PARSE_ERROR, f"Parse error: {why}")))
    if isinstance(document, list):
        return json_reply(_error(None, RpcError(PARSE_ERROR, "Parse error: batches are not supported")))
    return json_reply(await answer(document, request.app[SERVICE]))


@routes.get("/mcp")
async def over_socket(request: web.Request) -> web.StreamResponse:
    """Answer JSON-RPC requests of one socket, which has a session of its own."""
    socket = new_socket()
    if not socket.can_prepare(request):
        raise web.HTTPMethodNotAllowed("GET", ["POST"])
    await socket.prepare(request)
    service = request.app[SERVICE]
    try:
        session = await service.open(Origin.SOCKET)
    except (CapacityReached, FactoryFailed) as error:
        await send(socket, _error(None, _refusal(error)))
        await socket.close()
        return socket
    session.connection = _Dismissable(socket)
    try:
        await _serve(socket, service, session)
    except ConnectionError:
        log.debug("the peer of session %s is gone", session.id)
    finally:
        service.close(session)
    return socket


async def _serve(socket: web.WebSocketResponse, service: Service, session: Session) -> None:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            await send(socket, _error(None, RpcError(SERVER_ERROR, "binary frame: send JSON in text frames")))
            break
        try:
            document = loads(message.data)
        except NotJson as why:
            await send(socket, _error(None, RpcError(PARSE_ERROR, f"Parse error: {why}")))
            continue
        service.sessions.touch(session)
        await send(socket, await answer(document, service, own=session))
    await socket.close()


class _Dismissable:
    """A socket that can be closed from outside."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._closing: asyncio.Task[bool] | None = None

    def dismiss(self, code: int, reason: str) -> None:
        """Close with this code and reason."""
        self._closing = asyncio.create_task(self._socket.close(code=code, message=reason.encode()))


async def answer(document: Any, service: Service, *, own: Session | None = None) -> dict[str, Any]:
    """Return the response to one request. ``own`` is the session of the socket it came over."""
    try:
        request = Request.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return _error(None, RpcError(INVALID_REQUEST, f"Invalid request: {where[:80]}: {first['msg']}"))
    try:
        result = await _dispatch(request.method, request.params or {}, service, own)
    except RpcError as error:
        return _error(request.id, error)
    return {"jsonrpc": "2.0", "id": request.id, "result": result}


async def _dispatch(
    method: str, params: dict[str, Any], service: Service, own: Session | None
) -> dict[str, Any]:
    match method:
        case "openenv/session/create":
            return {"session_id": own.id if own is not None else await _create(service)}
        case "openenv/session/close":
            return _close(params, service, own)
        case "tools/list" | "tools/call":
            _check_session(params, service)
            if method == "tools/call" and not isinstance(params.get("name"), str):
                raise RpcError(INVALID_PARAMS, "Missing 'name' in params")
            raise RpcError(INTERNAL_ERROR, "Environment does not support MCP")
        case "initialize":
            server = {"name": "molforge", "version": molforge.__version__}
            return {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "serverInfo": server}
        case "ping":
            return {}
    raise RpcError(METHOD_NOT_FOUND, f"Method not found: {method[:80]}")


async def _create(service: Service) -> str:
    try:
        return (await service.open(Origin.CREATED)).id
    except (CapacityReached, FactoryFailed) as error:
        raise _refusal(error) from None


def _refusal(error: CapacityReached | FactoryFailed) -> RpcError:
    report(error, where="/mcp")
    data = error.numbers if isinstance(error, CapacityReached) else {"factory_name": error.factory}
    return RpcError(SERVER_ERROR, str(error), data)


def _close(params: dict[str, Any], service: Service, own: Session | None) -> dict[str, Any]:
    session = _check_session(params, service)
    if session is None:
        raise RpcError(INVALID_PARAMS, "Missing 'session_id' in params")
    if session is own:
        raise RpcError(INVALID_REQUEST, "this session belongs to its WebSocket: close the socket")
    if session.connection is not None:
        session.is_closing = True
        return {"session_id": session.id, "closed": False, "closing": True}
    service.close(session)
    return {"session_id": session.id, "closed": True}


def _check_session(params: dict[str, Any], service: Service) -> Session | None:
    """Return the session that the parameters name, None if they name none."""
    session_id = params.get("session_id")
    if session_id is None:
        return None
    try:
        return service.sessions.get(str(session_id))
    except SessionNotFound as error:
        raise RpcError(INVALID_PARAMS, str(error)) from None


def _error(request_id: str | int | None, error: RpcError) -> dict[str, Any]:
    body = {"code": error.code, "message": str(error), "data": error.data}
    return {"jsonrpc": "2.0", "id": request_id, "error": body}
