"""The brief's profile as arithmetic on arrays: desirability, margin, and what has to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ANTI_TARGET = "anti_target"


@dataclass(frozen=True, slots=True)
class Objective:
    """One line of the target product profile."""

    name: str
    roles: tuple[str, ...]
    """Measured properties behind it; of two of them (selectivity) the first minus the second."""
    limits: tuple[float, ...]
    """``(L, U)``, windows ``(L, U, U', L')``: desirability is 0 at L and beyond, 1 at U and beyond."""
    weight: float

    def value(self, values: Mapping[str, Floats]) -> Floats:
        """Return the objective from the values of its properties."""
        first, *others = self.roles
        return values[first] - sum((values[role] for role in others), np.float64(0.0))

    def margin(self, values: Mapping[str, Floats]) -> Floats:
        """Return the distance inside the goal in ramp widths: 0 is just met, -1 just unacceptable."""
        x = self.value(values)
        unacceptable, met = self.limits[:2]
        margin = (x - met) / (met - unacceptable)
        if len(self.limits) == 4:
            met, unacceptable = self.limits[2:]
            margin = np.minimum(margin, (x - met) / (met - unacceptable))
        return margin

    def desirability(self, values: Mapping[str, Floats]) -> Floats:
        """Return 0 (unacceptable) to 1 (met)."""
        return np.clip(self.margin(values) + 1.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """The whole target product profile."""

    objectives: tuple[Objective, ...]

    @classmethod
    def from_brief(cls, brief: Mapping[str, Any]) -> Profile:
        """Read the objectives of a brief; weights are normalised to sum to 1."""
        reads = {str(line["assay"]): str(line.get("reads") or line["assay"]) for line in brief["menu"]}
        total = sum(float(line["weight"]) for line in brief["objectives"])
        return cls(tuple(_objective(line, reads, total) for line in brief["objectives"]))

    @property
    def roles(self) -> tuple[str, ...]:
        """Measured properties that some objective needs, in the order of the brief."""
        return tuple(dict.fromkeys(role for objective in self.objectives for role in objective.roles))

    def without(self, role: str) -> Profile:
        """Return the profile of the objectives that ``role`` does not enter; weights sum to 1 again."""
        kept = [objective for objective in self.objectives if role not in objective.roles]
        total = sum(objective.weight for objective in kept)
        return Profile(tuple(replace(objective, weight=objective.weight / total) for objective in kept))

    def desirability(self, values: Mapping[str, Floats]) -> Floats:
        """Return the weighted geometric mean of the desirabilities; 0 where any of them is 0."""
        each = np.stack([objective.desirability(values) for objective in self.objectives])
        weights = np.array([objective.weight for objective in self.objectives])
        logarithms = np.log(np.maximum(each, 1e-300))
        mean = np.exp(np.tensordot(weights, logarithms, axes=1))
        whole: Floats = np.where((each <= 0.0).any(axis=0), 0.0, mean)
        return whole

    def margin(self, values: Mapping[str, Floats]) -> Floats:
        """Return the smallest margin over the objectives."""
        smallest: Floats = np.stack([o.margin(values) for o in self.objectives]).min(axis=0)
        return smallest


def _objective(line: Mapping[str, Any], reads: Mapping[str, str], total: float) -> Objective:
    roles = dict.fromkeys(reads[assay] for assay in line["assays"])
    return Objective(
        name=str(line["name"]),
        roles=tuple(sorted(roles, key=lambda role: role == ANTI_TARGET)),
        limits=tuple(float(limit) for limit in line["limits"]),
        weight=float(line["weight"]) / total,
    )
