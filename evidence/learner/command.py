"""Train the learner: three seeds and three controls, curves and the conclusion. Finished runs are kept."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from molforge.evaluation import provenance
from molforge.evaluation.progress import tell
from molforge.options import counted, parser_of
from redteam.options import add_tasks

TASKS = ("triage", "potency", "selectivity")


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is missing, print the table, write JSON, Markdown and SVG."""
    options = _parser().parse_args(argv)
    try:
        from evidence.learner import curves
        from evidence.learner.training import Plan
    except ImportError as why:
        sys.stderr.write(f"the learner needs the extra `learn` (JAX and Optax): {why}\n")
        return 2
    options.keep.mkdir(parents=True, exist_ok=True)
    tasks = tuple(options.tasks)
    plan = Plan(
        seed=0, tasks=tasks, updates=options.updates, held_out=options.held_out, made_with=provenance.stamp()
    )
    plans = [replace(plan, seed=seed) for seed in options.seeds]
    controls = [replace(plan, seed=seed, is_control=True) for seed in options.control]
    done = [_kept(plan, options.keep, options.url) for plan in (*plans, *controls)]
    greedy = _greedy(tasks, options.held_out, options.keep)
    found = curves.summary(done[: len(plans)], done[len(plans) :], greedy)
    text = curves.table(found)
    sys.stdout.write(text + "\n")
    if options.out is not None:
        from redteam.measure import save

        save(options.out / "learner.json", found)
        curves.draw(found, options.out / "learner.svg")
    return 0


def _kept(plan: Any, folder: Path, url: str | None) -> dict[str, Any]:
    """Return a run, from the folder if it was finished before with the same plan."""
    from evidence.learner.training import train
    from redteam.servers import serving

    name = f"{'control' if plan.is_control else 'seed'}-{plan.seed}.json"
    path = folder / name
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept["plan"] == plan.as_json():
            return kept
    progress = _progress(name)
    checkpoint = path.with_suffix(".npz")
    if url is not None:
        found = train(url, plan, progress, checkpoint)
    else:
        with serving("--call-seconds", "600") as server:
            found = train(server.url, plan, progress, checkpoint)
    path.write_text(json.dumps(found) + "\n")
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def _greedy(tasks: Sequence[str], count: int, folder: Path) -> dict[str, Any]:
    """Return what greedy earns on the same held-out programmes with as many steps."""
    from envs.environment import MolforgeEnvironment
    from evidence.learner.choices import MAX_STEPS
    from molforge.evaluation import ladder
    from molforge.evaluation.table import Mean

    rows = ladder.run(
        MolforgeEnvironment,
        tasks=tasks,
        seeds=range(count),
        policies=ladder.honest(["greedy"]),
        split="validation",
        arguments={"max_steps": MAX_STEPS},
        journal=folder / "greedy.jsonl",
        progress=_progress("greedy"),
        made_with=provenance.stamp(),
    )
    return {task: Mean.of([row.score for row in rows if row.task == task]) for task in tasks}


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("python -m evidence.learner", __doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the runs")
    parser.add_argument("--control", type=int, nargs="*", default=[0, 1, 2], help="seeds of the control runs")
    add_tasks(parser, TASKS)
    parser.add_argument("--updates", type=counted, default=64, help="of 128 episodes each")
    parser.add_argument("--held-out", type=counted, default=40, help="validation programmes of each family")
    parser.add_argument(
        "--keep", type=Path, default=Path(".cache/learner"), help="finished runs, to resume from"
    )
    parser.add_argument("--url", metavar="URL", help="a running server (default: one for each run)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for learner.json and learner.svg")
    return parser


def _progress(name: str) -> Callable[[str], None]:
    return lambda line: tell(f"{name}: {line}")
