"""``molforge export sft`` and ``molforge export tasks``: data sets for trainers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from envs import SPLIT_SIZE, SPLITS
from molforge.evaluation.progress import tell
from molforge.options import parser_of
from molforge.policies import NAMES
from redteam.options import add_tasks

KINDS = ("sft", "tasks")


def main(argv: Sequence[str] | None = None) -> int:
    """Write one data set; 0 when there are rows, 1 when none is good enough, 2 for wrong options."""
    parser = _parser()
    options = parser.parse_args(argv)
    if not 0 < options.programmes <= SPLIT_SIZE:
        parser.error(f"--programmes {options.programmes}: 1 to {SPLIT_SIZE} of each family")
    from evidence.datasets import episodes, files, tasks

    programmes = [(task, options.split, seed) for seed in range(options.programmes) for task in options.tasks]
    rows: Iterator[dict[str, Any]]
    if options.kind == "sft":
        rows = episodes.conversations(programmes, policy=options.policy, least=options.least)
    else:
        rows = tasks.tasks(programmes)
    try:
        count = files.write(_told(rows, len(programmes)), options.out, kind=options.kind)
    except ValueError as why:
        parser.error(str(why))
    except ImportError as why:
        parser.error(f"Parquet needs pyarrow (the extra `data`): {why}")
    sys.stdout.write(f"{count} rows of {len(programmes)} programmes in {options.out}\n")
    return 0 if count else 1


def _told(rows: Iterator[dict[str, Any]], programmes: int) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        score = f": {row['score']:.3f}" if "score" in row else ""
        tell(f"row {number}, {programmes} programmes: {row['task_id']} {row['seed']}{score}")
        yield row


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("molforge export", __doc__)
    add = parser.add_argument
    add("kind", choices=KINDS, help="conversations of a policy, or programmes to play")
    add(
        "--out", type=Path, required=True, metavar="FILE", help=".jsonl or .parquet; README.md goes beside it"
    )
    add_tasks(parser)
    add("--split", choices=SPLITS, default="train", help="which programmes")
    add("--programmes", type=int, default=100, help="of each family")
    add("--policy", choices=NAMES, default="planner", help="who plays (sft)")
    add("--least", type=float, default=0.5, help="lowest score of an episode that is kept (sft)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
