"""The processes of a server, as Linux shows them."""

from __future__ import annotations

from pathlib import Path


def tree(pid: int) -> list[int]:
    """Return a process and all below it; those that are gone meanwhile are left out."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(below for child in children for below in tree(int(child)))]


def memory_mb(pid: int) -> dict[int, float]:
    """Return the private memory of a process and of all below it."""
    return {process_id: _private_mb(process_id) for process_id in tree(pid)}


def _private_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0
    rows = (line.split() for line in lines)
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Clean:", "Private_Dirty:")) / 1024
