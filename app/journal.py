"""What was done in a session: enough to play it again, since environments are pure functions of it.

The journal *is* the session. An environment that is lost, with its worker, its server or its socket,
is made anew from the record; what is not in the record was not acknowledged and did not happen.
``MemoryJournal`` ends with the process, ``app.sqlite_journal.SqliteJournal`` does not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.hosting import Entry

__all__ = ["Entry", "ForeignJournal", "Journal", "MemoryJournal", "Past"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A session that a journal knows and no server has open."""

    session_id: str
    origin: str
    episode: int
    """Resets so far."""
    number: int
    """Steps of the running episode."""
    is_finished: bool = False
    """Whether it is over."""


class ForeignJournal(RuntimeError):
    """The file cannot serve as this server's journal; the message says why."""


class Journal(Protocol):
    """Append-only record of every session; the running episode of a session can be read back."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written at present, None if it can."""

    async def start(self) -> list[Past]:
        """Open the journal; return the sessions that can be resumed, longest unused first."""

    async def append(self, session_id: str, origin: str, entry: Entry) -> None:
        """Add an entry; return once it is kept. Raises ``JournalFailed``; then it is not."""

    async def entries(self, session_id: str) -> Sequence[Entry]:
        """Return the record of the running episode, its reset first; empty if there is none."""

    def forget(self, session_id: str) -> None:
        """Note that nobody will resume the session."""

    @property
    def is_heavy(self) -> bool:
        """Whether it holds more than it should: sessions without a place are to be forgotten."""

    async def close(self) -> None:
        """Write what is still to be written, and let go."""


MAX_BYTES = 64 * 2**20
"""Of all messages in memory, before sessions without a place are forgotten: 60,000 of 1 kB."""


class MemoryJournal:
    """A journal that ends with the process. An episode has at most 31 entries, most of 100 to 1000 bytes."""

    trouble = None

    def __init__(self) -> None:
        self._entries: dict[str, list[tuple[Entry, bytes]]] = {}
        """Messages as bytes: a text with one rare character takes four times as much."""
        self._size = 0
        """Bytes of all messages."""

    def __len__(self) -> int:
        return len(self._entries)

    async def start(self) -> list[Past]:
        """Return nothing: there is no past."""
        return []

    async def append(self, session_id: str, origin: str, entry: Entry) -> None:  # noqa: ARG002 - for others
        """Add an entry; a reset begins the record anew."""
        kept = entry._replace(message={}), json.dumps(entry.message, ensure_ascii=False).encode()
        self._size += len(kept[1])
        if entry.kind == "reset":
            self.forget(session_id)
            self._entries[session_id] = [kept]
        else:
            self._entries[session_id].append(kept)

    async def entries(self, session_id: str) -> Sequence[Entry]:
        """Return the record of the running episode."""
        kept = self._entries.get(session_id, ())
        return tuple(entry._replace(message=json.loads(message)) for entry, message in kept)

    def forget(self, session_id: str) -> None:
        """Drop the record."""
        self._size -= sum(len(message) for _, message in self._entries.pop(session_id, ()))

    @property
    def is_heavy(self) -> bool:
        """Whether all messages together are longer than ``MAX_BYTES``."""
        return self._size > MAX_BYTES

    async def close(self) -> None:
        """Do nothing."""
