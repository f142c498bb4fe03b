"""Looks after sockets, so that no message needs a timer or a task of its own.

Ten times a second it looks at those that are at work on a frame, which is mostly over before; once a
second at all of them, for the heartbeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

LOOK_SECONDS = 0.1
LOOKS_PER_BEAT = 10


class Watched(Protocol):
    """A socket. Times are readings of the loop's clock."""

    def look(self, now: float) -> None:
        """Do what is due for work that still lasts."""

    def beat(self, now: float) -> None:
        """Ask a silent peer for a sign of life; give up one that gave none."""


class Watch:
    """The sockets of one server."""

    def __init__(self) -> None:
        self.all: set[Watched] = set()
        self.busy: set[Watched] = set()
        """Those at work on a frame."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look while the block lasts."""
        task = asyncio.create_task(self._look(), name="watch")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        looks = 0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            looks, now = looks + 1, loop.time()
            for watched in tuple(self.busy):
                watched.look(now)
            if looks % LOOKS_PER_BEAT == 0:
                for watched in tuple(self.all):
                    watched.beat(now)


WATCH = web.AppKey("watch", Watch)
