"""The whole training, in several processes: from a folder of CSVs to every data file of the package."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molforge.chem import reference
from molforge.errors import did_you_mean
from molforge.landscapes import curves
from molforge.landscapes.catalogue import MODELS, TARGETS, Kind
from molforge.landscapes.model import PropertyModel
from molforge.landscapes.training import cards, pools
from molforge.landscapes.training.build import build
from molforge.landscapes.training.pools import Effort
from molforge.landscapes.training.sources import SOURCES, decoys, measurements

Progress = Callable[[str], None]

CHEMISTRY = Path("chem", "data")
LANDSCAPES = Path("landscapes", "data")
"""Where the files lie below the output folder: as they do below the package."""
REFERENCE = "reference"
PARTS = (REFERENCE, *MODELS, *(f"pool_{target}" for target in TARGETS))
"""What can be made alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a process needs to know to make a part."""

    csv_dir: Path
    """Folder with the measured data, laid out as ``sources`` names the files."""
    out_dir: Path
    """Gets ``chem/data`` and ``landscapes/data``; the package's own folder, to renew it."""
    effort: Effort = field(default_factory=Effort)
    """How hard to look for reference designs; the default is what the package ships."""
    only: Sequence[str] = ()
    """Make nothing but these of ``PARTS``; a pool needs its models in the output folder."""
    resume: bool = False
    """Keep what an interrupted run finished: every data file whose card states its hash."""

    def parts(self) -> list[str]:
        """Return what is to be made, in order; raise ``ValueError`` where ``only`` names no part."""
        for name in self.only:
            if name not in PARTS:
                raise ValueError(f"no part named {name!r}{did_you_mean(name, list(PARTS))}")
        wanted = [name for name in PARTS if name in self.only or not self.only]
        return [name for name in wanted if not (self.resume and self._is_done(name))]

    def _is_done(self, name: str) -> bool:
        data, card = self.folder / f"{name}.mfl", self.folder / f"{name}.md"
        if not (data.exists() and card.exists()):
            return False
        return hashlib.sha256(data.read_bytes()).hexdigest() in card.read_text(encoding="utf-8")

    @property
    def folder(self) -> Path:
        """Where models and pools go."""
        return self.out_dir / LANDSCAPES


def train(order: Order, *, progress: Progress, processes: int = 1) -> None:
    """Rebuild the reference chemistry, all models, pools and cards (under 40 minutes on two cores).

    The same machine makes the same bytes, given one BLAS thread, however many processes share the work.
    Designs are judged by the reference chemistry of the installed package: to renew both, write into
    the package and run twice.

    Args:
        order: From where to where, and what of it.
        progress: Called with one line at a time, from a thread of its own.
        processes: That work at once; 1: this one alone.
    """
    started = time.monotonic()
    wanted = order.parts()
    order.folder.mkdir(parents=True, exist_ok=True)
    curves.make(order.folder)
    # a pool is searched on models: they come first
    stages = [name for name in wanted if not name.startswith("pool_")], wanted
    done: list[str] = []
    computed = 0.0
    for stage in stages:
        for name, seconds in _made(order, [name for name in stage if name not in done], processes, progress):
            done.append(name)
            computed += seconds / 60
            minutes = (time.monotonic() - started) / 60
            progress(f"{len(done)} of {len(wanted)} parts done after {minutes:.1f} minutes: {name}")
    cards.write(order.folder, "README", cards.index_card(list(MODELS), list(TARGETS)))
    minutes = (time.monotonic() - started) / 60
    progress(f"done in {minutes:.1f} minutes ({computed:.1f} of processor time)")


def make_part(name: str, order: Order, progress: Progress) -> tuple[str, float]:
    """Make one of ``PARTS`` and its card; return its name and the processor time in seconds."""
    started = time.process_time()
    if name == REFERENCE:
        reference.build(order.csv_dir, order.out_dir / CHEMISTRY, progress=progress)
    elif name in MODELS:
        _make_model(name, order, progress)
    else:
        _make_pool(name.removeprefix("pool_"), order, progress)
    return name, time.process_time() - started


def _make_model(name: str, order: Order, progress: Progress) -> None:
    data = measurements(order.csv_dir, SOURCES[name])
    potent = MODELS[name].kind is Kind.POTENCY
    inactives = [structure.tokens for structure in decoys(order.csv_dir)] if potent else []
    model, held = build(name, data, inactives, order.folder)
    cards.write(order.folder, name, cards.model_card(model, data, held))
    progress(
        f"model {name}: {model.measured:,} compounds; held out {held.compounds}, RMSE {held.rmse:.3f}, "
        f"Spearman {held.spearman:.3f}, 90 % intervals cover {held.coverage:.1%}"
    )


def _make_pool(target: str, order: Order, progress: Progress) -> None:
    data = measurements(order.csv_dir, SOURCES[target])
    pool = pools.make(target, data, order.folder, effort=order.effort, progress=progress)
    models = [PropertyModel.read(order.folder / f"{name}.mfl") for name in pools.models_for(target)]
    cards.write(order.folder, f"pool_{target}", cards.pool_card(pool, models, order.effort))
    progress(f"pool {target}: {len(pool):,} designs")


def _made(
    order: Order, names: Sequence[str], processes: int, progress: Progress
) -> Iterator[tuple[str, float]]:
    """Make parts and yield what ``make_part`` says of each when it is there."""
    if processes == 1 or len(names) < 2:
        yield from (make_part(name, order, progress) for name in names)
        return
    context = multiprocessing.get_context("spawn")
    lines = context.SimpleQueue()
    with (
        _told(lines, progress),
        ProcessPoolExecutor(processes, context, initializer=_listen, initargs=(lines,)) as workers,
    ):
        for made in as_completed([workers.submit(_work, name, order) for name in names]):
            yield made.result()


@contextmanager
def _told(lines: Any, progress: Progress) -> Iterator[None]:
    """Pass on what the workers put into the queue."""

    def follow() -> None:
        while (line := lines.get()) is not None:
            progress(line)

    listener = threading.Thread(target=follow, name="training progress", daemon=True)
    listener.start()
    try:
        yield
    finally:
        lines.put(None)
        listener.join()


_lines: Any = None


def _listen(lines: Any) -> None:
    global _lines  # noqa: PLW0603 - a worker has one parent to tell
    _lines = lines


def _work(name: str, order: Order) -> tuple[str, float]:
    return make_part(name, order, _lines.put)
