"""What the checks look at: the project's folder, a real server, recorded episodes, played matches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from envs import CATALOGUE
from molforge.evaluation import ladder, provenance
from molforge.evaluation.match import Row
from molforge.policies import make
from redteam import measure
from redteam.attacks import POLICY_ATTACKS, Rank
from redteam.servers import Server, Socket, connected, serving

SCRIPTS = tuple(name for name, attack in POLICY_ATTACKS.items() if attack.rank is Rank.EMPTY)
CANARIES = ("noop", *SCRIPTS)
"""Who does nothing sensible."""
NEAR_SHARE = 4
"""Up to so many times the matches where the first ones leave an empty script near its line."""
LAST_SHARE = 10
"""And up to so many times where those leave it beyond."""
EPISODES = 2
"""Recorded through the server, for each family."""


class Verdict(StrEnum):
    """What a check says."""

    PASS = "pass"
    FAIL = "fail"
    NOT_HERE = "does not apply"
    """Nothing in a project can show it, or it needs what this machine has not got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check found."""

    verdict: Verdict
    figure: str
    """The measured figure, or why it does not apply."""
    episodes: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)
    """For pictures."""

    @staticmethod
    def of(passed: bool, figure: str, *, episodes: int = 0, **data: Any) -> Outcome:
        """Return pass or fail."""
        verdict = Verdict.PASS if passed else Verdict.FAIL
        return Outcome(verdict=verdict, figure=figure, episodes=episodes, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One episode as the wire told it."""

    task: str
    seed: int
    asked: dict[str, Any]
    """Arguments of reset."""
    actions: list[dict[str, Any]]
    replies: list[dict[str, Any]]
    """``observation``, ``reward``, ``done``; the first answers reset."""
    states: list[dict[str, Any]]
    """Asked for after every reply."""

    @property
    def text(self) -> str:
        """Everything that was said before the last reply."""
        return json.dumps([self.replies[:-1], self.states[:-1]])


class Bench:
    """Shared by all checks of one run; everything dear is made once, when first asked for."""

    def __init__(
        self,
        root: Path,
        *,
        programmes: int = 12,
        planner_programmes: int = 4,
        journal: Path | None = None,
        processes: int = 1,
        prelude: str = "",
        tasks: Sequence[str] = tuple(CATALOGUE),
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.root, self.tasks, self.progress = root, tuple(tasks), progress
        self.programmes, self.planner_programmes = programmes, planner_programmes
        self.prelude = prelude
        self._journal, self._processes = journal, processes
        self._stack = ExitStack()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # --- files --------------------------------------------------------------------------------

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """``openenv.yaml``, read."""
        found: dict[str, Any] = yaml.safe_load(self.read("openenv.yaml"))
        return found

    def read(self, name: str) -> str:
        """Return a file of the project, empty where there is none."""
        path = self.root / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    # --- a server -----------------------------------------------------------------------------

    @cached_property
    def folder(self) -> Path:
        """A folder for the server's files."""
        import tempfile

        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    @cached_property
    def server(self) -> Server:
        """A server with a journal and one worker."""
        self.progress("starting a server")
        options = ("--workers", "1", "--journal", str(self.folder / "journal.db"))
        return self._stack.enter_context(serving(*options, prelude=self.prelude, log=self.folder / "log"))

    @cached_property
    def episodes(self) -> list[Episode]:
        """Episodes of the random policy through the server, ``EPISODES`` a family."""
        return self.play([(task, seed) for task in self.tasks for seed in range(EPISODES)])

    def play(
        self, programmes: Sequence[tuple[str, int]], *, together: bool = False, **arguments: Any
    ) -> list[Episode]:
        """Play programmes with the random policy, one after another or all at once."""

        async def alone() -> list[Episode]:
            return [await record(self.server.url, task, seed, **arguments) for task, seed in programmes]

        async def at_once() -> list[Episode]:
            each = [record(self.server.url, task, seed, **arguments) for task, seed in programmes]
            return list(await asyncio.gather(*each))

        self.progress(f"{len(programmes)} episodes through the server")
        return asyncio.run(at_once() if together else alone())

    # --- matches ------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> list[Row]:
        """Matches of reference policies and empty scripts on held-out programmes."""
        return measure.play(
            measure.Order(
                tasks=self.tasks,
                attacks=SCRIPTS,
                programmes=self.programmes,
                planner_programmes=self.planner_programmes,
                near_programmes=NEAR_SHARE * self.programmes,
                last_programmes=LAST_SHARE * self.programmes,
                split="test",
                journal=self._journal,
                processes=self._processes,
            ),
            self.progress,
        )

    def matches(self, policies: Sequence[str], programmes: int, **arguments: Any) -> list[Row]:
        """Play policies on the first programmes of the test split; finished matches are kept."""
        from envs.environment import MolforgeEnvironment

        return ladder.run(
            MolforgeEnvironment,
            tasks=self.tasks,
            seeds=range(programmes),
            policies=measure.factories(policies),
            split="test",
            arguments=arguments,
            journal=self._journal,
            processes=self._processes,
            progress=self.progress,
            made_with=provenance.stamp(**arguments),
        )


async def record(url: str, task: str, seed: int, **arguments: Any) -> Episode:
    """Play one programme with the random policy and keep everything that was said."""
    policy = make("random")
    async with connected(url) as socket:
        asked = {"task_id": task, "seed": seed, "episode_id": f"certificate-{task}-{seed}", **arguments}
        reply = await _result(socket, "reset", **asked)
        replies, states, actions = [reply], [await _result(socket, "state")], list[dict[str, Any]]()
        policy.begin(reply["observation"])
        while not reply["done"]:
            actions.append(dict(policy.act(reply["observation"]).as_message()))
            reply = await _result(socket, "step", **actions[-1])
            replies.append(reply)
            states.append(await _result(socket, "state"))
    return Episode(task=task, seed=seed, asked=asked, actions=actions, replies=replies, states=states)


async def _result(socket: Socket, kind: str, **data: Any) -> dict[str, Any]:
    reply = await socket.call(kind, **data)
    if reply["type"] == "error":
        raise RuntimeError(f"{kind}: {reply['data']}")
    result: dict[str, Any] = reply["data"]
    return result
