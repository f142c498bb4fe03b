"""The server's hold on its warm parent (``app.parent``): started, asked for workers, ended."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

END_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a parent loads and what its workers serve."""

    factory: str
    """``module:name`` of a function from the secret to a factory of environments."""
    warm_ups: str | None = None
    """``module:name`` of a function from the factory to an iterator that loads a piece at a time."""
    secret: bytes | None = field(default=None, repr=False)
    memory_mb: int = 1024
    """MiB that a worker may take beyond what it shares with the parent."""
    log_level: str = "INFO"
    log_format: str = "text"

    def as_line(self) -> bytes:
        """Return the order as it is sent."""
        secret = None if self.secret is None else self.secret.hex()
        fields = {slot: getattr(self, slot) for slot in Order.__slots__}
        return json.dumps({**fields, "secret": secret}).encode() + b"\n"


class WarmParent:
    """One run of the parent process."""

    def __init__(
        self, *, told: Callable[[dict[str, Any], int | None], None], gone: Callable[[], None]
    ) -> None:
        self._told = told
        self._gone = gone
        self._control: socket.socket | None = None
        self._process: Process | None = None
        self._rest = b""
        self._descriptors: list[int] = []

    async def start(self, order: Order) -> None:
        """Start the process and give it its order."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        path = os.pathsep.join(entry or str(Path()) for entry in sys.path)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app.parent", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": path},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._control = ours
        ours.send(order.as_line())
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read)

    def fork(self, name: str) -> None:
        """Ask for a worker."""
        self._send({"fork": name})

    def kill(self, pid: int) -> None:
        """Ask for the end of a worker; only its parent knows for certain whom a process id means."""
        self._send({"kill": pid})

    async def close(self) -> None:
        """Let the parent end, and its workers with it."""
        self._let_go()
        if self._process is not None:
            try:
                async with asyncio.timeout(END_SECONDS):
                    await self._process.wait()
            except TimeoutError:  # it is loading something
                self._process.kill()
                await self._process.wait()

    def _send(self, message: dict[str, Any]) -> None:
        if self._control is not None:
            with suppress(OSError):  # it is gone: we are about to hear of it
                self._control.send(json.dumps(message).encode() + b"\n")

    def _read(self) -> None:
        control = self._control
        if control is None:
            return
        try:
            data, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 64)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors += descriptors
        if not data:
            self._let_go()
            self._gone()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self._told(message, self._descriptors.pop(0) if "forked" in message else None)

    def _let_go(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        while self._descriptors:
            os.close(self._descriptors.pop())
