"""The episode contract: what every environment of this project is, for servers, trainers and tests.

Environments are synchronous and know no clock, thread or loop. An episode is a pure function of
(environment version, secret, arguments of reset, actions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from molforge.actions import Action

Observation = dict[str, Any]
"""JSON-ready fields as listed in ``docs/game.md``; the wire model is ``app.wire.Observation``."""


class Phase(StrEnum):
    """Where a programme stands."""

    RUNNING = "running"
    NOMINATED = "nominated"
    STOPPED = "stopped"
    TRUNCATED = "truncated"
    """The last allowed step went by without a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The answer to one reset or one action."""

    observation: Observation
    reward: float
    """0 after reset; the rewards of an episode sum to its score."""
    done: bool
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What OpenEnv 0.10 shows beside the observation and 0.3 drops: MolForge itself puts nothing there."""


class Environment(Protocol):
    """One session's environment. Every method runs to its end before the next is called."""

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:
        """Open a programme; raise ``BadArgument`` for impossible values of known arguments."""

    def step(self, action: Action) -> Step:
        """Carry out one action; raise ``NotReset`` or ``EpisodeOver`` where there is none to do."""

    def state(self) -> dict[str, Any]:
        """Return ``episode_id``, ``step_count``, ``last_reply`` and the public notebook."""

    def memory(self) -> dict[str, Any]:
        """Return, as JSON, what outlives a reset: a new environment that recalls it goes on alike."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take over what another environment's ``memory`` returned; an empty one means nothing."""

    def close(self) -> None:
        """Release everything; may be called twice."""
