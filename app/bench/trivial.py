"""An environment that costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from molforge.actions import Action
from molforge.contract import Step
from molforge.errors import NotReset


class TrivialEnvironment:
    """Counts its steps."""

    def __init__(self) -> None:
        self._steps = -1

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:  # noqa: ARG002
        """Begin to count."""
        self._steps = 0
        return Step(observation={"text": "0", "session_id": session_id}, reward=0.0, done=False)

    def step(self, action: Action) -> Step:  # noqa: ARG002
        """Count one on."""
        if self._steps < 0:
            raise NotReset
        self._steps += 1
        return Step(observation={"text": str(self._steps)}, reward=0.0, done=False)

    def state(self) -> dict[str, Any]:
        """Return the count."""
        return {"episode_id": None, "step_count": max(0, self._steps), "last_reply": None}

    def memory(self) -> dict[str, Any]:
        """Return nothing: nothing outlives a reset."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def factory(_secret: bytes | None) -> Callable[[], TrivialEnvironment]:
    """Return how to make one."""
    return TrivialEnvironment
