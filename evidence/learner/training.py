"""Groups of rollouts, clipped policy gradient, evaluation on held-out seeds, and the control.

Advantage of a decision: what was still to come after it, less the mean of that over the other rollouts of
the same programme (a group, as in GRPO: Shao et al., arXiv 2402.03300). The control is trained alike, but
the advantages of a batch are dealt out again at random over its decisions: whatever it learns is no skill.
Rewards dealt out over steps would not do: longer rollouts get more of them, so length alone would be learnt.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evidence.learner.arena import Programme, Rollout, play_all
from evidence.learner.policy import Decision, Learner
from molforge.policies.objectives import Floats

SESSIONS = 64
GROUP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    seed: int
    tasks: tuple[str, ...]
    updates: int
    groups: int = 16
    """Programmes of each batch; every one is played ``GROUP`` times."""
    held_out: int = 40
    """Programmes of the validation split, for each family, at the start and at the end."""
    watched: int = 8
    """Of them, those that are also played on the way."""
    every: int = 8
    is_control: bool = False
    made_with: str = ""
    """Version and artefacts: a run of other worlds is another run."""

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a file gives it back."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return found


def train(url: str, plan: Plan, progress: Callable[[str], None], checkpoint: Path) -> dict[str, Any]:
    """Train and return everything that was measured, as plain values.

    ``checkpoint`` keeps the state after every update: a run that broke off goes on from there.
    """
    learner, began = Learner(plan.seed), time.monotonic()
    kept = _read(checkpoint, plan)
    if kept is None:
        curve: list[dict[str, Any]] = []
        start = evaluate(url, learner, plan, plan.held_out)
        before = 0.0
        progress(f"start: {_told(start)}")
    else:
        curve, start, before = kept["curve"], kept["start"], kept["seconds"]
        learner.restore(kept["learner"])
        progress(f"goes on after update {len(curve)}")
    for number in range(len(curve) + 1, plan.updates + 1):
        rng = np.random.default_rng([plan.seed, number])
        rollouts = asyncio.run(play_all(url, _batch(plan, rng, number), learner.choose, sessions=SESSIONS))
        decisions, advantages = advantage(rollouts, rng if plan.is_control else None)
        left = 1.0 - (number - 1) / plan.updates
        entropy = learner.update(decisions, advantages, left=left)
        point = _point(number, rollouts, entropy)
        if number % plan.every == 0 and number < plan.updates:
            point["held_out"] = evaluate(url, learner, plan, plan.watched)
        curve.append(point)
        seconds = before + time.monotonic() - began
        _write(checkpoint, plan, {"curve": curve, "start": start, "seconds": seconds}, learner)
        progress(f"{number}/{plan.updates}: {point['scores']} entropy {entropy:.2f}")
    end = evaluate(url, learner, plan, plan.held_out)
    progress(f"end: {_told(end)}")
    return {
        "plan": plan.as_json(),
        "start": start,
        "end": end,
        "curve": curve,
        "episodes": plan.updates * plan.groups * GROUP,
        "seconds": round(before + time.monotonic() - began, 1),
    }


def _read(path: Path, plan: Plan) -> dict[str, Any] | None:
    if not path.exists():
        return None
    with np.load(path) as arrays:
        told: dict[str, Any] = json.loads(str(arrays["told"]))
        learner = [arrays[f"leaf_{number}"] for number in range(len(arrays.files) - 1)]
    return {**told, "learner": learner} if told["plan"] == plan.as_json() else None


def _write(path: Path, plan: Plan, told: dict[str, Any], learner: Learner) -> None:
    leaves: dict[str, Any] = {f"leaf_{number}": leaf for number, leaf in enumerate(learner.state())}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, told=json.dumps({**told, "plan": plan.as_json()}), **leaves)
    partial.replace(path)


def evaluate(url: str, learner: Learner, plan: Plan, count: int) -> dict[str, list[float]]:
    """Return the scores on the first programmes of the validation split, family by family."""
    programmes = [
        Programme(task=task, split="validation", seed=seed, stream=plan.seed)
        for task in plan.tasks
        for seed in range(count)
    ]
    rollouts = asyncio.run(play_all(url, programmes, learner.choose, sessions=SESSIONS))
    found: dict[str, list[float]] = {task: [] for task in plan.tasks}
    for rollout in rollouts:
        found[rollout.programme.task].append(rollout.score)
    return found


def advantage(
    rollouts: Sequence[Rollout], shuffle: np.random.Generator | None
) -> tuple[list[Decision], Floats]:
    """Return all decisions of a batch with their advantages, of zero mean and unit variance."""
    to_come = [np.cumsum(list(rollout.rewards)[::-1])[::-1] for rollout in rollouts]
    groups: dict[tuple[str, int], list[int]] = {}
    for number, rollout in enumerate(rollouts):
        groups.setdefault((rollout.programme.task, rollout.programme.seed), []).append(number)
    decisions: list[Decision] = []
    found: list[float] = []
    for members in groups.values():
        for member in members:
            for step, value in enumerate(to_come[member]):
                others = [
                    float(to_come[o][min(step, len(to_come[o]) - 1)]) if step < len(to_come[o]) else 0.0
                    for o in members
                    if o != member
                ]
                found.append(float(value) - float(np.mean(others)))
                decisions.append(rollouts[member].decisions[step])
    advantages = np.array(found) if shuffle is None else shuffle.permutation(found)
    return decisions, (advantages - advantages.mean()) / (advantages.std() + 1e-6)


def _batch(plan: Plan, rng: np.random.Generator, number: int) -> list[Programme]:
    seeds = rng.integers(0, 2**31, plan.groups)
    return [
        Programme(
            task=plan.tasks[(place + number) % len(plan.tasks)],
            split="train",
            seed=int(seed),
            stream=1000 * plan.seed + member,
        )
        for place, seed in enumerate(seeds)
        for member in range(GROUP)
    ]


def _point(number: int, rollouts: Sequence[Rollout], entropy: float) -> dict[str, Any]:
    scores: dict[str, list[float]] = {}
    for rollout in rollouts:
        scores.setdefault(rollout.programme.task, []).append(rollout.score)
    return {
        "update": number,
        "scores": {task: round(float(np.mean(found)), 4) for task, found in scores.items()},
        "steps": round(float(np.mean([len(r.rewards) for r in rollouts])), 2),
        "entropy": round(entropy, 4),
    }


def _told(scores: dict[str, list[float]]) -> str:
    return ", ".join(f"{task} {np.mean(found):.3f}" for task, found in scores.items())
