"""/mcp: JSON-RPC 2.0, in three dialects on one path.

* OpenEnv's: sessions by ``openenv/session/create``, ``session_id`` among the parameters, HTTP status 200
  throughout; over POST, over a WebSocket (``app.mcp_socket``), and inside ``mcp`` frames of /ws. A call
  without a session plays in an environment of its own.
* The Model Context Protocol over streamable HTTP: ``initialize`` answers with an ``Mcp-Session-Id``
  header, later messages carry it. Every answer is one JSON document; there are no streams to open.
* Its stateless revision, which ``MCP-Protocol-Version`` tells apart: ``app.mcp_stateless``.

What tools there are and what they do is in ``app.mcp_tools``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from app import mcp_stateless
from app.encoding import NotJson, received
from app.errors import ServerError, SessionNotFound, report
from app.keys import CONFIG, SERVICE
from app.limits import LIMITS
from app.mcp_calls import call_for_openenv, call_in_protocol, named_session, refusal
from app.mcp_sessions import MCP_SESSIONS, VERSIONS, McpSession, negotiate
from app.mcp_tools import INSTRUCTIONS, SERVER_INFO, listed
from app.replies import Refused, json_reply, read_body
from app.rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    error_message,
    id_of,
    is_notification,
    parse,
    result_message,
)
from app.service import Service
from app.sessions import Origin, Session

SESSION_HEADER = "Mcp-Session-Id"
BATCH_MESSAGES = 64
LOOPBACK = ("localhost", "127.0.0.1", "::1")

routes = web.RouteTableDef()


@routes.post("/mcp")
async def over_http(request: web.Request) -> web.Response:
    """Answer one message."""
    check_origin(request)
    try:
        document = received(await read_body(request))
    except NotJson as why:
        return json_reply(error_message(None, RpcError(PARSE_ERROR, f"Parse error: {why}")))
    if isinstance(document, list) and SESSION_HEADER not in request.headers:
        return json_reply(
            error_message(None, RpcError(PARSE_ERROR, "Parse error: batches are not supported"))
        )
    service = request.app[SERVICE]
    if mcp_stateless.is_meant(request, document):
        return await mcp_stateless.answer(request, document, service)
    if (unknown := _unknown_version(request)) is not None:
        return json_reply(error_message(id_of(document), unknown), status=HTTPStatus.BAD_REQUEST)
    if SESSION_HEADER in request.headers:
        return await _in_protocol(request, document, service)
    if isinstance(document, dict) and document.get("method") == "initialize":
        session = request.app[MCP_SESSIONS].open()
        return json_reply(await answer(document, service), headers={SESSION_HEADER: session.id})
    if is_notification(document):
        return web.Response(status=HTTPStatus.ACCEPTED)
    return json_reply(await answer(document, service))


@routes.delete("/mcp")
async def end_session(request: web.Request) -> web.Response:
    """End a session of the protocol."""
    check_origin(request)
    if request.headers.get(mcp_stateless.VERSION_HEADER) == mcp_stateless.VERSION:
        raise web.HTTPMethodNotAllowed("DELETE", ["POST"])
    if SESSION_HEADER not in request.headers:
        raise Refused(HTTPStatus.BAD_REQUEST, {"detail": f"{SESSION_HEADER} names the session to end"})
    if (unknown := _unknown_version(request)) is not None:
        raise Refused(HTTPStatus.BAD_REQUEST, {"detail": str(unknown)})
    request.app[MCP_SESSIONS].close(request.headers[SESSION_HEADER], request.app[SERVICE])
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def _in_protocol(request: web.Request, document: Any, service: Service) -> web.Response:
    """Answer a message of a session of the Model Context Protocol."""
    sessions = request.app[MCP_SESSIONS]
    try:
        session = sessions.get(request.headers[SESSION_HEADER], service)
    except SessionNotFound as error:
        gone = RpcError(INVALID_REQUEST, str(error))
        return json_reply(error_message(id_of(document), gone), status=HTTPStatus.NOT_FOUND)
    if isinstance(document, list) and document:
        return await _batch(request, document, service, session)
    if is_notification(document):
        return web.Response(status=HTTPStatus.ACCEPTED)
    return json_reply(await answer(document, service, protocol=session, request=request))


async def _batch(
    request: web.Request, documents: list[Any], service: Service, session: McpSession
) -> web.Response:
    """Answer several messages, as revision 2025-03-26 has them, each counted for the rate limits."""
    if len(documents) > BATCH_MESSAGES:
        told = f"a batch holds {BATCH_MESSAGES} messages at most, this one {len(documents)}"
        return json_reply(error_message(None, RpcError(INVALID_REQUEST, told)))
    pace = request.app[LIMITS].pacer(request)
    answers = []
    for number, document in enumerate(documents):
        if pace is not None and number:  # the request itself was counted when it came
            await pace()
        if not is_notification(document):
            answers.append(await answer(document, service, protocol=session, request=request))
    return json_reply(answers) if answers else web.Response(status=HTTPStatus.ACCEPTED)


async def answer(
    document: Any,
    service: Service,
    *,
    own: Session | None = None,
    protocol: McpSession | None = None,
    request: web.Request | None = None,
) -> dict[str, Any]:
    """Return the response to one request.

    ``own`` is the session of the socket it came over, ``protocol`` that of its ``Mcp-Session-Id``.
    """
    try:
        message = parse(document)
    except RpcError as error:
        return error_message(None, error)
    params = message.params or {}
    try:
        if message.method == "tools/call" and protocol is not None and request is not None:
            seats = request.app[MCP_SESSIONS].seated(protocol, service)
            result = await call_in_protocol(params, service, seats)
        else:
            result = await _dispatch(message.method, params, service, own)
    except RpcError as error:
        return error_message(message.id, error)
    return result_message(message.id, result)


async def _dispatch(
    method: str, params: dict[str, Any], service: Service, own: Session | None
) -> dict[str, Any]:
    match method:
        case "openenv/session/create":
            return {"session_id": own.id if own is not None else await _create(service)}
        case "openenv/session/close":
            return _close(params, service, own)
        case "tools/list":
            named_session(params, service)
            return {"tools": listed()}
        case "tools/call":
            return await call_for_openenv(params, service, own)
        case "initialize":
            return {
                "protocolVersion": negotiate(params.get("protocolVersion")),
                "capabilities": {"tools": {"listChanged": False}},
                "serverInfo": SERVER_INFO,
                "instructions": INSTRUCTIONS,
            }
        case "ping":
            return {}
    raise RpcError(METHOD_NOT_FOUND, f"Method not found: {method[:80]}")


async def _create(service: Service) -> str:
    try:
        return (await service.open(Origin.CREATED)).id
    except ServerError as error:
        report(error, where="/mcp")
        raise refusal(error) from None


def _close(params: dict[str, Any], service: Service, own: Session | None) -> dict[str, Any]:
    session = named_session(params, service)
    if session is None:
        raise RpcError(INVALID_PARAMS, "Missing 'session_id' in params")
    if session is own:
        raise RpcError(INVALID_REQUEST, "this session belongs to its WebSocket: close the socket")
    if session.connection is not None:
        session.is_closing = True
        return {"session_id": session.id, "closed": False, "closing": True}
    service.close(session)
    return {"session_id": session.id, "closed": True}


def check_origin(request: web.Request) -> None:
    """Refuse what pages of other hosts send: a browser must not be a way into a server behind it.

    On loopback the name that is asked for must be one of loopback's: a page of another site whose name was
    pointed here after it was loaded (DNS rebinding) is of the same host as what it asks.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return
    own = {request.host, request.headers.get("X-Forwarded-Host", request.host)}
    try:
        host, asked = urlsplit(origin).netloc, urlsplit(f"//{request.host}").hostname
    except ValueError:
        host, asked = "", None
    config = request.app[CONFIG]
    is_private = config.host in LOOPBACK and not config.trust_forwarded  # no proxy hands on other names
    if host not in own or (is_private and asked not in LOOPBACK):
        raise Refused(HTTPStatus.FORBIDDEN, {"detail": "requests of other sites' pages are refused"})


def _unknown_version(request: web.Request) -> RpcError | None:
    """Return what refuses a message of a revision that is not spoken here."""
    version = request.headers.get(mcp_stateless.VERSION_HEADER)
    if version is None or version in VERSIONS:
        return None
    data = {"supported": list(VERSIONS), "requested": version}
    return RpcError(
        INVALID_REQUEST, f"{mcp_stateless.VERSION_HEADER} {str(version)[:40]} is not spoken here", data
    )
