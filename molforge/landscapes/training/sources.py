"""Which measurements the landscapes are made of, and how their tables are read."""

from __future__ import annotations

import csv
import hashlib
import math
import random
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from molforge.chem.reference import largest_component
from molforge.chem.structure import Structure, framework, parse
from molforge.errors import RefusedStructure
from molforge.landscapes.catalogue import ANTI

DECOYS = 300
"""Drug-like structures presumed inactive in a potency model."""
DECOY_FILE = "ref/zinc250k.txt.gz"
_DECOY_SEED = 11
_TEST_SHARE = 51
"""Of 256 hash values, those whose framework goes to the test part where no split was published."""
_COMMON = 0.1
"""A framework of more than this share of the compounds stays in the training part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One property's tables and what its data card says of them."""

    files: tuple[str, ...]
    """Tables below the CSV folder; of two, the first is the training part."""
    smiles: str
    """Column of the structure."""
    value: str
    """Column of the measurement, in log units unless ``raw``."""
    split: str
    """How the test part is told: ``column`` (series are in both parts), ``file`` or ``framework``."""
    origin: str
    """Repository, commit and path."""
    citation: str
    released: str
    licence: str
    attribution: str
    raw: bool = False
    """A registry's own export: structures may be salts or carry an extension, values are IC50 in umol/L,
    censored ones (``> 99.5``) among them, which are left out."""

    @property
    def is_mixed(self) -> bool:
        """Whether training and test part hold the same series, so that the likelihood's noise is right."""
        return self.split == "column"


@dataclass(frozen=True, slots=True)
class Measurements:
    """A table that has been read: structures with their values."""

    structures: tuple[Structure, ...]
    values: npt.NDArray[np.float64]
    is_train: npt.NDArray[np.bool_]
    refused: int
    """Rows left out: unreadable, more than 50 heavy atoms, or no plain number."""

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
    chembl, kind = table.split("_")
    return Source(
        files=(f"potency_ace/{table}.csv",),
        smiles="smiles",
        value="y [pEC50/pKi]",
        split="column",
        origin=f"github.com/molML/MoleculeACE @ 7e6de0bd2968, MoleculeACE/Data/benchmark_data/{table}.csv",
        citation=(
            f"{target} ({chembl}) {kind}, ChEMBL 29, curated and split by van Tilborg, Alenicheva and "
            "Grisoni, J. Chem. Inf. Model. 2022, 62, 5938"
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


_POTENCY: Mapping[str, Source] = {
    "thrombin": _moleculeace("CHEMBL204_Ki", "Thrombin"),
    "fxa": _moleculeace("CHEMBL244_Ki", "Coagulation factor Xa"),
    "h3": _moleculeace("CHEMBL264_Ki", "Histamine H3 receptor"),
    "d2": Source(
        files=("panel_simpd/CHEMBL217-1.csv",),
        smiles="canonical_smiles",
        value="pchembl_value",
        split="column",
        origin=(
            "github.com/rinikerlab/molecular_time_series @ 794260fe2cb2, "
            "datasets/chemblKi_SIMPD/CHEMBL217-1.csv"
        ),
        citation=(
            "Dopamine D2 receptor (CHEMBL217) Ki from a single assay, ChEMBL 32; curated and split as time "
            "would by Landrum, Beckers, Lanini, Schneider, Stiefl and Riniker, J. Cheminform. 2023, 15, 119"
        ),
        released="2023 (ChEMBL 32)",
        licence=_CHEMBL,
        attribution=_CHEMBL_CREDIT,
    ),
    "d3": _moleculeace("CHEMBL234_Ki", "Dopamine D3 receptor"),
    "d4": _moleculeace("CHEMBL219_Ki", "Dopamine D4 receptor"),
    "ppara": _moleculeace("CHEMBL239_EC50", "Peroxisome proliferator-activated receptor alpha"),
    "pparg": _moleculeace("CHEMBL235_EC50", "Peroxisome proliferator-activated receptor gamma"),
    "ppard": _moleculeace("CHEMBL3979_EC50", "Peroxisome proliferator-activated receptor delta"),
    "ox2r": _moleculeace("CHEMBL4792_Ki", "Orexin receptor 2"),
    "pim1": _moleculeace("CHEMBL2147_Ki", "Serine/threonine-protein kinase PIM1"),
    "gsk3": _moleculeace("CHEMBL262_Ki", "Glycogen synthase kinase-3 beta"),
    "jak2": _moleculeace("CHEMBL2971_Ki", "Tyrosine-protein kinase JAK2"),
    "mpro": Source(
        files=("moonshot/cdd_noncovalent_dates_2023_10_18_filt.csv",),
        smiles="suspected_SMILES",
        value="IC50_(µM)",
        split="framework",
        raw=True,
        origin=(
            "github.com/asapdiscovery/COVID_moonshot_data_clean @ bb7317c5f8c1, "
            "cdd_noncovalent_dates_2023_10_18_filt.csv"
        ),
        citation="SARS-CoV-2 main protease IC50, COVID Moonshot; Boby et al., Science 2023, 382, eabo7201",
        released="2023-10-18",
        licence="CC0 1.0",
        attribution="Derived from data that the COVID Moonshot consortium gave to the public domain.",
    ),
}

SOURCES: Mapping[str, Source] = {
    **_POTENCY,
    **{name: _POTENCY[name.removesuffix("_anti")] for name in sorted(set(ANTI.values()))},
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
    "hlm": _biogen("HLM", "Intrinsic clearance in human liver microsomes"),
    "rlm": _biogen("RLM", "Intrinsic clearance in rat liver microsomes"),
    "efflux": _biogen("MDR1_ER", "Efflux ratio (B to A over A to B) in MDR1-MDCK cells"),
    "ppb": _biogen("hPPB", "Binding to human plasma proteins, measured and from the literature"),
    "herg": Source(
        files=("herg/chembl_herg_log_activity.csv",),
        smiles="smiles",
        value="pIC50",
        split="framework",
        origin=(
            "github.com/PatWalters/practical_cheminformatics_tutorials @ 370dc6642881, "
            "data/chembl_herg_log_activity.csv"
        ),
        citation="hERG (CHEMBL240) IC50 of many assays, ChEMBL, gathered by Walters",
        released="before 2024 (ChEMBL release not stated)",
        licence=_CHEMBL,
        attribution=_CHEMBL_CREDIT,
    ),
}
"""By model name."""


def measurements(csv_dir: Path, source: Source) -> Measurements:
    """Read a property's tables; rows that cannot be read as a compound are counted and left out."""
    structures, values, train, refused = [], [], [], 0
    for place, file in enumerate(source.files):
        for row in _rows(csv_dir / file):
            value = _value(row, source)
            try:
                structure = parse(_text(row, source))
            except RefusedStructure:
                structure = None
            if structure is None or value is None:
                refused += 1
                continue
            structures.append(structure)
            values.append(value)
            train.append(place == 0 if source.split == "file" else row.get("split") == "train")
    if source.split == "framework":
        train = _framework_split(structures)
    return Measurements(tuple(structures), np.array(values), np.array(train, bool), refused)


def measured_texts(csv_dir: Path, source: Source) -> list[tuple[str, float]]:
    """Return every measured structure as its table writes it, readable or not, with its value."""
    rows = [row for file in source.files for row in _rows(csv_dir / file)]
    pairs = [(_text(row, source), _value(row, source)) for row in rows]
    return [(text, value) for text, value in pairs if value is not None]


def _text(row: Mapping[str, str], source: Source) -> str:
    text = row[source.smiles]
    return largest_component(text) if source.raw else text


def _value(row: Mapping[str, str], source: Source) -> float | None:
    """Return a measurement in log units; None where only a bound is given."""
    number = row[source.value]
    if not source.raw:
        return float(number)
    try:
        return 6 - math.log10(float(number))
    except ValueError:
        return None


def decoys(csv_dir: Path) -> tuple[Structure, ...]:
    """Draw the presumed inactives of the potency models from ZINC250k; the same ones every time."""
    smiles = purchasable(csv_dir / DECOY_FILE)
    found: list[Structure] = []
    for each in random.Random(_DECOY_SEED).sample(smiles, min(len(smiles), 2 * DECOYS)):
        try:
            found.append(parse(each))
        except RefusedStructure:
            continue
    return tuple(found[:DECOYS])


def purchasable(path: Path) -> list[str]:
    """Return the structures of an archive of purchasable compounds."""
    with tarfile.open(path) as archive:
        files = [file for member in archive if (file := archive.extractfile(member)) is not None]
        return b"\n".join(file.read() for file in files).decode().split()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _framework_split(structures: Sequence[Structure]) -> list[bool]:
    """Return which compounds train: whole frameworks stay together, and a dominant one is not held out."""
    frameworks = [framework(structure) for structure in structures]
    counts = Counter(frameworks)
    common = _COMMON * len(structures)
    digests = {each: hashlib.blake2b(each.encode()).digest()[0] for each in counts}
    return [counts[each] > common or digests[each] >= _TEST_SHARE for each in frameworks]
