"""/ws: one socket, one session, one reply per frame, in order; ``?session_id=`` goes on with a session.

A socket that ends without a ``close`` frame leaves its session detached: its place is free at once, and
whoever knows the id can go on with it for a while. ``state`` then says what was the last reply.

A reader task takes frames into a bounded queue, so that pings are answered and a peer that leaves is
noticed while a step runs; a worker answers them one by one; ``dismiss`` (idle, shutdown) lets the
running frame finish and closes with a reason instead of a frame, which would shift every later reply.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from app import mcp
from app.encoding import NotJson, dumps, loads
from app.errors import AlreadyAttached, ServerError, error_frame, frame, report
from app.frames import BadFrame, Close, Frame, Mcp, Reset, State, StepFrame, ToolFrame, parse
from app.hosting import Reply
from app.keys import CONFIG, SERVICE
from app.mcp_calls import answer_tool_frame
from app.service import Service
from app.sessions import Origin, Session
from app.sockets import new_socket, send, send_bytes
from app.wire import state_payload

log = logging.getLogger(__name__)

QUEUE_FRAMES = 32
_IGNORED = {"metadata"}

routes = web.RouteTableDef()


@routes.route("*", "/ws")
async def websocket(request: web.Request) -> web.StreamResponse:
    """Serve one socket; a plain request finds nothing here."""
    socket = new_socket()
    if not socket.can_prepare(request):
        raise web.HTTPNotFound
    await socket.prepare(request)
    service = request.app[SERVICE]
    try:
        session = await _seat(request, service)
    except ServerError as error:
        report(error, where="/ws")
        await send(socket, frame(error))
        await socket.close()
        return socket
    connection = _Connection(socket, service, session, drain_seconds=request.app[CONFIG].drain_seconds)
    session.connection = connection
    try:
        await connection.serve()
    finally:
        if session.connection is connection:
            _leave(session, service, is_over=connection.is_over)
    return socket


async def _seat(request: web.Request, service: Service) -> Session:
    """Return the session to drive: a new one, or that of the id."""
    session_id = request.query.get("session_id")
    if not session_id:
        return await service.open(Origin.SOCKET)
    session = service.sessions.get(session_id)
    if session.connection is not None:
        raise AlreadyAttached(session.id)
    return session


def _leave(session: Session, service: Service, *, is_over: bool) -> None:
    """Let go of the session: made by REST or ``openenv/session/create``, it keeps its place."""
    session.connection = None
    if session.is_closing or (is_over and session.origin is Origin.SOCKET):
        service.close(session)
    elif session.origin is Origin.SOCKET:
        service.detach(session)


class _Connection:
    """One socket at work."""

    def __init__(
        self, socket: web.WebSocketResponse, service: Service, session: Session, *, drain_seconds: float
    ) -> None:
        self._socket = socket
        self._service = service
        self._session = session
        self._drain_seconds = drain_seconds
        self._frames: asyncio.Queue[WSMessage] = asyncio.Queue(QUEUE_FRAMES)
        self._turn = asyncio.Lock()
        self._dismissal: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.is_over = False
        """Set by a ``close`` frame: nobody will come back."""

    def dismiss(self, code: int, reason: str) -> None:
        """Finish the running frame, then close with this code and reason."""
        if not self._dismissal.done():
            self._dismissal.set_result((code, reason))

    async def serve(self) -> None:
        """Serve until the peer leaves, says close, or is dismissed."""
        reader = asyncio.create_task(self._read(), name=f"read {self._session.id}")
        worker = asyncio.create_task(self._work(), name=f"work {self._session.id}")
        try:
            await asyncio.wait((reader, worker, self._dismissal), return_when=asyncio.FIRST_COMPLETED)
            if self._dismissal.done() and not reader.done():
                await self._say_goodbye(*self._dismissal.result())
            elif worker.done():
                await self._socket.close()
        finally:
            reader.cancel()
            worker.cancel()
            await asyncio.gather(reader, worker, return_exceptions=True)

    async def _say_goodbye(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._turn.acquire()  # kept: no further frame is begun
        except TimeoutError:
            log.warning("session %s is closed under a running call", self._session.id)
        await self._socket.close(code=code, message=reason.encode())

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.CLOSE:
                await self._socket.close(code=_echo(message.data), message=(message.extra or "").encode())
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            await self._frames.put(message)

    async def _work(self) -> None:
        while True:
            message = await self._frames.get()
            async with self._turn:
                reply = await self._answer(message)
                if reply is None:
                    self.is_over = True
                    return
                try:
                    await send_bytes(self._socket, reply if isinstance(reply, bytes) else dumps(reply))
                except ConnectionError:
                    return

    async def _answer(self, message: WSMessage) -> bytes | dict[str, Any] | None:
        """Return the reply to one frame, None for ``close``."""
        if message.type is WSMsgType.BINARY:
            return error_frame("binary frame: send JSON in text frames", "INVALID_JSON")
        try:
            return await self._carry_out(parse(loads(message.data)))
        except NotJson as why:
            return error_frame(f"Invalid JSON: {why}", "INVALID_JSON")
        except BadFrame as why:
            return why.frame
        except Exception as error:  # noqa: BLE001 - one frame must not end the session, whatever went wrong
            report(error, where="/ws", session_id=self._session.id)
            return frame(error)

    async def _carry_out(self, message: Frame) -> bytes | dict[str, Any] | None:
        match message:
            case StepFrame():
                action = message.data.model_dump(exclude_defaults=True, exclude=_IGNORED)
                return _observation(await self._service.step_reply(self._session, action))
            case Reset():
                arguments = message.data.as_mapping()
                return _observation(await self._service.reset_reply(self._session, arguments))
            case ToolFrame():
                reply = await answer_tool_frame(message.data, self._service, self._session)
                return {"type": "observation", "data": reply}
            case State():
                return {"type": "state", "data": state_payload(await self._service.state(self._session))}
            case Mcp():
                reply = await mcp.answer(message.data, self._service, own=self._session)
                return {"type": "mcp", "data": reply}
            case Close():
                return None


def _observation(reply: Reply) -> bytes:
    return b'{"type":"observation","data":' + reply.body + b"}"


def _echo(code: int | None) -> int:
    """Return the close code to answer a peer's with; 1006 may never be sent, but aiohttp lets it through."""
    return WSCloseCode.PROTOCOL_ERROR if code == WSCloseCode.ABNORMAL_CLOSURE else code or WSCloseCode.OK
