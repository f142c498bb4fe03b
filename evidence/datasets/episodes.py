"""A reference policy's games as conversations: system, brief, action, answer, action, answer ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from envs.environment import MolforgeEnvironment
from evidence.datasets.wording import as_command
from molforge.actions import Action
from molforge.agent.conversation import RULES, reminder
from molforge.evaluation import provenance
from molforge.policies import make


def conversations(
    programmes: Sequence[tuple[str, str, int]], *, policy: str, least: float = 0.0
) -> Iterator[dict[str, Any]]:
    """Yield one row per programme (task, split, seed) that ended with a score of at least ``least``.

    Every message that asks for a decision ends with the calls left, as in ``inference.py``.

    The policy's actions are played as text, the way a model would send them: what is in a row can be done.
    """
    environment = MolforgeEnvironment()
    for task, split, seed in programmes:
        row = _play(environment, policy, {"task_id": task, "split": split, "seed": seed})
        if row["score"] >= least:
            yield row


def _play(environment: MolforgeEnvironment, policy: str, arguments: dict[str, Any]) -> dict[str, Any]:
    player, step = make(policy), environment.reset(arguments)
    player.begin(step.observation)
    messages = [_message("system", RULES), _asked(step.observation)]
    rewards: list[float] = []
    while not step.done:
        command = as_command(player.act(step.observation))
        step = environment.step(Action(command=command))
        messages += [_message("assistant", command), _asked(step.observation)]
        rewards.append(step.reward)
    return {
        "messages": messages[:-1],  # nothing is left to answer after the last action
        "task_id": arguments["task_id"],
        "split": arguments["split"],
        "seed": arguments["seed"],
        "policy": policy,
        "score": float(step.observation["score"]),
        "rewards": rewards,
        "made_with": provenance.stamp(),
    }


def _asked(observation: dict[str, Any]) -> dict[str, str]:
    return _message("user", f"{observation['text']}\n\n{reminder(observation['steps_left'])}")


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
