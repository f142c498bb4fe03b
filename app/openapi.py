"""/openapi.json (OpenAPI 3.1), made from the wire models and the table of endpoints."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.bodies import ErrorBody, RpcReply, ValidationBody
from app.endpoints import ENDPOINTS, Endpoint
from app.errors import INTERNAL, INTERNAL_MESSAGE
from app.limits import FREE
from app.replies import COMPRESSED
from app.wire import ActionMessage, Observation

VERSION = "1.0.0"
"""Version of the wire contract; validators want a 1."""
DESCRIPTION = """\
A medicinal-chemistry laboratory for language-model agents, as an OpenEnv environment.

`POST /reset` opens a session and names it in the `X-Session-ID` header, a cookie and the reply's `metadata`;
later requests name it by any of the three, by `?session_id=`, or in the body of `/step`. `/reset` with
`X-Session-ID: new` opens another session, whatever the cookie says. The same session
protocol goes over the WebSocket `/ws` (see `x-websockets`), one socket one session, one reply per frame.

`GET /grader` reports a finished episode only to who names its session."""
WEBSOCKETS = {
    "/ws": "Frames {type, data}; type is reset, step, state, mcp or close; one reply per frame, in order.",
    "/ws?session_id=ID": "The same, in a session that exists.",
    "/mcp": "JSON-RPC 2.0 messages in text frames, in a session of the socket's own.",
}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "X-Session-ID": {"in": "header", "description": "The session, as an earlier reply named it."},
    "session_id": {"in": "query", "description": "The same, as a query."},
    "molforge_session": {"in": "cookie", "description": "The same, as a cookie."},
    "Mcp-Session-Id": {"in": "header", "description": "The session, as the reply to initialize named it."},
    "MCP-Protocol-Version": {"in": "header", "description": "The revision of the protocol."},
    "Mcp-Method": {"in": "header", "description": "From revision 2026-07-28 on: the method of the body."},
    "Mcp-Name": {"in": "header", "description": "From revision 2026-07-28 on: the tool that is called."},
    "Origin": {"in": "header", "description": "Set by browsers; pages of other hosts are refused."},
}
_SESSION = ("X-Session-ID", "session_id", "molforge_session")
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {"description": "The request's own, or a new one.", "schema": {"type": "string"}},
    "X-Session-ID": {"description": "The session of this reply.", "schema": {"type": "string"}},
    "Set-Cookie": {"description": "The same, as `molforge_session`.", "schema": {"type": "string"}},
    "Mcp-Session-Id": {
        "description": "With the reply to initialize: the new session.",
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where to go.", "schema": {"type": "string"}},
    "Allow": {"description": "The methods that are possible here.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "string"}},
}
RPC_ERRORS = {
    400: "A revision that is not spoken here, or a request that does not fit its revision.",
    404: "There is no session of that Mcp-Session-Id, or no longer: initialize again. Or no such method.",
}
_ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The body or a header cannot be read.", {"detail": "There was an error parsing the body"}),
    403: ("A page of another host sent this.", {"detail": "requests of other sites' pages are refused"}),
    404: (
        "There is no session of that id, or no longer.",
        {"detail": "Unknown session_id: x; POST /reset opens a session", "code": "SESSION_NOT_FOUND"},
    ),
    405: ("Another method.", {"detail": "Method Not Allowed"}),
    409: (
        "Not now: NOT_RESET, EPISODE_RUNNING, EPISODE_OVER or, for another connection's call, SESSION_BUSY.",
        {"detail": "no programme is open in this session: send reset first", "code": "NOT_RESET"},
    ),
    413: ("The body is larger than 16 MiB.", {"detail": "Request Entity Too Large"}),
    415: ("The body is compressed.", COMPRESSED),
    422: (
        "The body does not fit; nothing happened.",
        {
            "detail": [
                {
                    "type": "greater_than_equal",
                    "loc": ["body", "seed"],
                    "msg": "Input should be greater than or equal to 0",
                    "input": -1,
                }
            ]
        },
    ),
    429: (
        "Too many requests of this address, or of all together; nothing happened.",
        {
            "detail": "too many calls a second; nothing happened: repeat it in 0.4 s",
            "code": "RATE_LIMITED",
        },
    ),
    500: (
        "Our fault; it has been logged.",
        {"detail": INTERNAL_MESSAGE, "code": INTERNAL},
    ),
    503: (
        "No free place (CAPACITY_REACHED), or no time (OVERLOADED): nothing happened.",
        {
            "detail": "Server at capacity: 8/8 sessions active. Cannot accept new connections.",
            "code": "CAPACITY_REACHED",
        },
    ),
    504: (
        "The call took too long and was given up; the session is as it was before.",
        {
            "detail": "the call took longer than 60 s and was given up; the session is as it was before",
            "code": "STEP_TIMEOUT",
        },
    ),
}


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MolForge",
            "version": VERSION,
            "summary": "A medicinal-chemistry laboratory for language-model agents.",
            "description": DESCRIPTION,
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in ENDPOINTS)],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "parameters": {
                name: {"name": name, "schema": {"type": "string"}, **about}
                for name, about in _PARAMETERS.items()
            },
            "headers": _HEADERS,
            "responses": {str(status): _error(status) for status in _ERRORS},
        },
        "x-websockets": WEBSOCKETS,
    }


def _schemas() -> dict[str, Any]:
    used = {model for endpoint in ENDPOINTS for model in (endpoint.body, endpoint.reply) if model is not None}
    used |= {ActionMessage, Observation, ErrorBody, ValidationBody}
    ordered = sorted(used, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    words = endpoint.path.strip("/").replace(".", "_").replace("/", "_") or "root"
    if endpoint.path == "/web/":
        words = "home"
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": f"{endpoint.method}_{words}",
        "tags": [endpoint.tag],
    }
    names = (*(_SESSION if endpoint.session else ()), *endpoint.parameters)
    if names:
        operation["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": _reference(endpoint.body)}
        if endpoint.requests:
            content["examples"] = {name: {"value": value} for name, value in endpoint.requests.items()}
        operation["requestBody"] = {
            "required": endpoint.is_body_required,
            "content": {"application/json": content},
        }
    operation["responses"] = _responses(endpoint)
    return operation


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {str(endpoint.success): _success(endpoint)}
    statuses = {405, *endpoint.errors, *(() if endpoint.path in FREE else (429,))}
    if endpoint.body is not None:
        statuses |= {413, 415} if endpoint.reply is RpcReply else {400, 413, 415, 422}
    if 202 in statuses:
        responses["202"] = {"description": "A notification: there is no answer."}
        statuses.remove(202)
    for status in sorted(statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if endpoint.reply is RpcReply:
        for status, why in RPC_ERRORS.items():
            responses[str(status)] = {**_success(endpoint), "description": why}
            responses[str(status)]["content"] = {"application/json": {"schema": _reference(RpcReply)}}
    if endpoint.path == "/ready":
        responses["503"] = {**_success(endpoint), "description": "Not yet."}
    return dict(sorted(responses.items()))


def _success(endpoint: Endpoint) -> dict[str, Any]:
    headers: tuple[str, ...] = ()
    if endpoint.session == "answered":
        headers = ("X-Session-ID", "Set-Cookie")
    if endpoint.path == "/mcp" and endpoint.method == "post":
        headers = ("Mcp-Session-Id",)
    if endpoint.success == HTTPStatus.TEMPORARY_REDIRECT:
        headers = ("Location",)
    response: dict[str, Any] = {
        "description": HTTPStatus(endpoint.success).phrase,
        "headers": _header_references(*headers),
    }
    if endpoint.success != HTTPStatus.OK:
        return response
    kind = "object" if endpoint.media == "application/json" else "string"
    content: dict[str, Any] = {
        "schema": {"type": kind} if endpoint.reply is None else _reference(endpoint.reply)
    }
    if endpoint.example is not None:
        content["example"] = endpoint.example
    response["content"] = {endpoint.media: content}
    return response


def _error(status: int) -> dict[str, Any]:
    description, example = _ERRORS[status]
    model: type[BaseModel] = ValidationBody if status == HTTPStatus.UNPROCESSABLE_ENTITY else ErrorBody
    response: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": _reference(model), "example": example}},
    }
    own = {405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    return {**response, "headers": _header_references(*own)}


def _header_references(*names: str) -> dict[str, Any]:
    """Return references to these headers and the one that every reply has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-ID")}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
