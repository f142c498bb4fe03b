"""POST /reset, POST /step, GET /state: sessions that are found again by their id.

The id comes back in the ``X-Session-ID`` header, a cookie and the reply's ``metadata``; later requests
name it by header, ``?session_id=``, body field (``/step``) or cookie. Without one they do what a stock
server does: ``/step`` plays on a new default programme, ``/state`` shows a fresh environment. ``/reset`` with
``X-Session-ID: new`` opens another session whatever the cookie says, as every tab of a browser needs one.
"""

from __future__ import annotations

from aiohttp import web

from app.errors import SessionNotFound
from app.hosting import payload
from app.keys import SERVICE
from app.replies import json_reply, read_model
from app.service import Service
from app.sessions import Origin, Session
from app.wire import ResetArguments, StepRequest, state_payload
from molforge.actions import Action
from molforge.contract import Step

HEADER = "X-Session-ID"
COOKIE = "molforge_session"
PARAMETER = "session_id"
NEW = "new"
SHORTEST_SECONDS = 0.5
"""Of a caller's own limit: a call that is given up costs the next one a play of the whole record."""
NEW_PROGRAMME = "no session id was given: this step was played on a new default programme"
FRESH_STATE = "no session id was given: this is the state of a fresh environment"

routes = web.RouteTableDef()


@routes.post("/reset")
async def reset(request: web.Request) -> web.Response:
    """Open a programme, in the session that is named or in a new one."""
    service = request.app[SERVICE]
    arguments = await read_model(request, ResetArguments, is_optional=True)
    is_new = request.headers.get(HEADER) == NEW
    session = None if is_new else _named(request, service) or _remembered(request, service)
    if session is not None:
        return _reply(session, await service.reset(session, arguments.as_mapping()))
    session = await service.open(Origin.REST)
    try:
        step = await service.reset(session, arguments.as_mapping())
    except BaseException:
        service.close(session)
        raise
    return _reply(session, step)


@routes.post("/step")
async def step(request: web.Request) -> web.Response:
    """Carry out one action in the session that is named, or in a new default programme."""
    service = request.app[SERVICE]
    message = await read_model(request, StepRequest)
    session = session_of(request, service, in_body=message.session_id)
    seconds = None if message.timeout_s is None else max(message.timeout_s, SHORTEST_SECONDS)
    return await play(service, session, message.action.to_action(), seconds=seconds)


async def play(
    service: Service, session: Session | None, action: Action, *, seconds: float | None = None
) -> web.Response:
    """Carry out an action in the session, or in a new one with a new default programme."""
    if session is not None:
        return _reply(session, await service.step(session, action, seconds=seconds))
    session = await service.open(Origin.REST)
    try:
        await service.reset(session, {})
        taken = await service.step(session, action, seconds=seconds)
    except BaseException:
        service.close(session)
        raise
    return _reply(session, taken, note=NEW_PROGRAMME)


@routes.get("/state")
async def state(request: web.Request) -> web.Response:
    """Return the state of the session that is named, or that of a fresh environment."""
    service = request.app[SERVICE]
    session = session_of(request, service)
    if session is None:
        return json_reply({**state_payload(await service.fresh_state()), "metadata": {"note": FRESH_STATE}})
    return json_reply(state_payload(await service.look(session)), headers={HEADER: session.id})


def is_named(request: web.Request) -> bool:
    """Say whether header, query or cookie name a session, living or not."""
    return bool(request.headers.get(HEADER) or request.query.get(PARAMETER) or request.cookies.get(COOKIE))


def session_of(request: web.Request, service: Service, *, in_body: str | None = None) -> Session | None:
    """Return the session that header, query, body or cookie names; raise ``SessionNotFound``."""
    session = _named(request, service, in_body=in_body)
    if session is None and COOKIE in request.cookies:
        session = service.find(request.cookies[COOKIE])
    return session


def _named(request: web.Request, service: Service, *, in_body: str | None = None) -> Session | None:
    """Return the session that header, query or body names; raise ``SessionNotFound``."""
    session_id = request.headers.get(HEADER) or request.query.get(PARAMETER) or in_body
    return service.find(session_id) if session_id else None


def _remembered(request: web.Request, service: Service) -> Session | None:
    """Return the session of the cookie; one that is gone is no reason to refuse a new start."""
    try:
        return service.find(request.cookies[COOKIE]) if COOKIE in request.cookies else None
    except SessionNotFound:
        return None


def _reply(session: Session, step: Step, *, note: str | None = None) -> web.Response:
    notes = {"note": note} if note else {}
    reply = json_reply(payload(step, session_id=session.id, **notes), headers={HEADER: session.id})
    reply.set_cookie(COOKIE, session.id, path="/", httponly=True, samesite="Lax")
    return reply
