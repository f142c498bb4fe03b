"""What landscapes there are. Imports nothing but the standard library, so that listing costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DATA = Path(__file__).parent / "data"
"""Folder of the shipped artefacts and their data cards."""
TARGETS = (
    "thrombin", "fxa", "h3", "d2", "d3", "d4", "ppara", "pparg", "ppard", "ox2r",
    "pim1", "gsk3", "jak2", "mpro",
)  # fmt: skip
"""Potency models that have a pool of reference designs."""
ANTI: Mapping[str, str] = {
    "thrombin": "fxa_anti",
    "fxa": "thrombin_anti",
    "d2": "d3_anti",
    "d3": "d4_anti",
    "d4": "d3_anti",
    "ppara": "ppard_anti",
    "pparg": "ppara_anti",
    "pim1": "gsk3_anti",
}
"""Potency model to the model of the close relative it should spare."""
OFF_TARGET = "off_target"
"""The landscape without data: a random smooth function of structure, new in every world."""


class Kind(StrEnum):
    """How a model treats structures far from its data, and how far worlds may differ."""

    POTENCY = "potency"
    """Inactive prior (4.5), decoys, applicability weight; deviation squashed at 2 log units."""
    ANTITARGET = "antitarget"
    """Population prior, no weight: an inactive prior would reward leaving the data; squashed at 2."""
    ADMET = "admet"
    """Population prior, no weight; squashed at 1."""
    OFF_TARGET = "off_target"
    """No data at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """One landscape as the catalogue lists it."""

    name: str
    kind: Kind
    unit: str
    title: str
    licence: str

    @property
    def artefact(self) -> str:
        """File name of the model inside the data folder."""
        return f"{self.name}.mfl"


_CHEMBL = "CC BY-SA 3.0 (derived from ChEMBL)"
_POTENCY, _ANTITARGET, _ADMET = Kind.POTENCY, Kind.ANTITARGET, Kind.ADMET


def _record(name: str, kind: Kind, unit: str, title: str, licence: str = _CHEMBL) -> ModelRecord:
    return ModelRecord(name=name, kind=kind, unit=unit, title=title, licence=licence)


def _spared(target: ModelRecord) -> ModelRecord:
    title = f"{target.title}, as an anti-target"
    return _record(f"{target.name}_anti", _ANTITARGET, target.unit, title, target.licence)


_PPAR = "Peroxisome proliferator-activated receptor"
_POTENCIES = (
    _record("thrombin", _POTENCY, "pKi", "Thrombin, human"),
    _record("fxa", _POTENCY, "pKi", "Coagulation factor Xa, human"),
    _record("h3", _POTENCY, "pKi", "Histamine H3 receptor, human"),
    _record("d2", _POTENCY, "pKi", "Dopamine D2 receptor, human"),
    _record("d3", _POTENCY, "pKi", "Dopamine D3 receptor, human"),
    _record("d4", _POTENCY, "pKi", "Dopamine D4 receptor, human"),
    _record("ppara", _POTENCY, "pEC50", f"{_PPAR} alpha, human"),
    _record("pparg", _POTENCY, "pEC50", f"{_PPAR} gamma, human"),
    _record("ppard", _POTENCY, "pEC50", f"{_PPAR} delta, human"),
    _record("ox2r", _POTENCY, "pKi", "Orexin receptor 2, human"),
    _record("pim1", _POTENCY, "pKi", "Kinase PIM1, human"),
    _record("gsk3", _POTENCY, "pKi", "Glycogen synthase kinase-3 beta, human"),
    _record("jak2", _POTENCY, "pKi", "Kinase JAK2, human"),
    _record("mpro", _POTENCY, "pIC50", "SARS-CoV-2 main protease", "CC0 1.0"),
)
_RELATIVES = sorted({name.removesuffix("_anti") for name in ANTI.values()})

MODELS: Mapping[str, ModelRecord] = {
    record.name: record
    for record in (
        *_POTENCIES,
        *(_spared(record) for record in _POTENCIES if record.name in _RELATIVES),
        _record("logd", _ADMET, "log D, pH 7.4", "Octanol-water distribution coefficient"),
        _record("solubility", _ADMET, "log10 ug/mL, pH 6.8", "Solubility in buffer", "MIT"),
        _record("hlm", _ADMET, "log10 mL/min/kg", "Human liver microsomal clearance", "MIT"),
        _record("rlm", _ADMET, "log10 mL/min/kg", "Rat liver microsomal clearance", "MIT"),
        _record("efflux", _ADMET, "log10 ratio", "Efflux ratio in MDR1-MDCK cells", "MIT"),
        _record("ppb", _ADMET, "log10 % unbound", "Unbound in human plasma", "MIT"),
        _record("herg", _ADMET, "pIC50", "hERG potassium channel, human"),
    )
}
"""Every landscape that has an artefact, by name."""


def pool_file(target: str) -> str:
    """Return the file name of a target's reference pool inside the data folder."""
    return f"pool_{target}.mfl"
