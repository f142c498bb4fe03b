"""Builds the tables of known chemistry from a folder of CSV files, for ``environments``.

The reference holds the chemistry of every measured set (else a programme's own actives would be novel), the
approved drugs and a seeded sample of purchasable compounds. Only hashes are shipped, no structures.
"""

from __future__ import annotations

import csv
import io
import random
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rdkit import Chem

from molforge.chem.environments import (
    DATA,
    ENVIRONMENTS_FILE,
    RING_SYSTEMS_FILE,
    environments,
    pack_keys,
    ring_systems,
)
from molforge.chem.structure import parse
from molforge.errors import RefusedStructure

MIN_NEAR, MIN_FAR, MIN_RINGS = 5, 1, 10
"""Compounds that must hold an environment (radius 0-1, radius 2) or a ring system."""
PURCHASABLE_SAMPLE = 60_000
_SAMPLE_SEED = 20_090
_SMILES_COLUMNS = ("smiles", "SMILES", "canonical_smiles", "suspected_SMILES")
MEASURED = (  # every potency table of the landscapes is among them: else its own actives would be novel
    "potency_ace/*.csv",
    "panel_simpd/*.csv",
    "admet_biogen/ADME_public_set_*.csv",
    "herg/chembl_herg_log_activity.csv",
    "admet_nk/lipophilicity_AZ-lipo.csv",
    "moonshot/*.csv",
)
_DRUGS = "ref/chembl_drugs.smi"
_PURCHASABLE = "ref/zinc250k.txt.gz"
_RING_LIST = "ref/chembl_ring_systems.csv"


@dataclass(frozen=True, slots=True)
class Summary:
    """What one build read and wrote."""

    compounds: int
    near: int
    far: int
    rings: int


def build(
    csv_dir: Path, out_dir: Path = DATA, *, progress: Callable[[str], None] = lambda _: None
) -> Summary:
    """Read the folder, write both tables; same input, same bytes. Two to three minutes."""
    near: Counter[int] = Counter()
    far: Counter[int] = Counter()
    compounds: set[str] = set()
    texts = sorted(set(_texts(csv_dir)))
    for number, text in enumerate(texts, start=1):
        if number % 20_000 == 0:
            progress(f"reference chemistry: {number:,} of {len(texts):,} structures")
        try:
            structure = parse(text)
        except RefusedStructure:
            continue
        if structure.smiles in compounds:
            continue
        compounds.add(structure.smiles)
        found = environments(structure.mol)
        near.update(found.near)
        far.update(found.far)
    rings = _known_rings(csv_dir / _RING_LIST)
    tables = _frequent(near, MIN_NEAR), _frequent(far, MIN_FAR), _frequent(rings, MIN_RINGS)
    out_dir.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out_dir / ENVIRONMENTS_FILE,
        near=pack_keys(np.array(tables[0], np.uint32)),
        far=pack_keys(np.array(tables[1], np.uint32)),
    )
    np.savez_compressed(out_dir / RING_SYSTEMS_FILE, rings=np.array(tables[2], np.uint64))
    summary = Summary(len(compounds), *map(len, tables))
    progress(f"reference chemistry: {summary}")
    return summary


def _frequent(counts: Counter[int], least: int) -> list[int]:
    return sorted(key for key, count in counts.items() if count >= least)


def _texts(csv_dir: Path) -> Iterator[str]:
    """Yield the largest component of every structure of the reference."""
    for pattern in MEASURED:
        for path in sorted(csv_dir.glob(pattern)):
            with path.open(newline="", encoding="utf-8") as file:
                rows = csv.DictReader(file)
                column = next(name for name in _SMILES_COLUMNS if name in (rows.fieldnames or ()))
                for row in rows:
                    yield largest_component(row[column])
    for line in (csv_dir / _DRUGS).read_text().splitlines():
        yield largest_component(line)
    yield from _purchasable(csv_dir / _PURCHASABLE)


def largest_component(text: str) -> str:
    """Return the longest of the parts of a SMILES string, without its name or extension."""
    words = text.split()  # what follows the first is a name or a CXSMILES extension
    return max(words[0].split("."), key=len) if words else ""


def _purchasable(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                lines = io.TextIOWrapper(file, encoding="utf-8").read().split()
                return random.Random(_SAMPLE_SEED).sample(lines, min(PURCHASABLE_SAMPLE, len(lines)))
    return []


def _known_rings(path: Path) -> Counter[int]:
    """Return how many compounds hold each ring system, drawings of one ring system added up."""
    counts: Counter[int] = Counter()
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            mol = Chem.MolFromSmiles(row["SMILES"])
            systems = ring_systems(mol) if mol is not None else []
            if len(systems) == 1:
                counts[systems[0].key] += int(row["Count"])
    return counts
