"""What figures were made with: the version and the digests of the shipped artefacts."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import molforge

DATA = Path(__file__).parents[1] / "landscapes" / "data"


@cache
def artefacts() -> dict[str, str]:
    """Return file name to the first 16 hex digits of its SHA-256, for every model and pool."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in sorted(DATA.glob("*.mfl"))
    }


def stamp(**arguments: object) -> str:
    """Return a short text that changes with the version, any artefact, and further arguments of reset."""
    return _word() + "".join(f" {name}={value}" for name, value in sorted(arguments.items()))


@cache
def _word() -> str:
    text = repr((molforge.__version__, artefacts()))
    return f"{molforge.__version__}+{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def record() -> dict[str, object]:
    """Return what a report says of its making."""
    return {"version": molforge.__version__, "stamp": stamp(), "artefacts": artefacts()}
