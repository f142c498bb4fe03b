"""``molforge worlds audit``: regenerate programmes and prove that each is what it claims to be."""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envs import SPLITS
from envs.audit import Audit, audit, every_case, search_truth
from envs.environment import MolforgeEnvironment

PROGRESS_EVERY = 50
_HEAD = (
    "| family | split | n | redraws | plan score, least | plan / budget, most | share asked | got "
    "| dead | alive | reset ms p50 | p99 | reset bytes p50 | faults |"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to audit."""

    tasks: tuple[str, ...]
    splits: tuple[str, ...] = SPLITS
    count: int = 100
    difficulty: float | None = None
    jobs: int = 0
    """Processes; 0: one per core."""
    searches: int = 0
    """Dead programmes that a genetic search on the true values is let loose on."""
    evaluations: int = 5000
    out: Path | None = None


def worlds_audit(order: Order) -> int:
    """Audit, print a table, save the rows; return 1 where anything was wrong."""
    cases = every_case(order.count, tasks=order.tasks, splits=order.splits)
    rows: list[Audit] = []
    failed: list[str] = []
    with multiprocessing.Pool(order.jobs or os.cpu_count() or 1) as processes:
        asked = [(*case, order.difficulty) for case in cases]
        for done, found in enumerate(processes.imap_unordered(_one, asked, chunksize=4), 1):
            if isinstance(found, str):
                failed.append(found)
            else:
                rows.append(found)
                failed += [f"{found.task} {found.split} {found.seed}: {fault}" for fault in found.faults()]
            if done % PROGRESS_EVERY == 0:
                print(f"{done} of {len(cases)}, {len(failed)} faults", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: (order.tasks.index(row.task), row.split, row.seed))
    print("\n".join(table(rows)))
    searches = _searches(order)
    if order.out is not None:
        record = {"rows": [row.as_json() for row in rows], "failed": failed, "searches": searches}
        order.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for fault in failed:
        print(fault, file=sys.stderr)
    print(f"{len(rows)} programmes, {len(failed)} faults", file=sys.stderr)
    return 1 if failed or any(search["best_desirability"] > 0.0 for search in searches) else 0


def _one(case: tuple[str, str, int, float | None]) -> Audit | str:
    task, split, seed, difficulty = case
    try:
        return audit(task, split, seed, difficulty=difficulty)
    except Exception as why:  # noqa: BLE001 - whatever it is, it is this programme's fault to report
        return f"{task} {split} {seed}: {type(why).__name__}: {why}"


def table(rows: Sequence[Audit]) -> list[str]:
    """Return one line of markdown per family and split."""
    lines = [_HEAD, "|---" * (_HEAD.count("|") - 1) + "|"]
    groups: dict[tuple[str, str], list[Audit]] = {}
    for row in rows:
        groups.setdefault((row.task, row.split), []).append(row)
    for (task, split), group in groups.items():
        ms = sorted(row.reset_ms for row in group)
        cells = (
            task,
            split,
            len(group),
            sum(row.redraws for row in group),
            f"{min(row.plan_score for row in group):.3f}",
            f"{max(row.plan_share for row in group):.3f}",
            f"{group[0].asked_share:.5f}",
            f"{statistics.fmean(row.got_share for row in group):.5f}",
            sum(bool(row.is_dead) for row in group),
            sum(row.alive_members for row in group),
            f"{ms[len(ms) // 2]:.1f}",
            f"{ms[min(len(ms) - 1, int(0.99 * len(ms)))]:.1f}",
            sorted(row.reset_bytes for row in group)[len(group) // 2],
            sum(len(row.faults()) for row in group),
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return lines


def _searches(order: Order) -> list[dict[str, float]]:
    """Search dead programmes for anything alive, seeing their true values."""
    found: list[dict[str, float]] = []
    seed = 0
    while len(found) < order.searches and "nogo" in order.tasks:
        environment = MolforgeEnvironment()
        environment.reset({"task_id": "nogo", "split": order.splits[0], "seed": seed})
        programme = environment.episode.programme
        if programme.twins is not None and programme.twins.is_dead:
            result = search_truth(programme, evaluations=order.evaluations)
            found.append(
                {
                    "seed": seed,
                    "evaluations": result.evaluations,
                    "best_desirability": result.best_desirability,
                    "best_selectivity": result.best_selectivity,
                    "goal": result.goal,
                }
            )
            print(
                f"dead programme {seed}: {result.evaluations} structures, "
                f"best D {result.best_desirability:.4f}, best selectivity {result.best_selectivity:.3f}, "
                f"wanted {result.goal:.2f}",
                flush=True,
            )
        seed += 1
    return found
