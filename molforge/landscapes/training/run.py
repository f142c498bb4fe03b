"""The whole training: from a folder of CSVs to every data file of the package."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from molforge.chem import reference
from molforge.landscapes import curves
from molforge.landscapes.catalogue import MODELS, TARGETS
from molforge.landscapes.model import PropertyModel
from molforge.landscapes.training import cards, pools
from molforge.landscapes.training.build import build
from molforge.landscapes.training.pools import Effort
from molforge.landscapes.training.sources import SOURCES, Measurements, decoys, measurements

Progress = Callable[[str], None]

CHEMISTRY = Path("chem", "data")
LANDSCAPES = Path("landscapes", "data")
"""Where the files lie below the output folder: as they do below the package."""


def train(csv_dir: Path, out_dir: Path, *, progress: Progress, effort: Effort | None = None) -> None:
    """Rebuild the reference chemistry, all models, pools and cards (20 minutes on one core).

    The same machine makes the same bytes, given one BLAS thread. Designs are judged by the reference
    chemistry of the installed package: to renew both, write into the package and run twice.

    Args:
        csv_dir: Folder with the measured data, laid out as ``sources`` names the files.
        out_dir: Gets ``chem/data`` and ``landscapes/data``; the package's own folder, to renew it.
        progress: Called with one line at a time.
        effort: How hard to look for reference designs; the default is what the package ships.
    """
    started = time.monotonic()
    reference.build(csv_dir, out_dir / CHEMISTRY, progress=progress)
    folder = out_dir / LANDSCAPES
    tables = train_models(csv_dir, folder, progress=progress)
    make_pools(tables, folder, effort=effort or Effort(), progress=progress)
    cards.write(folder, "README", cards.index_card(list(MODELS), list(TARGETS)))
    progress(f"done in {(time.monotonic() - started) / 60:.1f} minutes")


def train_models(csv_dir: Path, folder: Path, *, progress: Progress) -> dict[str, Measurements]:
    """Build every model and its card; return the tables, for the pools."""
    folder.mkdir(parents=True, exist_ok=True)
    curves.make(folder)
    inactives = [structure.tokens for structure in decoys(csv_dir)]
    tables: dict[str, Measurements] = {}
    for name in MODELS:
        data = tables[name] = measurements(csv_dir, SOURCES[name])
        model, held = build(name, data, inactives, folder)
        cards.write(folder, name, cards.model_card(model, data, held))
        progress(
            f"model {name}: {model.measured:,} compounds; held out {held.compounds}, RMSE {held.rmse:.3f}, "
            f"Spearman {held.spearman:.3f}, 90 % intervals cover {held.coverage:.1%}"
        )
    return tables


def make_pools(tables: dict[str, Measurements], folder: Path, *, effort: Effort, progress: Progress) -> None:
    """Build every pool and its card from the models in ``folder``."""
    for target in TARGETS:
        pool = pools.make(target, tables[target], folder, effort=effort, progress=progress)
        models = [PropertyModel.read(folder / f"{name}.mfl") for name in pools.models_for(target)]
        cards.write(folder, f"pool_{target}", cards.pool_card(pool, models, effort))
        progress(f"pool {target}: {len(pool):,} designs")
