"""The target product profile: objectives with ramps, and their weighted geometric mean.

Desirabilities follow Derringer and Suich, J. Qual. Technol. 12, 214 (1980): 0 is unacceptable,
1 is met, linear in between, and one 0 makes the whole profile 0.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Which way an objective points."""

    UP = "up"
    DOWN = "down"
    WINDOW = "window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One line of the profile."""

    name: str
    unit: str
    kind: Kind
    limits: tuple[float, ...]
    """``(L, U)``: desirability 0 at L, 1 at U (L above U for ``down``); windows ``(L, U, U', L')``."""
    weight: float
    """Share of the profile; the weights of a profile sum to 1."""
    terms: tuple[tuple[str, int], ...]
    """Properties and signs it is made of: ``(("potency", 1), ("anti_target", -1))``."""
    assays: tuple[str, ...]
    """Assays of the menu that read those properties."""
    prior_width: float
    """Width of the central 90 % of the objective over the reference pool, in its unit."""

    def desirability(self, value: float) -> float:
        """Return how acceptable ``value`` is, in [0, 1]."""
        if self.kind is Kind.WINDOW:
            low, low_met, high_met, high = self.limits
            return max(0.0, min(1.0, (value - low) / (low_met - low), (high - value) / (high - high_met)))
        unacceptable, met = self.limits
        return max(0.0, min(1.0, (value - unacceptable) / (met - unacceptable)))

    def value(self, properties: Mapping[str, float]) -> float:
        """Return the objective's value from the values of its properties."""
        return sum(sign * properties[name] for name, sign in self.terms)

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> Objective:
        """Return the objective of a recorded episode: the brief's fields and ``terms``."""
        return Objective(
            name=record["name"],
            unit=record["unit"],
            kind=Kind(record["kind"]),
            limits=tuple(record["limits"]),
            weight=record["weight"],
            terms=tuple((name, sign) for name, sign in record["terms"]),
            assays=tuple(record["assays"]),
            prior_width=record["prior_width"],
        )

    def as_record(self) -> dict[str, Any]:
        """Return what a recorded episode keeps of it."""
        return {**self.as_brief(), "terms": [list(term) for term in self.terms]}

    def as_brief(self) -> dict[str, Any]:
        """Return what the agent is told of it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "kind": str(self.kind),
            "limits": list(self.limits),
            "weight": self.weight,
            "assays": list(self.assays),
            "prior_width": self.prior_width,
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """All objectives of a programme."""

    objectives: tuple[Objective, ...]

    def objective(self, name: str) -> Objective:
        """Return the objective of that name."""
        return next(objective for objective in self.objectives if objective.name == name)

    def without(self, names: Collection[str]) -> Profile:
        """Return the profile of the objectives that no property in ``names`` enters; weights sum to 1."""
        kept = [o for o in self.objectives if not any(name in names for name, _ in o.terms)]
        total = math.fsum(objective.weight for objective in kept)
        return Profile(tuple(replace(objective, weight=objective.weight / total) for objective in kept))

    def desirability(self, properties: Mapping[str, float]) -> float:
        """Return D in [0, 1]: the weighted geometric mean over the objectives, with no floor."""
        log_sum = 0.0
        for objective in self.objectives:
            d = objective.desirability(objective.value(properties))
            if d <= 0.0:
                return 0.0
            log_sum += objective.weight * math.log(d)
        return math.exp(log_sum)

    def is_met(self, properties: Mapping[str, float]) -> bool:
        """Say whether every objective is fully met."""
        return all(o.desirability(o.value(properties)) >= 1.0 for o in self.objectives)

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the properties that the objectives are made of, each once, in order."""
        return tuple(dict.fromkeys(name for o in self.objectives for name, _ in o.terms))
