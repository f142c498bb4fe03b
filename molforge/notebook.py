"""The public notebook of a programme: compounds, readings, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from molforge import estimate
from molforge.assays import Assay
from molforge.estimate import Estimate, Run
from molforge.profile import Objective


@dataclass(slots=True, kw_only=True)
class Compound:
    """One registered structure."""

    id: str
    smiles: str
    identity: str
    properties: Mapping[str, float]
    alerts: tuple[str, ...]
    make_price: float
    """Credits for one attempt at the synthesis; 0 where the compound is in hand."""
    sa_score: float
    made: bool = False
    attempts: int = 0
    known: bool = False
    """Came with the brief."""

    def as_public(self) -> dict[str, Any]:
        """Return what the agent is told of it."""
        return {
            "id": self.id,
            "smiles": self.smiles,
            "made": self.made,
            "make_price": self.make_price,
            "properties": dict(self.properties),
            "alerts": list(self.alerts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of one compound by one assay."""

    compound: str
    assay: str
    reads: str
    value: float
    unit: str
    qualifier: str
    se: float
    well_se: float
    run_se: float
    call: int
    """Number of the laboratory call it came from; 0 for what came with the brief."""
    paid: bool
    micromolar: float | None = None
    """Concentration behind a reading in %; None for one in the unit of the property."""

    def as_public(self) -> dict[str, Any]:
        """Return what the agent is told of it."""
        return {
            "compound": self.compound,
            "assay": self.assay,
            "value": self.value,
            "unit": self.unit,
            "qualifier": self.qualifier,
            "se": round(self.se, 3),
            "call": self.call,
        }


def combine(readings: Iterable[Reading]) -> Estimate | None:
    """Return the estimate from readings of one property of one compound, None without a reading."""
    groups: dict[tuple[str, int], list[Reading]] = {}
    for reading in readings:
        groups.setdefault((reading.assay, reading.call), []).append(reading)
    if not groups:
        return None
    return estimate.combine(
        Run(
            assay=name,
            values=tuple(r.value for r in group),
            qualifiers=tuple(r.qualifier for r in group),
            well_se=group[0].well_se,
            run_se=group[0].run_se,
            micromolar=group[0].micromolar,
        )
        for (name, _), group in groups.items()
    )


@dataclass(slots=True)
class Notebook:
    """Everything the agent has been told."""

    compounds: dict[str, Compound] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    _by_identity: dict[str, str] = field(default_factory=dict)
    _by_compound: dict[str, dict[str, list[Reading]]] = field(default_factory=dict)
    _estimates: dict[tuple[str, str], Estimate] = field(default_factory=dict)

    def add(self, compound: Compound) -> None:
        """Register a compound under its id and identity."""
        self.compounds[compound.id] = compound
        self._by_identity[compound.identity] = compound.id

    def find(self, identity: str) -> Compound | None:
        """Return the compound that this identity was registered as, however it was drawn."""
        compound_id = self._by_identity.get(identity)
        return None if compound_id is None else self.compounds[compound_id]

    def next_id(self) -> str:
        """Return the id of the next compound: the lead is M1."""
        return f"M{len(self.compounds) + 1}"

    def record(self, reading: Reading) -> None:
        """File one reading."""
        self.readings.append(reading)
        self._by_compound.setdefault(reading.compound, {}).setdefault(reading.reads, []).append(reading)
        self._estimates.pop((reading.compound, reading.reads), None)

    def estimate(self, compound_id: str, name: str) -> Estimate | None:
        """Return what the readings of one property of a compound add up to, None without a reading."""
        found = self._estimates.get((compound_id, name))
        if found is None:
            found = combine(self.of(compound_id).get(name, ()))
            if found is not None:
                self._estimates[compound_id, name] = found
        return found

    def of(self, compound_id: str) -> Mapping[str, list[Reading]]:
        """Return the readings of a compound by property."""
        return self._by_compound.get(compound_id, {})

    def estimate_objective(self, objective: Objective, compound_id: str) -> Estimate | None:
        """Return the estimate of an objective, None while one of its properties has no reading."""
        value = variance = 0.0
        for name, sign in objective.terms:
            part = self.estimate(compound_id, name)
            if part is None:
                return None
            value += sign * part.value
            variance += part.variance
        return Estimate(value, variance)

    def count(self, compound_id: str, assay: Assay) -> int:
        """Return how many readings a compound has had from an assay."""
        return sum(r.assay == assay.name for r in self.of(compound_id).get(assay.reads, ()))
