"""The edge of every HTTP request: its id, the rate limits, errors to JSON."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from app import logs
from app.errors import (
    INTERNAL,
    CapacityReached,
    JournalFailed,
    Overloaded,
    RateLimited,
    http_body,
    report,
    status_of,
)
from app.keys import SERVICE
from app.limits import FREE, LIMITS
from app.replies import Refused, json_reply
from molforge.errors import MolforgeError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RETRY_SECONDS = "5"
REQUEST_ID = "X-Request-ID"


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, the caller's own if it sent one; log lines and the reply carry it."""
    request_id = logs.new_request_id(request.headers.get(REQUEST_ID))
    logs.request_id.set(request_id)
    logs.session_id.set("")
    try:
        reply = await handler(request)
    except web.HTTPException as error:  # a redirection
        error.headers[REQUEST_ID] = request_id
        raise
    if not reply.prepared:
        reply.headers[REQUEST_ID] = request_id
    return reply


@web.middleware
async def limit_rates(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what comes too fast."""
    if request.path not in FREE:
        limits = request.app[LIMITS]
        if seconds := limits.wait(limits.address_of(request)):
            raise RateLimited(seconds)
    return await handler(request)


@web.middleware
async def translate_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as JSON with ``detail``, without tracebacks."""
    metrics = request.app[SERVICE].metrics
    try:
        return await handler(request)
    except Refused as refused:
        metrics.refused("VALIDATION_ERROR")
        return json_reply(refused.body, status=refused.status)
    except web.HTTPException as error:
        return await _translate_http(request, error)
    except MolforgeError as error:
        report(error, where=request.path)
        metrics.refused(error.code)
        return json_reply(http_body(error), status=status_of(error), headers=_retry(error))
    except web.RequestPayloadError:
        return json_reply({"detail": "the body is not what its headers say"}, status=400)
    except ConnectionError:
        return web.Response(status=400)  # the peer is gone: nobody reads this
    except Exception as error:  # noqa: BLE001 - the last line before the wire: whatever it is, it becomes a 500
        report(error, where=request.path)
        metrics.refused(INTERNAL)
        return json_reply(http_body(error), status=500)


def _retry(error: MolforgeError) -> dict[str, str] | None:
    """Return the header that says when to come again."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(math.ceil(error.seconds))}
    again = isinstance(error, CapacityReached | JournalFailed | Overloaded)
    return {"Retry-After": RETRY_SECONDS} if again else None


async def _translate_http(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    if isinstance(error, web.HTTPNotFound) and (location := await _without_slash(request)):
        raise web.HTTPTemporaryRedirect(location) from None
    headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return json_reply({"detail": error.reason}, status=error.status, headers=headers)


async def _without_slash(request: web.Request) -> str | None:
    """Return the path without its trailing slash if that is a path of ours, else None."""
    path = request.rel_url.path
    if not path.endswith("/") or path.startswith("//") or len(path) < 2:
        return None
    target = request.rel_url.with_path(path.rstrip("/"), keep_query=True)
    bare = request.clone(rel_url=target)
    match = await request.app.router.resolve(bare)
    return None if isinstance(match.http_exception, web.HTTPNotFound) else str(target)
