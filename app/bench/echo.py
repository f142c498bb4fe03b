"""The least an aiohttp server can do: send every text frame back. ``python -m app.bench.echo --port N``."""

from __future__ import annotations

import sys

from aiohttp import WSMsgType, web


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Send every frame back."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


async def health(_request: web.Request) -> web.Response:
    """Say that it runs."""
    return web.Response()


if __name__ == "__main__":
    import uvloop

    app = web.Application()
    app.add_routes([web.get("/ws", echo), web.get("/health", health)])
    web.run_app(
        app, host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), print=None,
        access_log=None, loop=uvloop.new_event_loop(),
    )  # fmt: skip
