"""The console script ``server``: the other door that leads upward, to the OpenEnv entry point."""

from __future__ import annotations

import sys

from molforge._doors import open_bundle


def main() -> int:
    """Serve on 0.0.0.0:8000, or as the environment variables and options say, until told to stop."""
    open_bundle()
    from app.cli import main as command_line

    return command_line(["serve", "--host", "0.0.0.0", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
