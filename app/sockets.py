"""WebSockets with the limits of the contract."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from app.encoding import dumps
from app.sieve import MAX_MESSAGE, SievedSocket

HEARTBEAT_SECONDS = 20.0
SEND_SECONDS = 60.0
"""A peer that takes nothing for so long is gone."""
CLOSE_SECONDS = 1.0
"""How long the peer's half of the closing handshake is waited for."""


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
