"""How commands that take long say where they are."""

from __future__ import annotations

import sys


def tell(line: str) -> None:
    """Write a line to stderr, at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
