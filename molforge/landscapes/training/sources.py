"""Which measurements the landscapes are made of, and how their tables are read."""

from __future__ import annotations

import csv
import hashlib
import random
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from molforge.chem.structure import Structure, framework, parse
from molforge.errors import RefusedStructure

DECOYS = 300
"""Drug-like structures presumed inactive in a potency model."""
DECOY_FILE = "ref/zinc250k.txt.gz"
_DECOY_SEED = 11
_TEST_SHARE = 51
"""Of 256 hash values, those whose framework goes to the test part where no split was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One property's tables and what its data card says of them."""

    files: tuple[str, ...]
    """Tables below the CSV folder; of two, the first is the training part."""
    smiles: str
    value: str
    split: str
    """How the test part is told: ``column``, ``file`` or ``framework``."""
    origin: str
    """Repository, commit and path."""
    citation: str
    released: str
    licence: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Measurements:
    """A table that has been read: structures with their values."""

    structures: tuple[Structure, ...]
    values: npt.NDArray[np.float64]
    is_train: npt.NDArray[np.bool_]
    refused: int
    """Rows left out: unreadable, or more than 50 heavy atoms."""

    def repeated(self) -> int:
        """Count test compounds that are in the training part too, as the skeleton sees them."""
        pairs = list(zip(self.structures, self.is_train.tolist(), strict=True))
        known = {structure.identity for structure, train in pairs if train}
        return sum(structure.identity in known for structure, train in pairs if not train)


_CHEMBL = "CC BY-SA 3.0"
_CHEMBL_CREDIT = (
    "Derived from ChEMBL (EMBL-EBI; Zdrazil et al., Nucleic Acids Res. 2024, "
    "52, D1180), whose content is CC BY-SA 3.0; this file is shared under the same licence."
)


def _moleculeace(table: str, target: str) -> Source:
    return Source(
        files=(f"potency_ace/{table}.csv",),
        smiles="smiles",
        value="y [pEC50/pKi]",
        split="column",
        origin=f"github.com/molML/MoleculeACE @ 7e6de0bd2968, MoleculeACE/Data/benchmark_data/{table}.csv",
        citation=(
            f"{target} Ki, ChEMBL 29, curated and split by van Tilborg, Alenicheva and Grisoni, "
            "J. Chem. Inf. Model. 2022, 62, 5938"
        ),
        released="2021-07 (ChEMBL 29)",
        licence=_CHEMBL,
        attribution=_CHEMBL_CREDIT,
    )


def _biogen(endpoint: str, what: str) -> Source:
    return Source(
        files=(f"admet_biogen/ADME_{endpoint}_train.csv", f"admet_biogen/ADME_{endpoint}_test.csv"),
        smiles="smiles",
        value="activity",
        split="file",
        origin=(
            "github.com/molecularinformatics/Computational-ADME @ b00df003de11, "
            f"MPNN/ADME_{endpoint}_train.csv and MPNN/ADME_{endpoint}_test.csv"
        ),
        citation=f"{what}, Biogen; Fang et al., J. Chem. Inf. Model. 2023, 63, 3263",
        released="2023",
        licence="MIT",
        attribution="Derived from data published by Biogen under the MIT licence (Fang et al. 2023).",
    )


SOURCES: Mapping[str, Source] = {
    "thrombin": _moleculeace("CHEMBL204_Ki", "Thrombin (CHEMBL204)"),
    "fxa": _moleculeace("CHEMBL244_Ki", "Coagulation factor Xa (CHEMBL244)"),
    "h3": _moleculeace("CHEMBL264_Ki", "Histamine H3 receptor (CHEMBL264)"),
    "thrombin_anti": _moleculeace("CHEMBL204_Ki", "Thrombin (CHEMBL204)"),
    "logd": Source(
        files=("admet_nk/lipophilicity_AZ-lipo.csv",),
        smiles="canonical_smiles",
        value="logD7.4",
        split="framework",
        origin="github.com/netknowledge/ADMET @ 0fcce6a64d09, datasets/lipophilicity_AZ-lipo.csv",
        citation=(
            "Octanol-water distribution at pH 7.4, AstraZeneca; deposited in ChEMBL as CHEMBL3301361 "
            "(Hersey 2015, doi 10.6019/CHEMBL3301361)"
        ),
        released="2015 (deposited set)",
        licence=_CHEMBL,
        attribution=_CHEMBL_CREDIT,
    ),
    "solubility": _biogen("Sol", "Solubility at pH 6.8"),
    "clearance": _biogen("HLM", "Intrinsic clearance in human liver microsomes"),
}
"""By model name."""


def measurements(csv_dir: Path, source: Source) -> Measurements:
    """Read a property's tables; rows that cannot be read as a compound are counted and left out."""
    structures, values, train, refused = [], [], [], 0
    for place, file in enumerate(source.files):
        for row in _rows(csv_dir / file):
            try:
                structure = parse(row[source.smiles])
            except RefusedStructure:
                refused += 1
                continue
            structures.append(structure)
            values.append(float(row[source.value]))
            train.append(_is_train(source, place, row, structure))
    return Measurements(tuple(structures), np.array(values), np.array(train, bool), refused)


def decoys(csv_dir: Path) -> tuple[Structure, ...]:
    """Draw the presumed inactives of the potency models from ZINC250k; the same ones every time."""
    with tarfile.open(csv_dir / DECOY_FILE) as archive:
        files = [file for member in archive if (file := archive.extractfile(member)) is not None]
        smiles = b"\n".join(file.read() for file in files).decode().split()
    found: list[Structure] = []
    for each in random.Random(_DECOY_SEED).sample(smiles, min(len(smiles), 2 * DECOYS)):
        try:
            found.append(parse(each))
        except RefusedStructure:
            continue
    return tuple(found[:DECOYS])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _is_train(source: Source, place: int, row: Mapping[str, str], structure: Structure) -> bool:
    if source.split == "column":
        return row["split"] == "train"
    if source.split == "file":
        return place == 0
    return hashlib.blake2b(framework(structure).encode()).digest()[0] >= _TEST_SHARE
