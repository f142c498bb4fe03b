"""/web/reset, /web/step, /web/state: the game under the names that OpenEnv's own web interface has.

A visitor who names a session (header, query, cookie) plays in it, alone. ``/web/reset`` gives everybody
else one. Callers that name none all the same, as scripts for the stock server do, share one scratch
programme and nothing else: the stock server has a single one for all its visitors.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from app import rest
from app.bodies import WebStep
from app.errors import SessionNotFound
from app.hosting import payload
from app.keys import SERVICE
from app.replies import json_reply, read_model
from app.service import Service
from app.sessions import Origin, Session
from app.wire import ActionMessage, ResetArguments, state_payload

NOTE = "no session was named: this is the scratch programme that such callers share"


@dataclass(slots=True)
class Scratch:
    """The programme of those who name no session."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """Of the last reset."""
    session: Session | None = None
    """Opened by the first step after it."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever opens it or gives it up."""


SCRATCH = web.AppKey("scratch", Scratch)


async def reset(request: web.Request) -> web.StreamResponse:
    """Open a programme in the visitor's session; who has none gets one."""
    arguments = await read_model(request, ResetArguments, is_optional=True)
    reply = await rest.reset(request)
    if not rest.is_named(request):
        scratch = request.app[SCRATCH]
        async with scratch.turn:
            if scratch.session is not None:
                request.app[SERVICE].close(scratch.session)
            scratch.arguments, scratch.session = arguments.as_mapping(), None
    return reply


async def step(request: web.Request) -> web.StreamResponse:
    """Carry out one action: a message is the text of one."""
    service = request.app[SERVICE]
    body = await read_model(request, WebStep)
    action = (body.action or ActionMessage(command=body.message or "")).to_action()
    if rest.is_named(request):
        return await rest.play(service, rest.session_of(request, service), action)
    scratch = request.app[SCRATCH]
    async with scratch.turn:
        session = await _scratch_session(scratch, service)
    taken = await service.step(session, action)
    return json_reply(payload(taken, note=NOTE))


async def state(request: web.Request) -> web.StreamResponse:
    """Return the notebook."""
    service = request.app[SERVICE]
    session = None if rest.is_named(request) else _living(request.app[SCRATCH], service)
    if session is None:
        return await rest.state(request)
    return json_reply({**state_payload(await service.state(session)), "metadata": {"note": NOTE}})


async def _scratch_session(scratch: Scratch, service: Service) -> Session:
    """Return the session of the scratch programme, made anew where it is gone."""
    session = _living(scratch, service)
    if session is None:
        session = await service.open(Origin.REST)
        try:
            await service.reset(session, scratch.arguments)
        except BaseException:
            service.close(session)
            raise
        scratch.session = session
    return session


def _living(scratch: Scratch, service: Service) -> Session | None:
    """Return the session of the scratch programme, at a new place if it was detached; None: it is gone."""
    if scratch.session is not None:
        try:
            scratch.session = service.find(scratch.session.id)
        except SessionNotFound:
            scratch.session = None
    return scratch.session
