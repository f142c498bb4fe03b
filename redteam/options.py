"""Options that the commands which play many matches share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from envs import CATALOGUE

ALL = tuple(CATALOGUE)


def add_tasks(parser: argparse.ArgumentParser, default: Sequence[str] = ALL) -> None:
    """Let families be chosen."""
    told = "all" if default == ALL else ", ".join(default)
    parser.add_argument(
        "--tasks", nargs="+", choices=ALL, default=default, help=f"families (default: {told})"
    )


def add_matches(parser: argparse.ArgumentParser) -> None:
    """Say where finished matches are kept and how many are played at once."""
    add = parser.add_argument
    add("--journal", type=Path, default=Path(".cache/matches.jsonl"), help="finished matches, to resume from")
    add("--processes", type=int, default=1, help="matches at once (default: 1)")
