"""Many policies on many programmes, resumable.

Every finished match is one line of a JSONL file; started again with the same file, only what is
missing is played. With ``processes`` above 1, matches run in fresh processes (``spawn``), so factories
have to be importable: module-level functions or ``functools.partial`` of them.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from molforge.contract import Environment
from molforge.evaluation import journal as journals
from molforge.evaluation.match import Row, play
from molforge.policies import NAMES, Policy, make

FOLLOW_SECONDS = 1.0
"""Between two looks of a process whether the one that it plays for is still there."""
EnvironmentFactory = Callable[[], Environment]
PolicyFactory = Callable[[Environment], Policy]
"""Gets the environment of the match; honest policies ignore it, oracles ask it for the truth."""


def _honest(name: str, _: Environment) -> Policy:
    return make(name)


def honest(names: Sequence[str] = NAMES) -> dict[str, PolicyFactory]:
    """Return factories of the reference policies."""
    return {name: partial(_honest, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One match to be played."""

    task: str
    split: str
    seed: int
    policy: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int, str]:
        """Return what tells matches of one ladder apart."""
        return (self.task, self.split, self.seed, self.policy)

    @property
    def reset(self) -> dict[str, Any]:
        """Return the arguments of ``reset``."""
        return {**self.arguments, "task_id": self.task, "split": self.split, "seed": self.seed}


def run(
    environment_factory: EnvironmentFactory,
    *,
    tasks: Sequence[str],
    seeds: Sequence[int],
    policies: Mapping[str, PolicyFactory] | None = None,
    split: str = "validation",
    arguments: Mapping[str, Any] | None = None,
    journal: Path | None = None,
    processes: int = 1,
    progress: Callable[[str], None] = lambda _: None,
    made_with: str = "",
) -> list[Row]:
    """Play every policy on every task and seed and return the rows, old and new.

    Args:
        environment_factory: Makes a fresh environment; called once per process.
        tasks: Task ids.
        seeds: Seeds of the split.
        policies: Names and factories; the reference policies if None.
        split: Split of the programmes.
        arguments: Further arguments of every reset.
        journal: JSONL file of finished matches; read first, then appended to.
        processes: Matches played at once.
        progress: Called with one line per finished match.
        made_with: Marks new rows; rows of the journal with another mark do not count.
    """
    factories = dict(policies) if policies is not None else honest()
    wanted = [
        Match(task=task, split=split, seed=seed, policy=policy, arguments=dict(arguments or {}))
        for task in tasks
        for seed in seeds
        for policy in factories
    ]
    known = {
        (row.task, row.split, row.seed, row.policy): row
        for row in read(journal)
        if row.made_with == made_with
    }
    missing = [match for match in wanted if match.key not in known]
    with journals.append_to(journal) if journal else nullcontext() as file:
        for number, row in enumerate(_played(environment_factory, factories, missing, processes), 1):
            row = replace(row, made_with=made_with)
            known[row.task, row.split, row.seed, row.policy] = row
            if file is not None:
                journals.write(file, row.as_json())
            progress(
                f"{number}/{len(missing)} {row.task} {row.split} {row.seed} {row.policy}: "
                f"{row.score:.3f} ({row.cpu_seconds:.1f} s)"
            )
    return [known[match.key] for match in wanted]


def read(journal: Path | None) -> list[Row]:
    """Return the rows of a journal; none where there is no file."""
    return [Row.from_json(line) for line in journals.read(journal)]


def _played(
    environment_factory: EnvironmentFactory,
    factories: Mapping[str, PolicyFactory],
    matches: Sequence[Match],
    processes: int,
) -> Iterator[Row]:
    if processes <= 1 or len(matches) <= 1:
        _prepare(environment_factory, factories)
        for match in matches:  # a map would take a StopIteration of a policy for its own end
            yield _play(match)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        processes, context, initializer=_work_for, initargs=(os.getpid(), environment_factory, factories)
    ) as pool:
        for done in as_completed([pool.submit(_play, match) for match in matches]):
            yield done.result()


_bench: dict[str, Any] = {}
"""The environment and the factories of this process."""


def _work_for(
    parent: int, environment_factory: EnvironmentFactory, factories: Mapping[str, PolicyFactory]
) -> None:
    """Prepare this process to play for ``parent``, and end it when that is gone, killed or not."""

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(FOLLOW_SECONDS)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    _prepare(environment_factory, factories)


def _prepare(environment_factory: EnvironmentFactory, factories: Mapping[str, PolicyFactory]) -> None:
    _bench["environment"] = environment_factory()
    _bench["factories"] = dict(factories)


def _play(match: Match) -> Row:
    environment: Environment = _bench["environment"]
    policy: Policy = _bench["factories"][match.policy](environment)
    return play(environment, policy, match.reset, name=match.policy)
