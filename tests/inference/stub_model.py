"""An OpenAI-compatible endpoint on a real port that answers as a test tells it to."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Status:
    """Answer with an HTTP error."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Hang:
    """Answer after so many seconds."""

    seconds: float = 60.0
    texts: list[str] = field(default_factory=lambda: ["too late"])
    """What it says then, in turn."""
    count: int = 0


@dataclass
class Raw:
    """Answer 200 with this body."""

    body: Any


class StubModel:
    """Plays its script call by call; the last entry repeats. Text is an answer."""

    def __init__(self, script: Iterable[str | Status | Hang | Raw]) -> None:
        self._script = list(script)
        self._next = itertools.chain(self._script, itertools.repeat(self._script[-1]))
        self.requests: list[dict[str, Any]] = []
        self.hanging = asyncio.Event()
        """Set when a call waits for its answer."""

    @property
    def prompts(self) -> list[str]:
        """Return the last message of every request."""
        return [request["messages"][-1]["content"] for request in self.requests]

    async def answer(self, request: web.Request) -> web.Response:
        """Handle one call."""
        self.requests.append(await request.json())
        what = next(self._next)
        if isinstance(what, Hang):
            self.hanging.set()
            await asyncio.sleep(what.seconds)
            what.count += 1
            what = what.texts[(what.count - 1) % len(what.texts)]
        if isinstance(what, Status):
            return web.json_response({"error": {"message": "stub"}}, status=what.code, headers=what.headers)
        if isinstance(what, Raw):
            is_text = isinstance(what.body, str)
            return web.Response(text=what.body) if is_text else web.json_response(what.body)
        return web.json_response(completion([{"role": "assistant", "content": what}]))


def completion(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a chat completion with one choice a message."""
    return {
        "id": "stub",
        "object": "chat.completion",
        "created": 0,
        "model": "stub",
        "choices": [
            {"index": n, "finish_reason": "stop", "message": message} for n, message in enumerate(messages)
        ],
    }


@asynccontextmanager
async def serving(model: StubModel) -> AsyncIterator[str]:
    """Serve the model; yield what belongs in ``API_BASE_URL``."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
