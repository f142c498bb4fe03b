"""Errors to JSON, at the edge of every HTTP request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from app.errors import CapacityReached, JournalFailed, Overloaded, http_body, report, status_of
from app.replies import Refused, json_reply
from molforge.errors import MolforgeError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RETRY_SECONDS = "5"


@web.middleware
async def translate_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as JSON with ``detail``, without tracebacks."""
    try:
        return await handler(request)
    except Refused as refused:
        return json_reply(refused.body, status=refused.status)
    except web.HTTPException as error:
        return await _translate_http(request, error)
    except MolforgeError as error:
        report(error, where=request.path)
        retry = (
            {"Retry-After": RETRY_SECONDS}
            if isinstance(error, CapacityReached | JournalFailed | Overloaded)
            else None
        )
        return json_reply(http_body(error), status=status_of(error), headers=retry)
    except (ConnectionError, web.RequestPayloadError):
        return web.Response(status=400)  # the peer is gone: nobody reads this
    except Exception as error:  # noqa: BLE001 - the last line before the wire: whatever it is, it becomes a 500
        report(error, where=request.path)
        return json_reply(http_body(error), status=500)


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
