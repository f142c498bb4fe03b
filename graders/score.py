"""A score: one number in [0, 1] and the named parts it was made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Score:
    """What a grader returns. Refuses NaN and anything outside [0, 1] at construction."""

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, number in (("value", self.value), *self.parts.items()):
            if not math.isfinite(number) or not 0.0 <= number <= 1.0:
                raise ValueError(f"score part {name}={number} is not in [0, 1]")

    def __float__(self) -> float:
        return self.value
