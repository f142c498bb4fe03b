"""Make ``app``, ``envs`` and ``graders`` importable in processes whose main program is MolForge."""

from __future__ import annotations

import sys
from pathlib import Path

BUNDLE = Path(__file__).parent / "_bundle"
"""Where a wheel keeps the folders that lie beside ``molforge/`` in a checkout."""


def open_bundle() -> None:
    """Put the wheel's bundle first on ``sys.path``; in a checkout there is none and nothing happens."""
    path = str(BUNDLE)
    if BUNDLE.is_dir() and path not in sys.path:
        sys.path.insert(0, path)
