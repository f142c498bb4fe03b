"""WebSockets with the limits of the contract."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from aiohttp import WSMsgType, web

from app.encoding import dumps
from app.sieve import MAX_MESSAGE, SievedSocket

HEARTBEAT_SECONDS = 20.0
SEND_SECONDS = 60.0
"""A peer that takes nothing for so long is gone."""
CLOSE_SECONDS = 1.0
"""How long the peer's half of the closing handshake is waited for."""
_TEXT = 0x80 | WSMsgType.TEXT
_SHORT, _LONG, _HUGE = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")


def new_socket() -> web.WebSocketResponse:
    """Return a socket that leaves closing to its owner. Compression is declined: messages are small.

    Pings, pongs and the heartbeat are its owner's too: aiohttp's costs a timer a message.
    """
    return SievedSocket(
        max_msg_size=MAX_MESSAGE,
        autoping=False,
        autoclose=False,
        compress=False,
        timeout=CLOSE_SECONDS,
    )


def text_frame(message: bytes) -> bytes:
    """Return the frame of a text message, unmasked as a server's are (RFC 6455, 5.2)."""
    size = len(message)
    if size < 126:
        return _SHORT.pack(_TEXT, size) + message
    if size < 1 << 16:
        return _LONG.pack(_TEXT, 126, size) + message
    return _HUGE.pack(_TEXT, 127, size) + message


async def send(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
    """Send one text frame; raise ``ConnectionError`` if the peer is gone or takes nothing."""
    await send_bytes(socket, dumps(message))


async def send_bytes(socket: web.WebSocketResponse, message: bytes) -> None:
    """Send one text frame that is JSON already."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await socket.send_frame(message, WSMsgType.TEXT)
    except TimeoutError:
        raise ConnectionResetError("the peer takes no more data") from None
