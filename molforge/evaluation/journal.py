"""Files of one JSON object a line, written line by line and read again after whatever ended the writer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO


def read(path: Path | None) -> list[dict[str, Any]]:
    """Return the finished lines of a file; none where there is no file.

    A last line without its end was being written when the writer was stopped: it does not count.
    """
    if path is None or not path.exists():
        return []
    finished, end, _ = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    return [json.loads(line) for line in finished.splitlines() if line.strip()] if end else []


def append_to(path: Path) -> TextIO:
    """Open a file to write further lines; an unfinished last line is cut off first."""
    if path.exists():
        with path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
    return path.open("a", encoding="utf-8")


def write(file: TextIO, values: Mapping[str, Any]) -> None:
    """Write one line, at once."""
    file.write(json.dumps(values) + "\n")
    file.flush()
