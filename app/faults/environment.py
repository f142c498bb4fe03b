"""An environment that misbehaves on demand. Its replies form a chain, so that none can be lost or doubled."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from molforge.actions import Action
from molforge.contract import Step
from molforge.errors import NotReset


class FaultyEnvironment:
    """``command`` is a word and a number: ``x``, ``sleep 0.5``, ``hang``, ``hog``, ``big 100000``."""

    def __init__(self) -> None:
        self._token = self._session_id = ""
        self._count = -1
        self._last: dict[str, Any] | None = None

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:
        """Begin a chain."""
        self._session_id = session_id
        self._count, self._token = 0, hashlib.sha256(repr(arguments.get("seed")).encode()).hexdigest()[:16]
        return self._reply("")

    def step(self, action: Action) -> Step:
        """Do what the command says, and add a link to the chain."""
        if self._count < 0:
            raise NotReset
        word, _, rest = (action.command or "").partition(" ")
        text = ""
        match word:
            case "sleep":
                time.sleep(float(rest))
            case "hang":
                while True:
                    time.sleep(1.0)
            case "hog":
                held = []
                while True:
                    held.append(b"x" * 2**20)
            case "big":
                text = "y" * int(rest)
        self._count += 1
        self._token = hashlib.sha256(f"{self._token} {action.command}".encode()).hexdigest()[:16]
        return self._reply(text)

    def state(self) -> dict[str, Any]:
        """Return count, chain, and which process this is."""
        return {
            "episode_id": None,
            "step_count": max(0, self._count),
            "last_reply": self._last,
            "task_id": "faults",
            "token": self._token,
            "session_id": self._session_id,
            "pid": os.getpid(),
        }

    def memory(self) -> dict[str, Any]:
        """Return nothing: nothing outlives a reset."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def _reply(self, text: str) -> Step:
        observation = {"session_id": self._session_id, "text": f"{self._token} {self._count} {text}"}
        self._last = {"observation": observation, "reward": 0.5, "done": False}
        return Step(observation=dict(observation), reward=0.5, done=False)


def factory(_secret: bytes | None) -> Callable[[], FaultyEnvironment]:
    """Return how to make one."""
    return FaultyEnvironment
