"""Sessions that step, go on after every loss, and compare each reply with play in this process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from app.encoding import dumps, loads
from app.faults.environment import FaultyEnvironment
from app.hosting import Factory, Hosted

RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
"""A player that hears nothing right for so long has lost its session."""
MAX_REPLY = 64 * 2**20
_LOST = (aiohttp.ClientError, ConnectionError, OSError, asyncio.TimeoutError)


class Lost(Exception):
    """The session cannot be gone on with, or is not what it was."""


@dataclass(slots=True)
class Account:
    """What came of one or many players."""

    right: int = 0
    wrong: int = 0
    """Replies that play in process does not give; a doubled or lost step makes every later one wrong."""
    lost: int = 0
    """Sessions that could not be gone on with."""
    resumed: int = 0
    taken: int = 0
    """Replies that got lost on their way and were read from ``state``."""
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From sending each step to its right reply."""

    def add(self, other: Account) -> None:
        """Take in another account."""
        for name in ("right", "wrong", "lost", "resumed", "taken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors += other.errors
        self.seconds += other.seconds


class Player:
    """One session; any number of sockets, one after the other."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        *,
        seed: int,
        factory: Factory = FaultyEnvironment,
        reset: dict[str, Any] | None = None,
    ) -> None:
        self.account = Account()
        self.session_id = ""
        self.http = http
        self._url = url
        self._reset = {"seed": seed, **(reset or {})}
        self._factory = factory
        self.done: list[dict[str, Any]] = []
        """Actions that were acknowledged, and the replies to them."""
        self.replies: list[dict[str, Any]] = []
        self.socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self) -> None:
        """Connect and reset."""
        self.socket = await self.http.ws_connect(f"{self._url}/ws", max_msg_size=MAX_REPLY)
        self.replies.append(await self._call("reset", self._reset))
        self.session_id = self.replies[0]["observation"]["session_id"]

    async def play(
        self, actions: Iterable[dict[str, Any]], *, until: float = 0.0, pause: float = 0.0
    ) -> None:
        """Carry out actions, until the clock says so if ``until`` is given; ``pause``: on average."""
        rng = random.Random(self.session_id)
        for action in actions:
            if until and time.monotonic() > until:
                return
            began = time.monotonic()
            try:
                self.replies.append(await self._insist(action, began + PATIENCE_SECONDS))
            except Lost as why:
                self.account.lost += 1
                self.account.errors.append(str(why))
                return
            self.done.append(action)
            self.account.seconds.append(time.monotonic() - began)
            if pause:
                await asyncio.sleep(rng.uniform(0.0, 2 * pause))  # or all that once waited keep step

    async def close(self) -> None:
        """Say close and leave."""
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_str('{"type":"close"}')
            await self.socket.close()

    def compare(self) -> Account:
        """Play the same here, and count the replies that differ."""
        hosted = Hosted(self._factory, self.session_id)
        expected = [loads(hosted.reset(self._reset).body)]
        expected += [loads(hosted.step(action).body) for action in self.done]
        for own, theirs in zip(expected, self.replies, strict=True):
            self.account.right += own == theirs
            self.account.wrong += own != theirs
        return self.account

    async def _insist(self, action: dict[str, Any], deadline: float) -> dict[str, Any]:
        """Send an action until it has its reply, over as many sockets as it takes."""
        while time.monotonic() < deadline:
            try:
                is_connected = self.socket is not None and not self.socket.closed
                if not is_connected and (reply := await self._resume()) is not None:
                    return reply
                return await self._call("step", action)
            except _LOST:
                if self.socket is not None:
                    await self.socket.close()
                self.socket = None
                await asyncio.sleep(RETRY_SECONDS)
        raise Lost(f"nothing was heard for {PATIENCE_SECONDS:.0f} s")

    async def _resume(self) -> dict[str, Any] | None:
        """Go on with the session; return the last reply if its step counted and we never saw it."""
        self.socket = await self.http.ws_connect(
            f"{self._url}/ws?session_id={self.session_id}", max_msg_size=MAX_REPLY
        )
        state = await self.state()
        ahead = state["step_count"] - len(self.done)
        self.account.resumed += 1
        if ahead not in (0, 1):
            raise Lost(f"the server has {state['step_count']} steps, {len(self.done)} were acknowledged")
        if ahead == 0:
            return None
        self.account.taken += 1
        reply: dict[str, Any] = state["last_reply"]
        observation = {**reply["observation"], "metadata": reply["observation"].get("metadata", {})}
        return {"observation": observation, "reward": reply["reward"], "done": reply["done"]}

    async def state(self) -> dict[str, Any]:
        """Ask for the state."""
        assert self.socket is not None
        await self.socket.send_str('{"type":"state"}')
        return await self.receive()

    async def _call(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        assert self.socket is not None
        await self.socket.send_str(dumps({"type": kind, "data": data}).decode())
        return await self.receive()

    async def receive(self) -> dict[str, Any]:
        """Wait for a reply; raise what a loss is, or ``Lost``."""
        assert self.socket is not None
        message = await self.socket.receive(timeout=PATIENCE_SECONDS)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(f"closed with {self.socket.close_code}")
        reply = loads(message.data)
        if reply["type"] == "error":
            cause = reply["data"].get("cause", reply["data"]["code"])
            if cause in ("ALREADY_ATTACHED", "SESSION_BUSY", "OVERLOADED", "JOURNAL_FAILED"):
                raise ConnectionResetError(cause)  # our last socket is not buried yet: again
            raise Lost(f"{cause}: {reply['data']['message']}")
        data: dict[str, Any] = reply["data"]
        return data


def settle(players: Sequence[Player]) -> Account:
    """Compare what all players heard, and add it up."""
    total = Account()
    for player in players:
        total.add(player.compare())
    return total


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
