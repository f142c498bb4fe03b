"""The published page of the ladder: ``python -m redteam.report JOURNAL ... --out docs/ladder.md``.

Reads finished matches, adds which target each programme was about (the page is ours: agents are never
told), and writes standings, gaps to the planner and the figures that hurt, target by target.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import molforge
from envs import CATALOGUE
from envs.arguments import parse_arguments
from envs.assembly import assemble
from molforge.evaluation.match import Row
from molforge.evaluation.table import paired, standings
from molforge.landscapes.catalogue import MODELS, TARGETS
from molforge.landscapes.model import PropertyModel
from molforge.landscapes.pool import Pool
from molforge.seeding import DEFAULT_SECRET

ORDER = ("noop", "random", "greedy", "memory", "guess", "planner", "witness")
ATTACKS = ("memory", "guess")
_ATTACKS_EXPLAINED = (
    "`memory` nominates the reference design that the mean models like best; `guess` the one with the",
    "best expected profile over 200 worlds of its own. Both hold the whole package but not the secret, and",
    "choose before they buy a reading. `witness` plays the reference plan: the ceiling, not an agent.",
)


@cache
def target_of(task: str, split: str, seed: int) -> str:
    """Return the target of a programme of the public secret."""
    request = parse_arguments({"task_id": task, "split": split, "seed": seed})
    family = import_module(CATALOGUE[task].entry.split(":")[0]).FAMILY
    return assemble(family, request, secret=DEFAULT_SECRET, seed=seed).targets[0]


def render(rows: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    split = "/".join(sorted({row.split for row in rows}))
    lines = [
        "# Ladder",
        "",
        f"Policies and attacks on held-out programmes (`{split}`, default difficulty, public secret,",
        f"MolForge {molforge.__version__}), mean ± standard error over programmes. Made by `make ladder`.",
        "",
        *_ATTACKS_EXPLAINED,
        "",
        "| task | policy | n | score | profile | profile 0 | profile ≥ .95 | spent | actions | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.task} | {s.policy} | {s.score.count} | {s.score} | {s.profile} | {s.nothing:.2f} "
        f"| {s.solved:.2f} | {s.spent:.0f} | {s.steps:.1f} | {s.cpu_seconds:.1f} |"
        for s in sorted(standings(rows), key=lambda s: (list(CATALOGUE).index(s.task), ORDER.index(s.policy)))
    ]
    lines += [
        "",
        "## Steps of the ladder",
        "",
        "Paired by programme; the last column is the gap in its own standard errors.",
        "",
    ]
    lines += ["| task | gap | score | in SE | programmes |", "|---|---|---|---|---|"]
    for task in CATALOGUE:
        of_task = [row for row in rows if row.task == task]
        for better, worse in (
            ("random", "noop"),
            ("greedy", "random"),
            ("planner", "greedy"),
            ("witness", "planner"),
        ):
            lines += _gap(task, of_task, better, worse)
    lines += ["", "## Attacks against the planner, target by target", ""]
    lines += ["| task and target | gap | score | in SE | programmes |", "|---|---|---|---|---|"]
    for task in CATALOGUE:
        for target in TARGETS:
            of_target = [r for r in rows if r.task == task and target_of(r.task, r.split, r.seed) == target]
            for attack in ATTACKS:
                lines += _gap(f"{task}, {target}", of_target, "planner", attack)
    lines += ["", "## Made with", "", "| file | SHA-256 |", "|---|---|"]
    lines += [f"| `{name}` | `{PropertyModel.load(name).digest[:16]}` |" for name in MODELS]
    lines += [f"| `pool_{name}` | `{Pool.load(name).digest[:16]}` |" for name in TARGETS]
    return "\n".join(lines) + "\n"


def _gap(label: str, rows: Sequence[Row], better: str, worse: str) -> list[str]:
    gap = paired(rows, better, worse)
    if gap is None:
        return []
    errors = gap.value / gap.error if gap.error else math.inf
    return [f"| {label} | {better} − {worse} | {gap} | {errors:.1f} | {gap.count} |"]


def read(journals: Iterable[Path]) -> list[Row]:
    """Return the rows of all journals; a match told twice counts once, the last telling."""
    rows: dict[tuple[str, str, int, str], Row] = {}
    for journal in journals:
        for line in journal.read_text(encoding="utf-8").splitlines():
            row = Row.from_json(json.loads(line))
            rows[row.task, row.split, row.seed, row.policy] = row
    return list(rows.values())


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m redteam.report", description=__doc__)
    parser.add_argument("journals", nargs="+", type=Path, help="JSONL files of finished matches")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(render(read(options.journals)), encoding="utf-8")


if __name__ == "__main__":
    main()
