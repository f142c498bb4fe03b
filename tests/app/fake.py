"""A hand-written environment that does what its actions' ``command`` says, and servers around it."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from molforge.actions import Action
from molforge.contract import Step
from molforge.errors import AgentError, BadArgument, EnvironmentFault, EpisodeOver, NotReset

MAX_STEPS = 50


class FakeEnvironment:
    """Counts, echoes, sleeps, fails and ends on demand; its token depends on seed and actions alone."""

    alive: ClassVar[set[FakeEnvironment]] = set()
    """Environments made and not yet closed. A test that counts them puts a set of its own here: those of
    tests before it are closed in threads, whenever these get to it."""
    closed_while_busy = 0
    kept = b""

    def __init__(self) -> None:
        self._alive = FakeEnvironment.alive
        self._alive.add(self)
        self._resets = 0
        self._arguments: dict[str, Any] | None = None
        self._session_id = ""
        self._count = 0
        self._token = ""
        self._is_done = False
        self._last: dict[str, Any] | None = None
        self._busy = threading.Lock()

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:
        self._resets += 1
        seed = arguments.get("seed", 0)
        if seed > 2**63 - 1:
            raise BadArgument("seed", seed, "0 to 2^63-1")
        if arguments.get("task_id", "potency") not in ("potency", "triage"):
            raise BadArgument("task_id", arguments["task_id"], "potency, triage")
        self._arguments = {"episode_id": f"{session_id}-{self._resets}", "seed": seed, **arguments}
        self._session_id = session_id
        self._count, self._is_done = 0, False
        self._token = hashlib.sha256(repr(seed).encode()).hexdigest()[:16]
        return self._reply(text=f"seed {seed}", reward=0.0)

    def step(self, action: Action) -> Step:
        if not self._busy.acquire(blocking=False):
            raise EnvironmentFault("two threads in one environment")
        try:
            return self._step(action)
        finally:
            self._busy.release()

    def _step(self, action: Action) -> Step:
        if self._arguments is None:
            raise NotReset
        if self._is_done:
            raise EpisodeOver
        word, _, rest = (action.command or "").partition(" ")
        if word == "sleep":
            time.sleep(float(rest))
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "die-once" and not Path(rest).exists():
            Path(rest).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "hog":
            bytearray(int(rest) * 2**20)
        if word == "keep":
            FakeEnvironment.kept = b"x" * (int(rest) * 2**20)
        if word == "boom":
            raise RuntimeError("secret detail")
        if word == "agent-error":
            raise AgentError("cannot be carried out")
        self._count += 1
        self._is_done = word == "end" or self._count >= MAX_STEPS
        self._token = hashlib.sha256((self._token + repr(action)).encode()).hexdigest()[:16]
        text = rest * 1 if word == "echo" else "x" * int(rest) if word == "big" else word
        return self._reply(text=text, reward=0.25, metadata={"echoed": len(rest)} if word == "echo" else {})

    def state(self) -> dict[str, Any]:
        state = {"episode_id": None, "step_count": self._count, "last_reply": self._last}
        return state if self._arguments is None else {**state, **self._arguments, "token": self._token}

    def memory(self) -> dict[str, Any]:
        return {"resets": self._resets}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._resets = memory.get("resets", 0)

    def close(self) -> None:
        if self._busy.locked():
            FakeEnvironment.closed_while_busy += 1
        self._alive.discard(self)

    def _reply(self, *, text: str, reward: float, metadata: dict[str, Any] | None = None) -> Step:
        assert self._arguments is not None
        observation = {
            "task_id": "potency",
            "split": "train",
            "seed": self._arguments["seed"],
            "session_id": self._session_id,
            "phase": "stopped" if self._is_done else "running",
            "ignored": sorted(set(self._arguments) - {"seed", "episode_id", "task_id"}),
            "text": f"{self._token} {text}",
            "score": 0.5 if self._is_done else None,
        }
        self._last = {"observation": observation, "reward": reward, "done": self._is_done}
        return Step(observation=observation, reward=reward, done=self._is_done, metadata=metadata or {})


def fake_factory(_secret: bytes | None) -> Callable[[], FakeEnvironment]:
    return FakeEnvironment


def two_pieces(_factory: object) -> Iterator[None]:
    """A warm-up that goes on for a while after the first call could be served."""
    yield
    time.sleep(0.5)
    yield
