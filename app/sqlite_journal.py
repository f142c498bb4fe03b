"""The journal in a file: SQLite in WAL mode, written by one thread, many entries to a commit.

A committed entry survives the end of the process at any moment (``synchronous=NORMAL``: not that of
the machine's power). The file names the version that wrote it and the fingerprint of the secret, never
the secret: records are only worth something under the key they were made with. One server at a time
may write it (a lock on ``FILE.lock``); others may read while it does.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import molforge
from app.encoding import loads
from app.errors import JournalFailed
from app.hosting import Entry
from app.journal import ForeignJournal, Past

log = logging.getLogger(__name__)

FORMAT = "1"
PROBE_SECONDS = 1.0
"""Between two tries to write, while that fails."""
MAX_BATCH = 512
"""Jobs of one transaction."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, origin TEXT NOT NULL, version TEXT NOT NULL, episode INTEGER NOT NULL,
    number INTEGER NOT NULL, last_used REAL NOT NULL, is_closed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    session_id TEXT NOT NULL, episode INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
    message TEXT NOT NULL, memory TEXT, reward REAL NOT NULL, done INTEGER NOT NULL, digest TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (session_id, episode, number)
) WITHOUT ROWID;
"""
_ADD = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TOUCH = """
INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (id) DO UPDATE SET episode = excluded.episode, number = excluded.number,
    last_used = excluded.last_used, is_closed = 0
"""
_READ = """
SELECT kind, message, memory, reward, done, digest, episode, number FROM entries
WHERE session_id = ? AND episode = ? ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class _Job:
    """Something for the writing thread to do."""

    work: Callable[[sqlite3.Connection], Any]
    done: asyncio.Future[Any] | None
    is_write: bool = True


class SqliteJournal:
    """A journal that outlives the server."""

    def __init__(self, path: Path, *, fingerprint: str) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owed: list[_Job] = []
        """Sessions that were closed while nothing could be written."""
        self.trouble: str | None = None
        """Why the last write failed; None once one has succeeded again."""

    async def start(self) -> list[Past]:
        """Open or make the file; raise ``ForeignJournal``."""
        self._loop = asyncio.get_running_loop()
        connection = await asyncio.to_thread(self._open)
        self._thread = threading.Thread(target=self._write, args=(connection,), name="journal", daemon=True)
        self._thread.start()
        past: list[Past] = await self._ask(_resumable, is_write=False)
        return past

    async def append(self, session_id: str, origin: str, entry: Entry) -> None:
        """Add an entry; return once it is committed."""
        now = time.time()
        place = (entry.episode, entry.number)
        memory = None if entry.memory is None else json.dumps(entry.memory)
        row = (
            *(session_id, *place, entry.kind, json.dumps(entry.message), memory),
            *(entry.reward, entry.done, entry.digest, now),
        )

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_ADD, row)
            connection.execute(_TOUCH, (session_id, origin, molforge.__version__, *place, now))

        await self._ask(work)

    async def entries(self, session_id: str) -> Sequence[Entry]:
        """Return the record of the running episode."""
        found: Sequence[Entry] = await self._ask(
            lambda connection: _running_episode(connection, session_id), is_write=False
        )
        return found

    is_heavy = False
    """A file may grow."""

    def forget(self, session_id: str) -> None:
        """Mark the session as closed; its record stays, for export."""
        statement = "UPDATE sessions SET is_closed = 1 WHERE id = ?"
        self._jobs.put(_Job(lambda connection: connection.execute(statement, (session_id,)), None))

    async def close(self) -> None:
        """Write what is queued and close the file."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _ask(self, work: Callable[[sqlite3.Connection], Any], *, is_write: bool = True) -> Any:
        assert self._loop is not None
        done: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Job(work, done, is_write))
        try:
            return await done
        except sqlite3.Error as why:
            raise JournalFailed(str(why)) from why

    # --- in threads -------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            self._lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ForeignJournal(f"{self._path} is in use by another server") from None
        except OSError as why:
            raise ForeignJournal(f"cannot write beside {self._path}: {why.strerror}") from None
        try:
            connection = connect(self._path)
        except sqlite3.Error as why:
            raise ForeignJournal(f"{self._path} cannot be used as a journal: {why}") from None
        try:
            connection.executescript(_SCHEMA)
            about = {"format": FORMAT, "fingerprint": self._fingerprint, "version": molforge.__version__}
            connection.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", about.items())
            check(connection, self._path, self._fingerprint)
        except sqlite3.Error as why:
            connection.close()
            raise ForeignJournal(f"{self._path} cannot be used as a journal: {why}") from None
        except ForeignJournal:
            connection.close()
            raise
        return connection

    def _write(self, connection: sqlite3.Connection) -> None:
        with closing(connection):
            while (batch := self._next_batch())[0] is not None:
                self._carry_out(connection, [job for job in batch if job is not None])
                if batch[-1] is None:
                    break
            if owed := tuple(self._owed):
                self._carry_out(connection, owed)

    def _next_batch(self) -> list[_Job | None]:
        """Wait for a job; return it and those that wait already, up to the one that says stop.

        While nothing can be written it tries now and then, so that it is known when that is over.
        """
        try:
            batch = [self._jobs.get(timeout=PROBE_SECONDS if self.trouble or self._owed else None)]
        except queue.Empty:
            owed, self._owed = self._owed, []
            return [_Job(_probe, None), *owed]
        if self._owed and self.trouble is None:
            batch[:0], self._owed = self._owed, []
        with suppress(queue.Empty):
            while batch[-1] is not None and len(batch) < MAX_BATCH:
                batch.append(self._jobs.get_nowait())
        return batch

    def _carry_out(self, connection: sqlite3.Connection, batch: Sequence[_Job]) -> None:
        """Do a batch in one transaction: all of it is kept, or nothing."""
        answers: list[tuple[_Job, Any]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            answers = [(job, job.work(connection)) for job in batch]
            connection.execute("COMMIT")
            failure = None
        except sqlite3.Error as why:
            failure = why
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            answers = [(job, None) for job in batch]
            self._owed += [job for job in batch if job.done is None and job.work is not _probe]
        if failure is not None and self.trouble is None:
            log.error("the journal cannot be written: %s", failure)
        if failure is not None or any(job.is_write for job in batch):
            self.trouble = None if failure is None else str(failure)
        with suppress(RuntimeError):  # the loop has closed: nobody waits
            assert self._loop is not None
            self._loop.call_soon_threadsafe(_tell, answers, failure)


def _probe(connection: sqlite3.Connection) -> None:
    """Write something, to see whether it can be done."""
    connection.execute("INSERT OR REPLACE INTO about VALUES ('probed', ?)", (str(time.time()),))


def _tell(answers: list[tuple[_Job, Any]], failure: sqlite3.Error | None) -> None:
    for job, answer in answers:
        if job.done is None or job.done.done():
            continue
        if failure is None:
            job.done.set_result(answer)
        else:
            job.done.set_exception(failure)


def connect(path: Path, *, is_reader: bool = False) -> sqlite3.Connection:
    """Open the file; a reader never makes one."""
    if is_reader:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
    with suppress(sqlite3.Error):  # said again, and better, by the first statement that needs it
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def check(connection: sqlite3.Connection, path: Path, fingerprint: str) -> None:
    """Refuse the file of another format or secret; raise ``ForeignJournal``."""
    about = dict(connection.execute("SELECT name, value FROM about"))
    if about.get("format") != FORMAT:
        raise ForeignJournal(
            f"{path} has journal format {about.get('format')}; this version reads {FORMAT}: take another file"
        )
    if about.get("fingerprint") != fingerprint:
        raise ForeignJournal(
            f"{path} was written under another secret (fingerprint {about.get('fingerprint')}, "
            f"this server's is {fingerprint}): give that secret or take another file"
        )


def episodes(connection: sqlite3.Connection) -> Iterator[tuple[str, str, list[Entry]]]:
    """Yield (session id, version, entries) of every episode, in order of sessions."""
    listed = connection.execute(
        "SELECT DISTINCT e.session_id, s.version, e.episode FROM entries e "
        "JOIN sessions s ON s.id = e.session_id ORDER BY e.session_id, e.episode"
    )
    for session_id, version, episode in listed:
        rows = connection.execute(_READ, (session_id, episode))
        yield session_id, version, [_entry(row) for row in rows]


def _resumable(connection: sqlite3.Connection) -> list[Past]:
    rows = connection.execute(
        "SELECT s.id, origin, s.episode, s.number, e.done FROM sessions s JOIN entries e "
        "ON e.session_id = s.id AND e.episode = s.episode AND e.number = s.number "
        "WHERE is_closed = 0 AND version = ? ORDER BY last_used",
        (molforge.__version__,),
    )
    return [
        Past(session_id=session_id, origin=origin, episode=episode, number=number, is_finished=bool(done))
        for session_id, origin, episode, number, done in rows
    ]


def _running_episode(connection: sqlite3.Connection, session_id: str) -> list[Entry]:
    found = connection.execute("SELECT episode FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return [] if found is None else [_entry(row) for row in connection.execute(_READ, (session_id, *found))]


def _entry(row: tuple[Any, ...]) -> Entry:
    kind, message, memory, reward, done, digest, episode, number = row
    return Entry(
        kind=kind,
        message=loads(message),
        memory=None if memory is None else loads(memory),
        reward=reward,
        done=bool(done),
        digest=digest,
        episode=episode,
        number=number,
    )
