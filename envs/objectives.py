"""The objectives that families choose from, before limits and weights are drawn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from molforge.assays import ASSAYS, Assay
from molforge.profile import Kind

CENSORING_DISTANCE = 0.3
"""No limit of a profile lies closer than this to a bound of the assay that reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One objective: what it is made of, which way it points and how steep its ramp is."""

    name: str
    unit: str
    kind: Kind
    span: float
    """Width of the ramp from unacceptable to met, in the objective's unit."""
    terms: tuple[tuple[str, int], ...]
    assays: tuple[str, ...]
    tightness: tuple[float, float] = (0.5, 1.5)
    """Range from which the programme's tightness is drawn uniformly: 0 asks for nothing of this objective."""

    def bounds(self) -> tuple[float, float]:
        """Return the range in which limits may lie; a difference of two assays has none."""
        if len(self.terms) > 1:
            return (-20.0, 20.0)
        assay: Assay = ASSAYS[self.assays[0]]
        return (assay.low + CENSORING_DISTANCE, assay.high - CENSORING_DISTANCE)


def _single(name: str, unit: str, kind: Kind, span: float, *assays: str) -> Template:
    """Return an objective on one property of the same name."""
    return Template(name=name, unit=unit, kind=kind, span=span, terms=((name, 1),), assays=assays or (name,))


_POTENCY_ASSAYS = ("potency", "potency_confirm", "potency_single", "potency_single_10")
"""The standard one first, as in every template."""

POTENCY = _single("potency", "pKi", Kind.UP, 1.2, *_POTENCY_ASSAYS)
POTENCY_VARIANT = _single("potency_variant", "pKi", Kind.UP, 1.2)
SELECTIVITY = Template(
    name="selectivity",
    unit="log units",
    kind=Kind.UP,
    span=1.2,
    terms=(("potency", 1), ("anti_target", -1)),
    assays=(*_POTENCY_ASSAYS, "anti_target"),
)
LOGD = _single("logd", "logD7.4", Kind.WINDOW, 0.72)
SOLUBILITY = _single("solubility", "log10(ug/mL)", Kind.UP, 0.6)
HLM = _single("hlm", "log10(mL/min/kg)", Kind.DOWN, 0.5)
EFFLUX = _single("efflux", "log10(B-A/A-B)", Kind.DOWN, 0.5)
HERG = _single("herg", "pIC50", Kind.DOWN, 0.9, "herg", "herg_patch")
OFF_TARGET = _single("off_target", "pKi", Kind.DOWN, 0.9)
STRICT_OFF_TARGET = dataclasses.replace(OFF_TARGET, tightness=(2.8, 3.8))
"""Beside three others met by a tenth of the pool or fewer. What no model knows is asked for most strictly:
were all objectives alike, four readings would do for whoever holds the models."""
STRICTER_OFF_TARGET = dataclasses.replace(OFF_TARGET, tightness=(4.5, 5.5))
"""Where the four compounds that come read tell such a player most of the rest."""
OFF_TARGET_2 = _single("off_target_2", "pKi", Kind.DOWN, 0.9)
