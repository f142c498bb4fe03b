"""What readings of one property of one compound add up to: the one place where they are combined.

Readings of one assay in one call share the run offset and are averaged first; calls and assays
combine by inverse variance, with a flat prior. A censored reading enters at its bound. Readings in %
are averaged as they are and converted once; where half of them or more are censored, the assay gives
a bound, which counts only while no other assay has read the property.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from molforge.percent import potency_of, potency_se

BOUND_SE = 1.0
"""Standard error in log units of a value of which only a bound in % is known: little is."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What readings add up to."""

    value: float
    variance: float


@dataclass(frozen=True, slots=True)
class Run:
    """The readings of one compound by one assay in one call."""

    assay: str
    values: tuple[float, ...]
    qualifiers: tuple[str, ...]
    well_se: float
    run_se: float
    micromolar: float | None = None
    """Concentration of an assay that reports % inhibition; None where it reports the property itself."""


def variance_of_call(count: int, *, well_se: float, run_se: float) -> float:
    """Return the variance of the mean of ``count`` readings of one call: ``well_se^2/n + run_se^2``."""
    return well_se**2 / count + run_se**2


def combine(runs: Iterable[Run]) -> Estimate:
    """Return what the runs of one property add up to; there must be at least one."""
    direct: list[Run] = []
    percent: dict[str, list[Run]] = {}
    for run in runs:
        if run.micromolar is None:
            direct.append(run)
        else:
            percent.setdefault(run.assay, []).append(run)
    parts = [_of_run(run) for run in direct]
    bounds: list[tuple[str, float]] = []
    for of_assay in percent.values():
        bound = _bound(of_assay)
        if bound is None:
            parts.append(_converted(of_assay))
        else:
            bounds.append(bound)
    return _mean(parts) if parts else _between(bounds)


def _of_run(run: Run) -> Estimate:
    variance = variance_of_call(len(run.values), well_se=run.well_se, run_se=run.run_se)
    return Estimate(math.fsum(run.values) / len(run.values), max(variance, 1e-6))


def _mean(parts: Sequence[Estimate]) -> Estimate:
    weight = math.fsum(1.0 / part.variance for part in parts)
    return Estimate(math.fsum(part.value / part.variance for part in parts) / weight, 1.0 / weight)


def _converted(runs: Sequence[Run]) -> Estimate:
    mean = _mean([_of_run(run) for run in runs])
    micromolar = runs[0].micromolar or 1.0
    se = potency_se(mean.value, math.sqrt(mean.variance))
    return Estimate(potency_of(mean.value, micromolar), se**2)


def _bound(runs: Sequence[Run]) -> tuple[str, float] | None:
    """Return the bound that one assay's readings in % amount to, None where they say more."""
    read = [pair for run in runs for pair in zip(run.qualifiers, run.values, strict=True)]
    censored = [(qualifier, value) for qualifier, value in read if qualifier]
    if 2 * len(censored) < len(read):
        return None
    below = [value for qualifier, value in censored if qualifier == "<"]
    above = [value for qualifier, value in censored if qualifier == ">"]
    qualifier, value = (">", above[0]) if len(above) >= len(below) else ("<", below[0])
    return qualifier, potency_of(value, runs[0].micromolar or 1.0)


def _between(bounds: Sequence[tuple[str, float]]) -> Estimate:
    """Return the tightest bound, or the middle between the tightest two where there are both."""
    above = [value for qualifier, value in bounds if qualifier == ">"]
    below = [value for qualifier, value in bounds if qualifier == "<"]
    ends = [*([max(above)] if above else []), *([min(below)] if below else [])]
    return Estimate(math.fsum(ends) / len(ends), BOUND_SE**2)
