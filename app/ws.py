"""/ws: one socket, one session, one reply per frame, in order; ``?session_id=`` goes on with a session.

A socket that ends without a ``close`` frame leaves its session detached: its place is free at once, and
whoever knows the id can go on with it for a while. ``state`` then says what was the last reply.

One task takes a frame, answers it and takes the next. When a call lasts, or the environment of a new session
is waited for, a second one begins to listen, so that pings are answered and a peer that leaves is noticed
meanwhile (``app.watch`` sees to it). ``dismiss``
(idle, shutdown) lets the running frame finish and closes with a reason instead of a frame, which would
shift every later reply.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from app import logs, mcp
from app.encoding import NotJson, dumps
from app.errors import AlreadyAttached, ServerError, error_frame, frame, report
from app.frames import BadFrame, Close, Frame, Mcp, Reset, State, ToolFrame, parse
from app.hosting import Reply
from app.keys import CONFIG, SERVICE
from app.limits import LIMITS
from app.mcp_calls import answer_tool_frame
from app.service import Service
from app.sessions import Origin, Session
from app.sieve import TooLong, read
from app.sockets import HEARTBEAT_SECONDS, SEND_SECONDS, new_socket, send, text_frame
from app.watch import LOOK_SECONDS, WATCH
from app.wire import state_payload

log = logging.getLogger(__name__)

QUEUE_FRAMES = 32
"""Frames taken while a call lasts; more wait in the socket."""
MESSAGES_IN_A_ROW = 64
"""That one socket may have answered before others have their turn, if none of them takes time."""
_TEXT = WSMsgType.TEXT

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
        session, is_new = _seat(request, service)
    except ServerError as error:
        report(error, where="/ws")
        service.metrics.refused(error.code)
        await send(socket, frame(error))
        await socket.close()
        return socket
    connection = Connection(request, socket, session, is_new=is_new)
    try:
        await connection.serve()
    finally:
        if session.connection is connection:
            _leave(session, service, is_over=connection.is_over)
    return socket


def _seat(request: web.Request, service: Service) -> tuple[Session, bool]:
    """Return the session to drive and whether it is new (it has no environment yet), or that of the id."""
    session_id = request.query.get("session_id")
    if not session_id:
        return service.take_place(Origin.SOCKET), True
    session = service.find(session_id)
    if session.connection is not None:
        raise AlreadyAttached(session.id)
    return session, False


def _leave(session: Session, service: Service, *, is_over: bool) -> None:
    """Let go of the session: made by REST or ``openenv/session/create``, it keeps its place."""
    session.connection = None
    if session.is_closing or (is_over and session.origin is Origin.SOCKET):
        service.close(session)
    elif session.origin is Origin.SOCKET:
        service.detach(session)


class Connection:
    """One socket at work."""

    __slots__ = (
        "_drain_seconds", "_frames", "_goodbye", "_heard", "_is_ending", "_is_new", "_is_sending",
        "_is_serving", "_listener", "_loop", "_messages", "_pace", "_ping", "_pinged", "_rest", "_service",
        "_session", "_since", "_socket", "_task", "_transport", "_watch", "is_over",
    )  # fmt: skip

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, session: Session, *, is_new: bool
    ) -> None:
        app = request.app
        self._socket = socket
        self._transport = request.transport
        self._service = app[SERVICE]
        self._session = session
        self._is_new = is_new
        """The session has no environment yet."""
        self._watch = app[WATCH]
        self._pace = app[LIMITS].pacer(request)
        """Waits until one more frame may be answered; None: at once."""
        self._drain_seconds = app[CONFIG].drain_seconds
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[Any] | None = None
        self._since = 0.0
        """When the frame at work was taken, its reply sent, or an environment asked for; 0: there is none."""
        self._is_sending = False
        self._heard = self._loop.time()
        self._pinged = 0.0
        """When a sign of life was asked for; 0: it was not."""
        self._ping: asyncio.Task[None] | None = None
        self._messages = 0
        """Taken so far."""
        self._listener: asyncio.Task[None] | None = None
        self._frames: asyncio.Queue[WSMessage] | None = None
        """What the listener took; None: frames are taken from the socket."""
        self._goodbye: asyncio.Task[None] | None = None
        self._rest: asyncio.Future[None] | None = None
        """Waited for by a goodbye, set when the running frame has been answered."""
        self._is_serving = False
        self._is_ending = False
        """The peer has left, or is about to be told to: no further frame is begun."""
        self.is_over = False
        """Set by a ``close`` frame: nobody will come back."""

    def dismiss(self, code: int, reason: str) -> None:
        """Finish the running frame, then close with this code and reason."""
        if self._goodbye is None:
            self._goodbye = self._loop.create_task(self._say_goodbye(code, reason), name="goodbye")

    def look(self, now: float) -> None:
        """Listen to the peer while a call lasts; give up a peer that takes no reply."""
        seconds = now - self._since
        if self._is_sending and seconds > SEND_SECONDS and self._transport is not None:
            log.warning("session %s: the peer takes no more data", self._session.id)
            self._transport.abort()
        elif self._frames is None and seconds > LOOK_SECONDS:
            self._frames = asyncio.Queue(QUEUE_FRAMES)
            self._listener = self._loop.create_task(self._listen(self._frames), name="listener")

    def beat(self, now: float) -> None:
        """Ping a peer that was silent for long; close where nothing came back."""
        if not self._pinged:
            if now - self._heard >= HEARTBEAT_SECONDS:
                self._pinged = now
                self._ping = self._loop.create_task(self._send_ping(), name="ping")
        elif self._heard > self._pinged:
            self._pinged = 0.0
        elif now - self._pinged >= HEARTBEAT_SECONDS:
            self.dismiss(1011, "keepalive ping timeout")

    async def _send_ping(self) -> None:
        with suppress(ConnectionError):
            await self._socket.ping()

    async def serve(self) -> None:
        """Serve until the peer leaves, says close, or is dismissed."""
        self._task = asyncio.current_task()
        assert self._task is not None
        self._is_serving = True
        self._session.connection = self
        logs.session_id.set(self._session.id)
        self._watch.all.add(self)
        try:
            await self._work()
        except asyncio.CancelledError:
            if not self._is_ending:
                raise
            self._task.uncancel()  # it was the end of this connection, not of the server
            self.is_over = self._has_said_close()
        finally:
            self._is_serving = False
            self._watch.all.discard(self)
            self._watch.busy.discard(self)
            await self._tidy()
            self._leave_no_rest()
        if self.is_over:
            await self._close()

    def _has_said_close(self) -> bool:
        """Say whether a ``close`` frame is among those that were taken and not begun."""
        while self._frames is not None and not self._frames.empty():
            message = self._frames.get_nowait()
            with suppress(NotJson, BadFrame):
                if message.type is _TEXT and isinstance(parse(read(message.data)), Close):
                    return True
        return False

    async def _tidy(self) -> None:
        """Let the goodbye finish, and the other tasks end."""
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)
        if self._goodbye is not None:
            await asyncio.wait((self._goodbye,))
        tasks = [task for task in (self._listener, self._ping) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _work(self) -> None:
        """Take a frame, answer it, take the next."""
        if self._is_new and not await self._furnish():
            return
        time, socket, busy = self._loop.time, self._socket, self._watch.busy
        while True:
            message = await (socket.receive() if self._frames is None else self._frames.get())
            await self._give_way()
            self._heard = time()
            kind = message.type
            if kind is not _TEXT and kind is not WSMsgType.BINARY:
                if await self._is_control(message):
                    continue
                return
            if self._is_ending:
                return
            self._since = self._heard
            busy.add(self)
            if self._pace is not None:
                await self._pace()
            reply = await self.answer(message)
            if reply is None:
                self.is_over = True
                return
            if not self._has_sent(reply):
                self._since, self._is_sending = time(), True
                try:
                    await socket.send_frame(reply, _TEXT)
                except ConnectionError:
                    return
            self._since, self._is_sending = 0.0, False
            busy.discard(self)
            del message, reply  # the next frame may be long in coming
            if self._goodbye is not None:
                return

    def _has_sent(self, reply: bytes) -> bool:
        """Send a reply at once if nothing is in its way: aiohttp's own way takes three times as long."""
        transport = self._transport
        if (
            transport is None
            or transport.is_closing()
            or self._socket.closed
            or transport.get_write_buffer_size()
        ):
            return False
        transport.write(text_frame(reply))
        return True

    async def _furnish(self) -> bool:
        """Wait for the environment of a new session as for a call; say whether frames may be answered."""
        self._since = self._loop.time()
        self._watch.busy.add(self)
        try:
            await self._service.furnish(self._session)
        except ServerError as error:
            report(error, where="/ws")
            self._service.metrics.refused(error.code)
            with suppress(ConnectionError):
                await send(self._socket, self.refused(error))
            self.is_over = True
            return False
        self._since = 0.0
        self._watch.busy.discard(self)
        return self._goodbye is None

    async def _give_way(self) -> None:
        """Let others have their turn, now and then: to take what has come does not wait for anything."""
        self._messages += 1
        if self._messages % MESSAGES_IN_A_ROW == 0:
            await asyncio.sleep(0)

    async def _is_control(self, message: WSMessage) -> bool:
        """Answer a ping, pong or close; say whether the connection goes on."""
        if message.type is WSMsgType.PING:
            with suppress(ConnectionError):
                await self._socket.pong(message.data)
            return True
        if message.type is WSMsgType.CLOSE:
            await self._close(_echo(message.data), message.extra or "")
        return message.type is WSMsgType.PONG

    async def _listen(self, frames: asyncio.Queue[WSMessage]) -> None:
        while True:
            message = await self._socket.receive()
            await self._give_way()
            self._heard = self._loop.time()
            if message.type is _TEXT or message.type is WSMsgType.BINARY:
                await frames.put(message)
            elif message.type is WSMsgType.CLOSE or not await self._is_control(message):
                break
        self._end()
        await self._is_control(message)

    def _end(self) -> None:
        """Begin no further frame, and give up a call that runs."""
        if not self._is_ending and self._is_serving and self._task is not None:
            self._task.cancel()
        self._is_ending = True

    async def _say_goodbye(self, code: int, reason: str) -> None:
        if self._since:
            self._rest = self._loop.create_future()
            try:
                async with asyncio.timeout(self._drain_seconds):
                    await self._rest
            except TimeoutError:
                log.warning("session %s is closed under a running call", self._session.id)
        if self._since or self._frames is not None:
            self._end()
        self._is_ending = True
        await self._close(code, reason)

    async def _close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        self._leave_no_rest()
        await self._socket.close(code=code, message=reason.encode())

    def _leave_no_rest(self) -> None:
        """Cut off a peer that takes no more data: the end of its connection would wait for it for ever."""
        if self._transport is not None and self._transport.get_write_buffer_size():
            self._loop.call_later(SEND_SECONDS, self._transport.abort)

    def refused(self, error: ServerError) -> dict[str, Any]:
        """Return what tells the peer that there is no environment for it."""
        return frame(error)

    async def answer(self, message: WSMessage) -> bytes | None:
        """Return the reply to one frame, None for ``close``."""
        if message.type is not _TEXT:
            return dumps(error_frame("binary frame: send JSON in text frames", "INVALID_JSON"))
        try:
            said = parse(read(message.data))
            if isinstance(said, dict):
                return _observation(await self._service.step_reply(self._session, said))
            return await self._carry_out(said)
        except TooLong as why:
            entry = {"type": "too_long", "loc": [], "msg": str(why)}
            refused = error_frame(str(why), "VALIDATION_ERROR", errors=[entry])
        except NotJson as why:
            refused = error_frame(f"Invalid JSON: {why}", "INVALID_JSON")
        except BadFrame as why:
            refused = why.frame
        except Exception as error:  # noqa: BLE001 - one frame must not end the session, whatever went wrong
            report(error, where="/ws", session_id=self._session.id)
            refused = frame(error)
        data = refused["data"]
        self._service.metrics.refused(data.get("cause", data["code"]))
        return dumps(refused)

    async def _carry_out(self, message: Frame) -> bytes | None:
        match message:
            case Reset():
                arguments = message.data.as_mapping()
                return _observation(await self._service.reset_reply(self._session, arguments))
            case ToolFrame():
                reply = await answer_tool_frame(message.data, self._service, self._session)
                return dumps({"type": "observation", "data": reply})
            case State():
                state = state_payload(await self._service.state(self._session))
                return dumps({"type": "state", "data": state})
            case Mcp():
                reply = await mcp.answer(message.data, self._service, own=self._session)
                return dumps({"type": "mcp", "data": reply})
        return None  # close


def _observation(reply: Reply) -> bytes:
    return b'{"type":"observation","data":' + reply.body + b"}"


def _echo(code: int | None) -> int:
    """Return the close code to answer a peer's with; 1006 may never be sent, but aiohttp lets it through."""
    return WSCloseCode.PROTOCOL_ERROR if code == WSCloseCode.ABNORMAL_CLOSURE else code or WSCloseCode.OK
