"""The agent that does nothing: the floor of the ladder."""

from __future__ import annotations

from typing import Any

from molforge.actions import Action, ActionType


class NoopPolicy:
    """Closes every programme with its first action."""

    name = "noop"

    def begin(self, observation: dict[str, Any]) -> None:
        """Forget nothing: there is nothing to remember."""

    def act(self, observation: dict[str, Any]) -> Action:  # noqa: ARG002
        """Return ``stop``."""
        return Action(action_type=ActionType.STOP, reason="nothing planned")
