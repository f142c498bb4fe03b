"""WebSocket /mcp: JSON-RPC messages in text frames, in a session of the socket's own that ends with it.

The socket is served as those of /ws are (``app.ws``): one message at a time, while the peer is listened to.
There is no event stream.
"""

from __future__ import annotations

from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from app.encoding import NotJson, dumps
from app.errors import INTERNAL_MESSAGE, CapacityReached, ServerError, report
from app.keys import SERVICE
from app.mcp import answer, check_origin
from app.mcp_calls import refusal
from app.rpc import INTERNAL_ERROR, PARSE_ERROR, SERVER_ERROR, RpcError, error_message
from app.sessions import Origin
from app.sieve import read
from app.sockets import new_socket, send
from app.ws import Connection

routes = web.RouteTableDef()


@routes.get("/mcp")
async def over_socket(request: web.Request) -> web.StreamResponse:
    """Serve one socket; a plain request finds nothing here."""
    socket = new_socket()
    if not socket.can_prepare(request):
        raise web.HTTPMethodNotAllowed("GET", ["DELETE", "POST"])
    check_origin(request)
    await socket.prepare(request)
    service = request.app[SERVICE]
    try:
        session = service.take_place(Origin.SOCKET)
    except CapacityReached as error:
        service.metrics.refused(error.code)
        await send(socket, error_message(None, refusal(error)))
        await socket.close()
        return socket
    try:
        await McpConnection(request, socket, session, is_new=True).serve()
    finally:
        service.close(session)
    return socket


class McpConnection(Connection):
    """One socket at work."""

    __slots__ = ()

    def refused(self, error: ServerError) -> dict[str, Any]:
        """Return what tells the peer that there is no environment for it."""
        return error_message(None, refusal(error))

    async def answer(self, message: WSMessage) -> bytes:
        """Return the response to one message."""
        if message.type is not WSMsgType.TEXT:
            return _error(SERVER_ERROR, "binary frame: send JSON in text frames")
        try:
            document = read(message.data)
        except NotJson as why:
            return _error(PARSE_ERROR, f"Parse error: {why}")
        self._service.sessions.touch(self._session)
        try:
            return dumps(await answer(document, self._service, own=self._session))
        except Exception as error:  # noqa: BLE001 - one message must not end the session, whatever went wrong
            report(error, where="/mcp", session_id=self._session.id)
            return _error(INTERNAL_ERROR, INTERNAL_MESSAGE)


def _error(code: int, text: str) -> bytes:
    return dumps(error_message(None, RpcError(code, text)))
