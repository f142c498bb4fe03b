"""One policy plays one programme to its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from molforge.contract import Environment
from molforge.policies import Policy

MAX_STEPS = 64
"""More than any programme allows: a match that goes on is a broken environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one match."""

    task: str
    split: str
    seed: int
    policy: str
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    rewards: float
    """Sum of the rewards; equals the score."""
    steps: int
    refused: int
    """Actions that the environment could not carry out."""
    made: int
    """Compounds made beyond those that were given."""
    readings: int
    spent: float
    """Credits."""
    ending: str
    cpu_seconds: float
    """Of the policy and the environment together."""
    wall_seconds: float
    made_with: str = ""
    """Version and artefacts, as ``provenance.stamp`` tells them."""

    def as_json(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Row:
        """Read a row back."""
        return cls(**values)


def play(environment: Environment, policy: Policy, arguments: Mapping[str, Any], *, name: str = "") -> Row:
    """Play the programme of ``arguments``; ``name`` is what the row calls the policy."""
    cpu, wall = time.process_time(), time.perf_counter()
    step = environment.reset(arguments)
    first = step.observation
    policy.begin(first)
    given = {compound["id"] for compound in first["compounds"]}
    made: set[str] = set()
    rewards, steps, refused, readings = 0.0, 0, 0, 0
    while not step.done and steps < MAX_STEPS:
        step = environment.step(policy.act(step.observation))
        seen = step.observation
        rewards += step.reward
        steps += 1
        refused += seen["last_action_error"] is not None
        readings += len(seen["readings"])
        made.update(c["id"] for c in seen["compounds"] if c.get("made") and c["id"] not in given)
    last = step.observation
    return Row(
        task=first["task_id"],
        split=first["split"],
        seed=first["seed"],
        policy=name or policy.name,
        score=float(last["score"] or 0.0),
        parts=dict(last["score_parts"] or {}),
        rewards=rewards,
        steps=steps,
        refused=refused,
        made=len(made),
        readings=readings,
        spent=round(float(first["budget_left"]) - float(last["budget_left"]), 2),
        ending=str(last["phase"]),
        cpu_seconds=round(time.process_time() - cpu, 3),
        wall_seconds=round(time.perf_counter() - wall, 3),
    )
