"""A TCP proxy that cuts the connection where a test wants it cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Cable:
    """What lies between a client and its server."""

    def __init__(self) -> None:
        self.cut_next: str | None = None
        """``request``: the next bytes of the client are lost; ``reply``: the next of the server are."""
        self.hold_reply = asyncio.Event()
        """Replies pass while this is set."""
        self.hold_reply.set()
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._running: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Cut every connection now."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._writers += [writer, far_writer]
        up = asyncio.create_task(self._pump(reader, far_writer, "request"))
        down = asyncio.create_task(self._pump(far_reader, writer, "reply"))
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        for end in (writer, far_writer):
            end.transport.abort()
            with suppress(OSError):
                await end.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if kind == "reply":
                    await self.hold_reply.wait()
                if self.cut_next == kind:
                    self.cut_next = None
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[tuple[Cable, str]]:
    """Yield a cable and the address of its near end."""
    cable = Cable()
    parts = urlsplit(url)
    cable._host, cable._port = parts.hostname, parts.port
    async with await asyncio.start_server(cable._accept, "127.0.0.1", 0) as server:
        yield cable, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        cable.cut()
        await asyncio.gather(*cable._running, return_exceptions=True)
