"""Connections that speak as little WebSocket as they have to, so that they can do it wrong."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct

RESET = b'{"type":"reset","data":{"seed":1}}'
_LINGER_NONE = struct.pack("ii", 1, 0)


class Raw:
    """A TCP connection that speaks as little WebSocket as it has to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def connect(self) -> None:
        """Open the connection, and nothing else."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def upgrade(self) -> None:
        """Become a WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await self.reader.readuntil(b"\r\n\r\n")

    def send(self, payload: bytes, *, opcode: int = 1) -> None:
        """Send a frame (masked with zeros)."""
        self.writer.write(frame(payload, opcode=opcode))

    async def receive(self) -> bytes:
        """Receive a frame."""
        header = await self.reader.readexactly(2)
        size = header[1] & 127
        if size == 126:
            size = int.from_bytes(await self.reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.reader.readexactly(8), "big")
        return await self.reader.readexactly(size)

    def abort(self) -> None:
        """Leave without a word (RST)."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.writer.transport.abort()


def frame(payload: bytes, *, opcode: int = 1) -> bytes:
    """Return a final client frame."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    elif size < 65536:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload
