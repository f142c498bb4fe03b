"""Who plays which programmes. Finished matches are kept in a journal; only what is missing is played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from envs.environment import MolforgeEnvironment
from evidence.leaderboard.allowance import limited
from molforge.evaluation import ladder, provenance
from molforge.evaluation.match import Row
from redteam.measure import factories

TEST, ELSEWHERE = "test", ("validation", "train")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the board."""

    title: str
    test: int
    """Programmes of the test split, for each family."""
    elsewhere: int
    """Programmes of each other split."""


ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {
        "noop": Entry("no-op", 500, 200),
        "random": Entry("random", 500, 200),
        "greedy": Entry("greedy", 500, 200),
        "genetic": Entry("genetic search", 60, 0),
        "bayes": Entry("Bayesian optimiser", 60, 0),
        "planner": Entry("planner", 200, 60),
        "holder": Entry("planner with the true prior", 60, 0),
        "witness": Entry("witness", 500, 200),
    }
)
"""In the order of the board."""
ORDER = ("noop", "random", "greedy", "planner", "witness")
"""What is claimed to rise, from left to right, in every family on every split."""
DIFFICULTIES = (0.0, 0.25, 0.5, 0.75, 1.0)
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the budget, which a policy is told of on the budget curves."""
CURVES = ("random", "greedy", "planner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How much of the plan is played."""

    tasks: Sequence[str]
    cap: int
    """Programmes of a family and split, at most; the plan's counts where they are smaller."""
    dear_cap: int
    """The same for the rows that think: planner, genetic, bayes, holder."""
    curve: int
    """Programmes of a family at each point of the curves over difficulty and budget."""
    journal: Path
    processes: int
    elsewhere: bool = True


DEAR = ("genetic", "bayes", "planner", "holder")


def counts(name: str, split: str, order: Order) -> int:
    """Return how many programmes a row plays of each family on a split."""
    entry = ENTRIES[name]
    wanted = entry.test if split == TEST else entry.elsewhere if order.elsewhere else 0
    return min(wanted, order.dear_cap if name in DEAR else order.cap)


def play(order: Order, progress: Callable[[str], None]) -> list[Row]:
    """Return the rows of the board, the dearest last."""
    rows: list[Row] = []
    for split in (TEST, *ELSEWHERE):
        for name in sorted(ENTRIES, key=lambda name: name in DEAR):
            number = counts(name, split, order)
            if number:
                rows += _run(order, progress, factories([name]), range(number), split)
    return rows


def play_difficulties(order: Order, progress: Callable[[str], None]) -> dict[float, list[Row]]:
    """Return the rows of the curves over difficulty."""
    if not order.curve:
        return {}
    return {
        difficulty: _run(
            order, progress, factories(CURVES), range(order.curve), arguments={"difficulty": difficulty}
        )
        for difficulty in DIFFICULTIES
    }


def play_budgets(order: Order, progress: Callable[[str], None]) -> dict[float, list[Row]]:
    """Return the rows of the curves over the share of the budget that is shown to a policy."""
    if not order.curve:
        return {}
    found = {}
    for share in SHARES:
        policies, limit = limited(factories(CURVES), share), {} if share == 1.0 else {"share": share}
        found[share] = _run(order, progress, policies, range(order.curve), limit=limit)
    return found


def _run(
    order: Order,
    progress: Callable[[str], None],
    policies: Mapping[str, ladder.PolicyFactory],
    seeds: Sequence[int],
    split: str = TEST,
    *,
    arguments: Mapping[str, float] = MappingProxyType({}),
    limit: Mapping[str, float] = MappingProxyType({}),
) -> list[Row]:
    """Play; ``arguments`` are reset's, ``limit`` is the policies' own, and both mark the rows."""
    return ladder.run(
        MolforgeEnvironment,
        tasks=order.tasks,
        seeds=seeds,
        policies=policies,
        split=split,
        arguments=arguments,
        journal=order.journal,
        processes=order.processes,
        progress=progress,
        made_with=provenance.stamp(**arguments, **limit),
    )
