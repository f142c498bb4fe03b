"""One session's environment: reset, step, state. What a server, a trainer or a test holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from envs.arguments import Request, parse_arguments
from envs.assembly import assemble
from envs.family import Family
from molforge.actions import Action
from molforge.contract import Step
from molforge.episode import Episode, Grader
from molforge.errors import NotReset
from molforge.seeding import DEFAULT_SECRET


class MolforgeEnvironment:
    """Plays one programme after another. Implements ``molforge.contract.Environment``."""

    def __init__(self, secret: bytes = DEFAULT_SECRET) -> None:
        self._secret = secret
        self._episode: Episode | None = None
        self._episode_id: str | None = None
        self._last_step: Step | None = None
        """None before the first step: the opening is long, and can be made again when somebody asks."""
        self._resets = 0
        self._unseeded: dict[tuple[str, str], int] = {}

    def reset(self, arguments: Mapping[str, Any], *, session_id: str = "") -> Step:
        """Open a programme; raise ``BadArgument`` for impossible values of known arguments.

        Without a seed or index the first programme of a session is index 0 of the split, each further
        one the next, so that a caller who never seeds still meets many worlds.
        """
        request = parse_arguments(arguments)
        seed = self._seed(request)
        family: Family = _load(request.spec.entry)
        grade: Grader = _load(request.spec.grader)
        programme = assemble(family, request, secret=self._secret, seed=seed)
        self._episode = Episode(programme, grade, session_id=session_id, ignored=request.ignored)
        self._resets += 1
        self._episode_id = request.episode_id or _episode_id(session_id, self._resets)
        self._last_step = None
        return self._episode.opening()

    def step(self, action: Action) -> Step:
        """Carry out one action; raise ``NotReset`` before reset, ``EpisodeOver`` after the end."""
        if self._episode is None:
            raise NotReset
        self._last_step = self._episode.step(action)
        return self._last_step

    def state(self) -> dict[str, Any]:
        """Return ``episode_id``, ``step_count``, ``last_reply`` and the public notebook."""
        if self._episode is None:
            return {"episode_id": self._episode_id, "step_count": 0, "last_reply": None}
        last = self._last_step or self._episode.opening()
        return {
            "episode_id": self._episode_id,
            "step_count": self._episode.steps,
            "last_reply": {"observation": last.observation, "reward": last.reward, "done": last.done},
            **self._episode.notebook_state(),
        }

    def memory(self) -> dict[str, Any]:
        """Return what outlives a reset: how many there were, and the next index of each split."""
        unseeded = [[task, split, seed] for (task, split), seed in self._unseeded.items()]
        return {"resets": self._resets, "unseeded": unseeded}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take over what another environment's ``memory`` returned."""
        self._resets = memory.get("resets", 0)
        self._unseeded = {(task, split): seed for task, split, seed in memory.get("unseeded", ())}

    def close(self) -> None:
        """Drop the programme."""
        self._episode = self._last_step = None

    @property
    def episode(self) -> Episode:
        """The programme being played, truth included: for graders' records, audits and tests."""
        if self._episode is None:
            raise NotReset
        return self._episode

    def _seed(self, request: Request) -> int:
        if request.seed is not None:
            return request.seed
        counter = (request.spec.task_id, request.split)
        seed = self._unseeded.get(counter, 0)
        self._unseeded[counter] = seed + 1
        return seed


def _episode_id(session_id: str, resets: int) -> str:
    return hashlib.blake2b(f"{session_id}/{resets}".encode(), digest_size=16).hexdigest()


def _load(entry: str) -> Any:
    module, name = entry.split(":")
    return getattr(import_module(module), name)
