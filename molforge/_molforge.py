"""The console script ``molforge``: one of the two doors that lead upward, to ``app``."""

from __future__ import annotations

import sys

from molforge._doors import open_bundle


def main() -> int:
    """Run the command line and return its exit code."""
    open_bundle()
    from app.cli import main as command_line

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
