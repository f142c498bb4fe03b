"""``molforge export`` and ``molforge replay``: what is in a journal, and the proof that it plays the same."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import molforge
from app.channel import as_json
from app.encoding import loads
from app.environments import environment_factory
from app.hosting import Entry, Factory, Hosted, Reply
from app.journal import ForeignJournal
from app.sqlite_journal import check, connect, episodes
from molforge.errors import EnvironmentFault
from molforge.seeding import DEFAULT_SECRET, secret_fingerprint

PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A journal and the key of its worlds."""

    journal: Path
    secret: bytes | None = None

    @property
    def fingerprint(self) -> str:
        """What the journal must be marked with."""
        return secret_fingerprint(self.secret or DEFAULT_SECRET)


def export(source: Source, out: Path | None, *, with_observations: bool) -> int:
    """Write every episode to ``out`` or stdout; return the exit code.

    One JSON line an episode; a file named ``*.parquet`` has one row a call instead. Observations are not in
    a journal: they are played again, which needs the secret and the version that it was written with.
    """
    factory = environment_factory(source.secret) if with_observations else None
    try:
        with _reading(source, is_checked=with_observations) as database, _writer(out) as write:
            for number, (session_id, version, entries) in enumerate(episodes(database), 1):
                write(episode_line(session_id, version, entries, factory))
                if number % PROGRESS_EVERY == 0:
                    print(f"{number} episodes", file=sys.stderr)
    except (ForeignJournal, EnvironmentFault, OSError, sqlite3.Error, ImportError) as why:
        print(why, file=sys.stderr)
        return 1
    return 0


def episode_line(
    session_id: str, version: str, entries: list[Entry], factory: Factory | None = None
) -> dict[str, Any]:
    """Return one episode as it is exported."""
    opening, *steps = entries
    replies = (
        [] if factory is None else [loads(reply.body) for reply in _replies(factory, session_id, entries)]
    )
    line: dict[str, Any] = {
        "session_id": session_id,
        "episode": opening.episode,
        "version": version,
        "reset": opening.message,
        "digest": opening.digest,
        "reward": sum(entry.reward for entry in steps),
        "done": entries[-1].done,
        "steps": [
            {"action": entry.message, "reward": entry.reward, "done": entry.done, "digest": entry.digest}
            for entry in steps
        ],
    }
    if replies:
        line["observation"] = replies[0]["observation"]
        for step, reply in zip(line["steps"], replies[1:], strict=True):
            step["observation"] = reply["observation"]
    return line


def replay(source: Source) -> int:
    """Play every episode again and compare each reply; return the exit code."""
    factory = environment_factory(source.secret)
    same = different = other = 0
    try:
        with _reading(source, is_checked=True) as database:
            for session_id, version, entries in episodes(database):
                if version != molforge.__version__:
                    other += 1
                    continue
                try:
                    Hosted(factory, session_id).play_again(entries)
                    same += 1
                except EnvironmentFault as why:
                    print(why)
                    different += 1
                if (same + different) % PROGRESS_EVERY == 0:
                    print(f"{same + different} episodes", file=sys.stderr)
    except (ForeignJournal, OSError, sqlite3.Error) as why:
        print(why, file=sys.stderr)
        return 1
    skipped = f", {other} of other versions not played" if other else ""
    print(f"{same} episodes play exactly the same, {different} do not{skipped}")
    return 1 if different else 0


def _replies(factory: Factory, session_id: str, entries: list[Entry]) -> Iterator[Reply]:
    """Play an episode again; raise ``EnvironmentFault`` where it differs."""
    hosted = Hosted(factory, session_id)
    yield from map(hosted.play_one, entries)


@contextmanager
def _reading(source: Source, *, is_checked: bool) -> Iterator[sqlite3.Connection]:
    if not source.journal.is_file():
        raise ForeignJournal(f"no journal {source.journal}")
    with closing(connect(source.journal, is_reader=True)) as database:
        if is_checked:
            check(database, source.journal, source.fingerprint)
        yield database


@contextmanager
def _writer(out: Path | None) -> Iterator[Callable[[dict[str, Any]], object]]:
    """Yield what takes one episode after the other."""
    if out is not None and out.suffix == ".parquet":
        from app.commands.parquet import writing

        with writing(out) as write:
            yield write
    elif out is None:
        yield lambda line: sys.stdout.write(as_json(line).decode() + "\n")
    else:
        with out.open("w", encoding="utf-8") as file:
            yield lambda line: file.write(as_json(line).decode() + "\n")
