"""Worlds and tables that several tests share."""

from __future__ import annotations

import csv
import io
import random
import tarfile
from pathlib import Path

import pytest

from molforge.chem.structure import Structure, parse
from molforge.landscapes.pool import Pool
from molforge.landscapes.training.sources import SOURCES
from molforge.landscapes.world import World

ROLES = {
    "potency": "fxa",
    "anti_target": "thrombin_anti",
    "logd": "logd",
    "solubility": "solubility",
    "off_target": "off_target",
}


@pytest.fixture(scope="session")
def world() -> World:
    """Return a world of every kind of landscape."""
    return World(ROLES, key=b"a key")


@pytest.fixture(scope="session")
def structures() -> list[Structure]:
    """Return forty drug-like structures, some with stereocentres."""
    return [parse(smiles) for smiles in Pool.load("fxa").smiles[:40]]


@pytest.fixture(scope="session")
def csv_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small folder of tables laid out like the real one; activity grows with nitrogen."""
    folder = tmp_path_factory.mktemp("csv")
    rng = random.Random(0)
    designs = [smiles for target in ("thrombin", "fxa", "h3") for smiles in Pool.load(target).smiles[:40]]
    for source in SOURCES.values():
        for place, name in enumerate(source.files):
            rows = []
            for smiles in designs:
                activity = 4 + 0.4 * smiles.upper().count("N") + rng.gauss(0, 0.1)
                value = 10 ** (6 - activity) if source.raw else activity
                split = "test" if rng.random() < 0.2 else "train"
                if source.split != "file" or (split == "test") == bool(place):
                    rows.append({source.smiles: smiles, source.value: value, "split": split})
            _table(folder / name, rows)
    _table(folder / "ref/chembl_ring_systems.csv", [{"SMILES": "c1ccccc1", "InChI": "", "Count": 99}])
    (folder / "ref/chembl_drugs.smi").write_text("CC(=O)Oc1ccccc1C(=O)O aspirin\n")
    listing = "\n".join(designs[::2]).encode()
    with tarfile.open(folder / "ref/zinc250k.txt.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("zinc.txt")
        entry.size = len(listing)
        archive.addfile(entry, io.BytesIO(listing))
    return folder


def _table(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
