"""Many programmes at once, one attempt each.

An attempt is entered in the journal before its first call. What was begun and not finished (the process was
killed, the server went away) stays entered as cut, at the floor; only ``again_cut`` gives it another attempt,
and the standing tells how many there were.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evidence.models.player import Attempt, Model, play
from molforge.client import MolforgeEnv, ServerRefusal

Key = tuple[str, str, str, int]


def read(journal: Path) -> dict[Key, Attempt]:
    """Return the attempts of a journal; of two lines on one programme the later counts."""
    if not journal.exists():
        return {}
    lines = (json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.strip())
    found = (Attempt.from_json(line) for line in lines)
    return {(a.model, a.task, a.split, a.seed): a for a in found}


async def hold(
    url: str,
    model: Model,
    programmes: Sequence[tuple[str, str, int]],
    *,
    journal: Path,
    concurrency: int,
    made_with: str,
    arguments: Mapping[str, Any] | None = None,
    again_cut: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Attempt]:
    """Play what is missing, ``concurrency`` programmes at a time, and return all attempts in order.

    ``programmes`` are task, split and seed.
    """
    known = read(journal)
    keys = [(model.name, *programme) for programme in programmes]
    waiting = [k for k in keys if k not in known or (again_cut and known[k].ending == "cut")]
    seats = asyncio.Semaphore(concurrency)
    with journal.open("a", encoding="utf-8") as file:

        def enter(attempt: Attempt) -> None:
            known[attempt.model, attempt.task, attempt.split, attempt.seed] = attempt
            file.write(json.dumps(attempt.as_json()) + "\n")
            file.flush()

        async def one(key: Key) -> None:
            async with seats:
                attempt = Attempt(model=key[0], task=key[1], split=key[2], seed=key[3], made_with=made_with)
                enter(attempt)
                try:
                    async with MolforgeEnv(base_url=url) as env:
                        await play(env, model, attempt, arguments or {})
                except (ConnectionError, OSError, ServerRefusal) as why:
                    progress(f"{key[1]} {key[3]}: cut: {why}")
                    return
                enter(attempt)
                progress(f"{key[1]} {key[2]} {key[3]}: {attempt.score:.3f} ({attempt.steps} steps)")

        async with asyncio.TaskGroup() as group:
            for key in waiting:
                group.create_task(one(key))
    return [known[key] for key in keys]
