"""The objectives that families choose from, before limits and weights are drawn."""

from __future__ import annotations

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

    def bounds(self) -> tuple[float, float]:
        """Return the range in which limits may lie; a difference of two assays has none."""
        if len(self.terms) > 1:
            return (-20.0, 20.0)
        assay: Assay = ASSAYS[self.assays[0]]
        return (assay.low + CENSORING_DISTANCE, assay.high - CENSORING_DISTANCE)


POTENCY = Template(
    name="potency",
    unit="pKi",
    kind=Kind.UP,
    span=1.2,
    terms=(("potency", 1),),
    assays=("potency", "potency_confirm"),
)
SELECTIVITY = Template(
    name="selectivity",
    unit="log units",
    kind=Kind.UP,
    span=1.2,
    terms=(("potency", 1), ("anti_target", -1)),
    assays=("potency", "potency_confirm", "anti_target"),
)
LOGD = Template(
    name="logd", unit="logD7.4", kind=Kind.WINDOW, span=0.72, terms=(("logd", 1),), assays=("logd",)
)
SOLUBILITY = Template(
    name="solubility",
    unit="log10(ug/mL)",
    kind=Kind.UP,
    span=0.6,
    terms=(("solubility", 1),),
    assays=("solubility",),
)
OFF_TARGET = Template(
    name="off_target",
    unit="pKi",
    kind=Kind.DOWN,
    span=0.9,
    terms=(("off_target", 1),),
    assays=("off_target",),
)
