"""Many programmes at once, one attempt each.

An attempt is entered in the journal when the server has opened its programme, before the model's first call.
What was begun and not finished (the process was killed, the server or the endpoint went away) stays entered
as cut, at the floor; only ``again_cut`` gives it another attempt, and the standing tells how many there were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evidence.models.player import Attempt, EndpointFailed, Model, play
from molforge.client import MolforgeEnv, ServerRefusal
from molforge.evaluation import journal as journals

Key = tuple[str, str, str, str, int]


def read(journal: Path) -> dict[Key, Attempt]:
    """Return the attempts of a journal; of two lines on one programme the later counts."""
    found = (Attempt.from_json(line) for line in journals.read(journal))
    return {(a.model, a.settings, a.task, a.split, a.seed): a for a in found}


async def hold(
    url: str,
    model: Model,
    programmes: Sequence[tuple[str, str, int]],
    *,
    journal: Path,
    concurrency: int,
    made_with: str,
    settings: str = "",
    arguments: Mapping[str, Any] | None = None,
    again_cut: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Attempt]:
    """Play what is missing, ``concurrency`` programmes at a time, and return what was begun, in order.

    ``programmes`` are task, split and seed; ``settings`` name what else decides how the model plays.
    """
    known = read(journal)
    keys = [(model.name, settings, *programme) for programme in programmes]
    waiting = [k for k in keys if k not in known or (again_cut and known[k].ending == "cut")]
    if waiting:
        await model.check()
    seats = asyncio.Semaphore(concurrency)
    with journals.append_to(journal) as file:

        async def one(key: Key) -> None:
            name, _, task, split, seed = key
            number = known[key].number + 1 if key in known else 1
            attempt = Attempt(
                model=name, settings=settings, number=number, task=task, split=split, seed=seed,
                made_with=made_with,
            )  # fmt: skip

            def enter() -> None:
                known[key] = attempt
                journals.write(file, attempt.as_json())

            async with seats:
                try:
                    async with MolforgeEnv(base_url=url) as env:
                        await play(env, model, attempt, arguments or {}, enter)
                except (OSError, ServerRefusal, EndpointFailed) as why:
                    progress(f"{task} {split} {seed}: {'cut' if key in known else 'not begun'}: {why}")
                    return
                enter()
                progress(f"{task} {split} {seed}: {attempt.score:.3f} ({attempt.steps} steps)")

        async with asyncio.TaskGroup() as group:
            for key in waiting:
                group.create_task(one(key))
    return [known[key] for key in keys if key in known]
