"""The published page of the ladder: ``python -m redteam.report JOURNAL --out docs/ladder.md``.

Reads the finished matches of the present version and artefacts, adds which target each programme was
about (the page is ours: agents are never told), and writes standings, gaps to the planner and the figures
that hurt, target by target.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import molforge
from envs import CATALOGUE
from envs.arguments import parse_arguments
from envs.assembly import drawn_target
from molforge.evaluation import ladder, provenance
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean, paired, standings
from molforge.landscapes.catalogue import TARGETS
from molforge.seeding import DEFAULT_SECRET, world_key

SPLIT = "test"
DIFFICULTY = " difficulty="
"""What a stamp says of the rows of the dial."""
CONSTANT = ("nominate_lead", "one_molecule", "set_list")
"""Attacks that do the same whatever they read; ``noop`` is one too."""
ATTACKS = ("memory", "guess", "mean_search")
"""Attacks that know the package and buy no reading before they choose."""
STOPPING = ("set_list", "convinced_stop")
"""Scripts that buy a set list and stop."""
STEPS = ("noop", "random", "greedy", "planner", "witness")
"""Who should earn more than the one before."""
ORDER = ("noop", *CONSTANT, "random", "greedy", "convinced_stop", *ATTACKS, "planner", "witness")
FAR = 2.0
"""Gaps of fewer standard errors are none."""
CEILING = 0.85
MEMORY_CEILING = 0.5
SCRIPT_SHARE = 0.6
_EXPLAINED = (
    "`nominate_lead`, `one_molecule` and `set_list` (the suggestions for the lead, all readings twice,",
    "then stop) do the same whatever they read. `memory` nominates the reference design that the mean models",
    "like best; `guess` the one with the best expected profile over 200 worlds of its own; `mean_search`",
    "breeds for what the mean models like best, 5,000 structures a programme. These hold the whole package",
    "but not the secret, and choose before they buy a reading. `convinced_stop` (`nogo`) reads the relative",
    "of four designs that ought to be selective and stops; where a stop can be right, such scripts are held",
    "against the planner instead of random play. `witness` plays the reference plan: the ceiling,",
    "not an agent.",
)


@cache
def target_of(task: str, split: str, seed: int) -> str:
    """Return the target of a programme of the public secret."""
    request = parse_arguments({"task_id": task, "split": split, "seed": seed})
    return drawn_target(request, world_key(DEFAULT_SECRET, family=task, split=split, seed=seed))


def render(
    rows: Sequence[Row], dial: Mapping[float, Sequence[Row]] = MappingProxyType({}), *, note: str = ""
) -> str:
    """Return the page as Markdown; ``dial`` holds the planner's rows by difficulty."""
    tasks = [task for task in CATALOGUE if any(row.task == task for row in rows)]
    lines = [
        "# Ladder",
        "",
        f"Policies and attacks on held-out programmes (`{SPLIT}`, default difficulty, public secret,",
        f"MolForge {molforge.__version__}), mean ± standard error over programmes. Made by `make ladder`.",
        "",
        *_EXPLAINED,
        "",
        *([note, ""] if note else []),
        *_standings(rows),
        *_demands(rows, tasks),
        *_steps(rows, tasks),
        *_levels(rows, tasks),
        *_dial(dial),
        *_by_target(rows, tasks),
        *_made_with(),
    ]
    return "\n".join(lines) + "\n"


def _standings(rows: Sequence[Row]) -> list[str]:
    found = sorted(standings(rows), key=lambda s: (list(CATALOGUE).index(s.task), ORDER.index(s.policy)))
    return [
        "| task | policy | n | score | profile | profile 0 | profile ≥ .95 | spent | actions | CPU s |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {s.task} | {s.policy} | {s.score.count} | {s.score} | {s.profile} | {s.nothing:.2f} "
            f"| {s.solved:.2f} | {s.spent:.0f} | {s.steps:.1f} | {s.cpu_seconds:.1f} |"
            for s in found
        ),
    ]


def _demands(rows: Sequence[Row], tasks: Sequence[str]) -> list[str]:
    """Return what every family is asked to show, and whether it does."""
    lines = ["", "## What is demanded, and whether it holds", ""]
    lines += ["| task | demand | found | holds |", "|---|---|---|---|"]
    for task in tasks:
        of_task = [row for row in rows if row.task == task]
        found = [*_order(of_task), *_ceiling(of_task), *_constants(of_task), *_memory(of_task)]
        if task == "nogo":
            found += _scripts(of_task)
        lines += [
            f"| {task} | {demand} | {text} | {'yes' if holds else '**no**'} |"
            for demand, text, holds in found
        ]
    return lines


_Found = tuple[str, str, bool]


def _order(rows: Sequence[Row]) -> Iterator[_Found]:
    for worse, better in pairwise(STEPS):
        gap = paired(rows, better, worse)
        if gap is not None:
            # nothing is asked of random but not to fall behind
            holds = gap.value >= (0.0 if worse == STEPS[0] else FAR * gap.error)
            yield f"{better} above {worse}", f"{_errors(gap):.1f} SE, n {gap.count}", holds


def _ceiling(rows: Sequence[Row]) -> Iterator[_Found]:
    for standing in standings([row for row in rows if row.policy == "planner"]):
        yield f"planner at most {CEILING}", str(standing.score), standing.score.value <= CEILING


def _constants(rows: Sequence[Row]) -> Iterator[_Found]:
    for name in ("noop", *CONSTANT):
        gap = paired(rows, name, "random")
        if gap is not None and not (name in STOPPING and rows[0].task == "nogo"):  # see _scripts
            yield f"{name} at most random + {FAR:g} SE", str(gap), gap.value <= FAR * gap.error


def _memory(rows: Sequence[Row]) -> Iterator[_Found]:
    for standing in standings([row for row in rows if row.policy in ATTACKS]):
        if standing.task != "triage":
            name, profile = standing.policy, standing.profile
            yield f"{name}'s profile at most {MEMORY_CEILING}", str(profile), profile.value <= MEMORY_CEILING
            gap = paired(rows, "planner", name)
            if gap is not None:
                yield f"planner above {name}", f"{_errors(gap):.1f} SE, n {gap.count}", _errors(gap) > FAR


def _scripts(rows: Sequence[Row]) -> Iterator[_Found]:
    means = {s.policy: s.score.value for s in standings(rows)}
    for name in STOPPING:
        if name in means and "planner" in means:
            share = means[name] / means["planner"]
            yield f"{name} below {SCRIPT_SHARE} of the planner", f"{share:.2f}", share < SCRIPT_SHARE


def _steps(rows: Sequence[Row], tasks: Sequence[str]) -> list[str]:
    lines = [
        "",
        "## Steps of the ladder",
        "",
        "Paired by programme; the last but one column is the gap in its own standard errors.",
        "",
        *_GAPS,
    ]
    for task in tasks:
        of_task = [row for row in rows if row.task == task]
        for worse, better in pairwise(STEPS):
            lines += _gap(task, of_task, better, worse)
        lines += [line for attack in ATTACKS for line in _gap(task, of_task, "greedy", attack)]
    return lines


def _levels(rows: Sequence[Row], tasks: Sequence[str]) -> list[str]:
    found = standings([row for row in rows if row.policy == "planner" and row.task in tasks])
    lines = [
        "",
        "## Levels",
        "",
        "Families by the planner's mean score, with the level of the catalogue.",
        "",
    ]
    lines += ["| task | planner | level |", "|---|---|---|"]
    ranked = sorted(found, key=lambda s: -s.score.value)
    return [*lines, *(f"| {s.task} | {s.score} | {CATALOGUE[s.task].level} |" for s in ranked)]


def _dial(dial: Mapping[float, Sequence[Row]]) -> list[str]:
    if not dial:
        return []
    settings = sorted(dial)
    lines = [
        "",
        "## The difficulty dial",
        "",
        "The planner's mean score; n programmes a cell in the last column.",
    ]
    lines += ["", f"| task | {' | '.join(f'{setting:g}' for setting in settings)} | falls | n |"]
    lines += ["|---|" + "---|" * (len(settings) + 2)]
    by_setting = [{s.task: s.score for s in standings(dial[setting])} for setting in settings]
    for task in CATALOGUE:
        means = [scores[task] for scores in by_setting if task in scores]
        if len(means) == len(settings):
            falls = all(b.value <= a.value + math.hypot(a.error, b.error) for a, b in pairwise(means))
            cells = " | ".join(str(mean) for mean in means)
            counts = "/".join(str(mean.count) for mean in means)
            lines.append(f"| {task} | {cells} | {'yes' if falls else '**no**'} | {counts} |")
    return lines


def _by_target(rows: Sequence[Row], tasks: Sequence[str]) -> list[str]:
    lines = ["", "## Attacks against the planner, target by target", "", *_GAPS]
    for task in tasks:
        for target in TARGETS:
            of_target = [r for r in rows if r.task == task and target_of(r.task, r.split, r.seed) == target]
            for attack in ATTACKS:
                lines += _gap(f"{task}, {target}", of_target, "planner", attack)
    return lines


def _made_with() -> list[str]:
    lines = ["", "## Made with", "", "| file | SHA-256 |", "|---|---|"]
    return [*lines, *(f"| `{name}` | `{digest}` |" for name, digest in provenance.artefacts().items())]


_GAPS = ("| task | gap | score | in SE | programmes |", "|---|---|---|---|---|")


def _gap(label: str, rows: Sequence[Row], better: str, worse: str) -> list[str]:
    gap = paired(rows, better, worse)
    if gap is None:
        return []
    return [f"| {label} | {better} − {worse} | {gap} | {_errors(gap):.1f} | {gap.count} |"]


def _errors(gap: Mean) -> float:
    if gap.error:
        return gap.value / gap.error
    return math.copysign(math.inf, gap.value) if gap.value else 0.0


def read(journal: Path) -> tuple[list[Row], dict[float, list[Row]]]:
    """Return the rows of the default difficulty, and the planner's by difficulty.

    A match told twice counts once, the last telling.
    """
    plain: list[Row] = []
    dial: dict[float, list[Row]] = {}
    told = {(row.task, row.split, row.seed, row.policy, row.made_with): row for row in ladder.read(journal)}
    for row in told.values():
        if row.split != SPLIT:
            continue
        if row.made_with == provenance.stamp():
            plain += [row] if row.policy in ORDER else []
        elif row.policy == "planner" and row.made_with.startswith(provenance.stamp() + DIFFICULTY):
            dial.setdefault(float(row.made_with.split(DIFFICULTY)[1]), []).append(row)
    return plain, dial


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m redteam.report", description=__doc__)
    parser.add_argument("journal", type=Path, help="JSONL file of finished matches")
    parser.add_argument("--note", default="", help="a sentence on what this run left out")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows, dial = read(options.journal)
    options.out.write_text(render(rows, dial, note=options.note), encoding="utf-8")


if __name__ == "__main__":
    main()
