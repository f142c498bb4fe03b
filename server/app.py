"""Serves MolForge on 0.0.0.0:8000, or as the environment variables and options say."""

from __future__ import annotations

import sys

from app.cli import main as command_line


def main() -> int:
    """Serve until told to stop; return the exit code."""
    return command_line(["serve", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
