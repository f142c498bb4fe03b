"""Options that the commands which play many matches share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from envs import CATALOGUE
from molforge.options import counted

ALL = tuple(CATALOGUE)


def add_tasks(parser: argparse.ArgumentParser, default: Sequence[str] = ALL) -> None:
    """Let families be chosen."""
    told = "all" if default == ALL else " ".join(default)
    told = f"of {', '.join(ALL)} (default: {told})"
    parser.add_argument("--tasks", nargs="+", choices=ALL, default=default, metavar="FAMILY", help=told)


def add_matches(parser: argparse.ArgumentParser) -> None:
    """Say where finished matches are kept and how many are played at once."""
    add = parser.add_argument
    told = "finished matches, to resume from"
    add("--journal", type=Path, default=Path(".cache/matches.jsonl"), metavar="FILE", help=told)
    add("--processes", type=counted, default=1, help="matches at once")
