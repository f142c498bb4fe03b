"""What landscapes there are. Imports nothing but the standard library, so that listing costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

DATA = Path(__file__).parent / "data"
"""Folder of the shipped artefacts and their data cards."""
TARGETS = ("thrombin", "fxa", "h3")
"""Potency models that have a pool of reference designs."""
ANTI: Mapping[str, str] = {"fxa": "thrombin_anti"}
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


def _record(name: str, kind: Kind, unit: str, title: str, licence: str) -> ModelRecord:
    return ModelRecord(name=name, kind=kind, unit=unit, title=title, licence=licence)


MODELS: Mapping[str, ModelRecord] = {
    record.name: record
    for record in (
        _record("thrombin", _POTENCY, "pKi", "Thrombin, human", _CHEMBL),
        _record("fxa", _POTENCY, "pKi", "Coagulation factor Xa, human", _CHEMBL),
        _record("h3", _POTENCY, "pKi", "Histamine H3 receptor, human", _CHEMBL),
        _record("thrombin_anti", _ANTITARGET, "pKi", "Thrombin, human, as an anti-target", _CHEMBL),
        _record("logd", _ADMET, "log D, pH 7.4", "Octanol-water distribution coefficient", _CHEMBL),
        _record("solubility", _ADMET, "log10 ug/mL, pH 6.8", "Solubility in buffer", "MIT"),
        _record("clearance", _ADMET, "log10 mL/min/kg", "Human liver microsomal clearance", "MIT"),
    )
}
"""Every landscape that has an artefact, by name."""


def pool_file(target: str) -> str:
    """Return the file name of a target's reference pool inside the data folder."""
    return f"pool_{target}.mfl"
