"""How much memory a process takes and how long it waits for a core, and a cap (Linux; elsewhere neither)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
MIB = 2**20


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MiB, shared pages included; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / MIB
    except (OSError, IndexError, ValueError):
        return 0.0


def proportional_kb(pid: int, *, part: str = "Pss") -> float:
    """Return the memory of a process in kB, each shared page divided by those who share it.

    ``part="Pss_Anon"``: without what it has of files, which changes when strangers map the same files.
    """
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{part}:"):
                return float(line.split()[1])
    return 0.0


def waited_seconds(pid: int) -> float:
    """Return for how long a process has been ready to run without getting a core, in seconds."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def cap_data(mb: float) -> None:
    """Let this process take so many MiB more than it has; beyond, allocations fail with MemoryError."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        limit = int(pages * _PAGE + mb * MIB)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
