"""Programmes to play: the prompt that opens them and the arguments that reset needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.agent.conversation import RULES
from molforge.evaluation import provenance


def tasks(programmes: Sequence[tuple[str, str, int]]) -> Iterator[dict[str, Any]]:
    """Yield one row per programme (task, split, seed); its columns can be handed to reset as they are."""
    environment = MolforgeEnvironment()
    for task, split, seed in programmes:
        observation = environment.reset({"task_id": task, "split": split, "seed": seed}).observation
        yield {
            "prompt": [
                {"role": "system", "content": RULES},
                {"role": "user", "content": observation["text"]},
            ],
            "task_id": task,
            "split": split,
            "seed": seed,
            "level": CATALOGUE[task].level,
            "budget": float(observation["brief"]["budget"]),
            "max_steps": int(observation["brief"]["max_steps"]),
            "made_with": provenance.stamp(),
        }
