"""One environment at work, whoever runs it: a thread, a worker process, or a replay.

``Reply`` is what a reset or step gives back, already in its wire form: the process that speaks to the
client sends the bytes on as they are. ``Entry`` is one call that took effect, as the journal keeps it.
Both are made for every step, which is why they are tuples: frozen dataclasses take three times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.encoding import dumps, loads
from app.errors import FactoryFailed
from molforge.actions import Action, ActionType, Prediction
from molforge.contract import Environment, Step
from molforge.errors import EnvironmentFault

Factory = Callable[[], Environment]


class Reply(NamedTuple):
    """The answer to a reset or a step."""

    body: bytes
    """JSON of ``{"observation": ..., "reward": ..., "done": ...}``, and ``metadata`` if there is any."""
    reward: float
    done: bool
    digest: str
    """16 hex digits of the body: two plays are the same if all of these are."""
    memory: dict[str, Any] | None = None
    """After a reset: what the environment remembered before it."""

    @staticmethod
    def of(step: Step, *, memory: dict[str, Any] | None = None) -> Reply:
        """Return the wire form of a step."""
        body = dumps(payload(step))
        return Reply(body=body, reward=step.reward, done=step.done, digest=digest_of(body), memory=memory)

    def as_step(self) -> Step:
        """Return the step inside."""
        observation = loads(self.body)["observation"]
        metadata = observation.pop("metadata")
        return Step(observation=observation, reward=self.reward, done=self.done, metadata=metadata)


def payload(step: Step, **metadata: Any) -> dict[str, Any]:
    """Return the wire form of a step, with its own and the server's ``metadata`` where each release looks.

    0.10 reads it beside the observation, where nothing is sent if there is none, and in it, always.
    """
    beside = {**step.metadata, **metadata}
    reply: dict[str, Any] = {
        "observation": {**step.observation, "metadata": dict(step.metadata)},
        "reward": step.reward,
        "done": step.done,
    }
    return {**reply, "metadata": beside} if beside else reply


class Entry(NamedTuple):
    """One call that took effect."""

    kind: str
    """``reset`` or ``step``."""
    message: Mapping[str, Any]
    """Arguments of reset, or the action in its wire form."""
    reward: float
    done: bool
    digest: str
    """Of the reply: a replay that gives another one is no replay."""
    memory: dict[str, Any] | None = None
    """Of a reset: what the environment remembered before it."""
    episode: int = 1
    """Which reset of the session this is, or follows; from 1."""
    number: int = 0
    """Place in the episode; the reset is 0."""


def digest_of(body: bytes) -> str:
    """Return 16 hex digits that tell replies apart."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def action_of(message: Mapping[str, Any]) -> Action:
    """Return the action of a message that the wire layer has already checked (``Action.as_message``)."""
    fields = dict(message)
    if "action_type" in fields:
        fields["action_type"] = ActionType(fields["action_type"])
    for name in ("smiles", "compounds", "assays"):
        if name in fields:
            fields[name] = tuple(fields[name])
    if "predicted" in fields:
        fields["predicted"] = {name: Prediction(**p) for name, p in fields["predicted"].items()}
    return Action(**fields)


class Hosted:
    """One session's environment."""

    def __init__(self, factory: Factory, session_id: str) -> None:
        """Make the environment; raise ``FactoryFailed``."""
        self._session_id = session_id
        try:
            self._environment = factory()
        except Exception as why:
            raise FactoryFailed(getattr(factory, "__name__", type(factory).__name__)) from why

    def reset(self, arguments: Mapping[str, Any]) -> Reply:
        """Open a programme."""
        memory = self._environment.memory()
        return Reply.of(self._environment.reset(arguments, session_id=self._session_id), memory=memory)

    def step(self, message: Mapping[str, Any]) -> Reply:
        """Carry out an action."""
        return Reply.of(self._environment.step(action_of(message)))

    def state(self) -> bytes:
        """Return the public notebook as JSON."""
        return dumps(self._environment.state())

    def play_again(self, history: Sequence[Entry]) -> None:
        """Bring a new environment to where a record ends; raise ``EnvironmentFault`` if it differs."""
        for entry in history:
            self.play_one(entry)

    def play_one(self, entry: Entry) -> Reply:
        """Make a recorded call again; raise ``EnvironmentFault`` if the answer differs."""
        if entry.kind == "reset":
            self._environment.recall(entry.memory or {})
            reply = self.reset(entry.message)
        else:
            reply = self.step(entry.message)
        if reply.digest != entry.digest:
            raise EnvironmentFault(
                f"session {self._session_id}: {entry.kind} {entry.number} of episode {entry.episode} "
                f"was answered {entry.digest}, the replay says {reply.digest}"
            )
        return reply

    def close(self) -> None:
        """Release the environment."""
        self._environment.close()
