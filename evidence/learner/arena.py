"""Many sessions at once through the real server and the real client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evidence.learner.choices import MAX_STEPS, Choices, Option
from evidence.learner.policy import Decision
from molforge.client import MolforgeEnv, MolforgeObservation

PATIENCE_SECONDS = 600.0
"""For a connection or an answer, on a machine with other work."""

Chooser = Callable[[Sequence[Option], np.random.Generator], Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is played, and by which random stream."""

    task: str
    split: str
    seed: int
    stream: int


@dataclass(slots=True, kw_only=True)
class Rollout:
    """One finished episode."""

    programme: Programme
    decisions: list[Decision] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    score: float = 0.0


async def play_all(
    url: str, programmes: Sequence[Programme], choose: Chooser, *, sessions: int
) -> list[Rollout]:
    """Play every programme, ``sessions`` of them at once, each over a socket of its own."""
    waiting = asyncio.Queue[int]()
    for number in range(len(programmes)):
        waiting.put_nowait(number)
    found: dict[int, Rollout] = {}

    async def seat() -> None:
        async with MolforgeEnv(
            base_url=url, connect_timeout_s=PATIENCE_SECONDS, message_timeout_s=PATIENCE_SECONDS
        ) as env:
            while not waiting.empty():
                number = waiting.get_nowait()
                found[number] = await _play(env, programmes[number], choose)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(sessions, len(programmes))):
            group.create_task(seat())
    return [found[number] for number in range(len(programmes))]


async def _play(env: MolforgeEnv, programme: Programme, choose: Chooser) -> Rollout:
    rollout = Rollout(programme=programme)
    rng = np.random.default_rng([programme.seed, programme.stream])
    result = await env.reset(
        task_id=programme.task, split=programme.split, seed=programme.seed, max_steps=MAX_STEPS
    )
    choices = Choices(_fields(result.observation))
    while not result.done:
        options = choices.options()
        decision = choose(options, rng)
        result = await env.step(options[decision.chosen].action)
        choices.update(_fields(result.observation))
        rollout.decisions.append(decision)
        rollout.rewards.append(float(result.reward or 0.0))
    rollout.score = float(result.observation.score or 0.0)
    return rollout


def _fields(observation: MolforgeObservation) -> dict[str, Any]:
    fields: dict[str, Any] = observation.model_dump(mode="json", exclude={"done", "reward", "metadata"})
    return fields
