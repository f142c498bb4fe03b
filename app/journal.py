"""What was done in a session: enough to play it again, since environments are pure functions of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call that took effect."""

    kind: str
    """``reset`` or ``step``."""
    message: dict[str, Any]
    """Arguments of reset, or the action in its wire form."""
    reward: float
    done: bool


class Journal(Protocol):
    """Append-only record of the running episode of every session."""

    def append(self, session_id: str, entry: Entry) -> None:
        """Add an entry; a reset begins the session's record anew."""

    def entries(self, session_id: str) -> tuple[Entry, ...]:
        """Return the record of the running episode, oldest first; empty if there is none."""

    def forget(self, session_id: str) -> None:
        """Drop the record."""


class MemoryJournal:
    """A journal that ends with the process. An episode has at most 31 entries of a few kB."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = {}

    def append(self, session_id: str, entry: Entry) -> None:
        """Add an entry."""
        if entry.kind == "reset":
            self._entries[session_id] = [entry]
        else:
            self._entries.setdefault(session_id, []).append(entry)

    def entries(self, session_id: str) -> tuple[Entry, ...]:
        """Return the record of the running episode."""
        return tuple(self._entries.get(session_id, ()))

    def forget(self, session_id: str) -> None:
        """Drop the record."""
        self._entries.pop(session_id, None)
