"""Arguments of reset: known ones are checked, impossible values refused, unknown names reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from envs import CATALOGUE, DEFAULT_SPLIT, DEFAULT_TASK, SPLIT_SIZE, SPLITS, TaskSpec
from molforge.errors import BadArgument, as_word, did_you_mean
from molforge.programme import REWARD_MODES
from molforge.seeding import MAX_SEED

KNOWN = (
    "task_id",
    "seed",
    "split",
    "index",
    "difficulty",
    "noise_seed",
    "max_steps",
    "reward_mode",
    "targets",
    "episode_id",
)
CARRIED = ("prompt",)
"""Columns of a task row that trainers hand to reset with the rest of it: no news for the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What reset was asked for, complete but for a seed that the session chooses."""

    spec: TaskSpec
    split: str
    seed: int | None
    difficulty: float
    noise_seed: int
    max_steps: int
    reward_mode: str
    targets: tuple[str, ...]
    episode_id: str | None
    ignored: tuple[str, ...]

    def settings(self) -> tuple[str, ...]:
        """Return what shapes the programme and differs from the family's usual."""
        found = []
        if self.difficulty != self.spec.default_difficulty:
            found.append(f"difficulty {self.difficulty!r}")
        if self.targets != self.spec.targets:
            found.append(f"targets {' '.join(self.targets)}")
        return tuple(found)


def parse_arguments(arguments: Mapping[str, Any]) -> Request:
    """Return the request; raise ``BadArgument`` for an impossible value of a known argument.

    Unknown names do not matter and are listed in ``ignored``; the rest of a dataset row, which trainers
    hand to reset, is not. None counts as not given.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    spec = _task(given.get("task_id", DEFAULT_TASK))
    return Request(
        spec=spec,
        split=_choice("split", given.get("split", DEFAULT_SPLIT), SPLITS),
        seed=_seed(given),
        difficulty=_difficulty(given.get("difficulty", spec.default_difficulty)),
        noise_seed=_integer("noise_seed", given.get("noise_seed", 0), 0, MAX_SEED),
        max_steps=_integer("max_steps", given.get("max_steps", spec.max_steps), 1, spec.max_steps),
        reward_mode=_choice("reward_mode", given.get("reward_mode", REWARD_MODES[0]), REWARD_MODES),
        targets=_targets(given.get("targets", spec.targets), spec),
        episode_id=_episode_id(given.get("episode_id")),
        ignored=tuple(sorted(as_word(str(name)) for name in given if name not in (*KNOWN, *CARRIED))),
    )


def _task(value: object) -> TaskSpec:
    if not isinstance(value, str) or value not in CATALOGUE:
        names = ", ".join(CATALOGUE)
        hint = did_you_mean(value, list(CATALOGUE)) if isinstance(value, str) else ""
        raise BadArgument("task_id", value, f"{names}{hint}")
    return CATALOGUE[value]


def _choice(name: str, value: object, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadArgument(name, value, ", ".join(allowed))
    return value


def _integer(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadArgument(name, value, f"a whole number from {low} to {high}")
    return value


def _seed(given: Mapping[str, Any]) -> int | None:
    seed = _integer("seed", given["seed"], 0, MAX_SEED) if "seed" in given else None
    if "index" not in given:
        return seed
    index = _integer("index", given["index"], 0, SPLIT_SIZE - 1)
    if seed is not None and seed != index:
        raise BadArgument("index", index, f"{seed}, the seed that is given too, or one of the two alone")
    return index


def _difficulty(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise BadArgument("difficulty", value, "a number from 0 to 1")
    return float(value)


def _targets(value: object, spec: TaskSpec) -> tuple[str, ...]:
    """Return the targets to draw from: those named, or all but those named with a minus sign."""
    names = (value,) if isinstance(value, str) else value
    allowed = (
        f"one or more of {', '.join(spec.targets)}; all but some: with a minus sign, '-{spec.targets[0]}'"
    )
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadArgument("targets", value, allowed)
    if len(set(names)) < len(names):
        raise BadArgument("targets", value, f"each name once: {allowed}")
    out = {name[1:] for name in names if name.startswith("-")}
    among = {name for name in names if not name.startswith("-")} or (set(spec.targets) if out else set())
    chosen = tuple(name for name in spec.targets if name in among - out)
    if not chosen or not (among | out) <= set(spec.targets):
        raise BadArgument("targets", value, allowed)
    return chosen


def _episode_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise BadArgument("episode_id", value, "a string of 1 to 255 printable characters")
    return value
