"""Assays: what they read, what they cost, and how wrong they are.

One reading is ``signal + offset of the run + noise of the well``. The signal is the true value, or,
for an assay at one concentration, the inhibition in % that follows from it. The noise of a well is
normal with standard deviation ``sd``, four times that in 2 % of the wells (outliers); the offset of a
run is normal with ``run_sd`` and shared by all readings of one assay in one call. Prices (credits)
and standard deviations are our proposal; ``docs/game.md`` names the evidence behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from molforge import percent, seeding

OUTLIER_SHARE = 0.02
OUTLIER_SCALE = 4.0
Z90 = 1.6448536269514722
"""Half-width of the central 90 % interval of a standard normal."""
PRIOR_ART = "prior_art"


@dataclass(frozen=True)
class Assay:
    """One line of the menu."""

    name: str
    reads: str
    """The property it reads."""
    unit: str
    price: float
    """Credits for one reading."""
    sd: float
    run_sd: float
    low: float = -math.inf
    """Lowest value it can report; below it the reading is ``<low``."""
    high: float = math.inf
    micromolar: float | None = None
    """Concentration at which % inhibition is read; None: the property itself is reported."""

    @cached_property
    def inflation(self) -> float:
        """Half-width of the 90 % interval of one reading over that of a normal without outliers."""
        plain = math.hypot(self.sd, self.run_sd)
        if plain == 0.0:
            return 1.0
        wide = math.hypot(OUTLIER_SCALE * self.sd, self.run_sd)

        def coverage(half: float) -> float:
            inner = (1 - OUTLIER_SHARE) * math.erf(half / (plain * math.sqrt(2)))
            return inner + OUTLIER_SHARE * math.erf(half / (wide * math.sqrt(2)))

        lower, upper = plain, 3 * plain
        for _ in range(60):
            middle = (lower + upper) / 2
            lower, upper = (middle, upper) if coverage(middle) < 0.9 else (lower, middle)
        return upper / (Z90 * plain)

    @property
    def well_se(self) -> float:
        """Standard error that belongs to the single well, inflated for outliers."""
        return self.inflation * self.sd

    @property
    def run_se(self) -> float:
        """Standard error shared by all readings of one call."""
        return self.inflation * self.run_sd

    @property
    def se(self) -> float:
        """Stated standard error of one reading: half-width of its 90 % interval over 1.645."""
        return round(math.hypot(self.well_se, self.run_se), 4)

    @property
    def is_exact(self) -> bool:
        """A look-up rather than a measurement."""
        return self.sd == 0.0 and self.run_sd == 0.0

    def as_menu(self) -> dict[str, Any]:
        """Return what the agent is told of it."""
        line: dict[str, Any] = {
            "assay": self.name,
            "reads": self.reads,
            "unit": self.unit,
            "price": self.price,
            "se": round(self.se, 3),
            "run_se": round(self.run_se, 3),
        }
        if math.isfinite(self.low) or math.isfinite(self.high):
            line["range"] = [self.low, self.high]
        if self.micromolar is not None:
            line["micromolar"] = self.micromolar
        return line

    def signal(self, true: float) -> float:
        """Return what a reading without error shows of a property's true value, in the assay's unit."""
        return true if self.micromolar is None else percent.inhibition(true, self.micromolar)

    def read(self, true: float, *, key: bytes, call: int, identity: str, replicate: int) -> tuple[float, str]:
        """Return one reading as (value, qualifier).

        ``key`` is the episode's noise key, ``call`` the number of this assay's calls before this one,
        ``replicate`` the number of readings this compound has had from it: the same four give the
        same reading, in whatever order they are asked for.
        """
        if self.is_exact:
            return true, ""
        offset = self.run_sd * seeding.normal(key, "run", self.name, call)
        scale = (
            OUTLIER_SCALE
            if seeding.uniform(key, "outlier", self.name, identity, replicate) < OUTLIER_SHARE
            else 1.0
        )
        noise = self.sd * scale * seeding.normal(key, "well", self.name, identity, replicate)
        value = round(self.signal(true) + offset + noise, 2 if self.micromolar is None else 1)
        if value < self.low:
            return self.low, "<"
        if value > self.high:
            return self.high, ">"
        return value, ""


_STEEP = (15.0, 85.0)
"""Range of the % assays: within about 1.645 standard errors of 0 and 100 % the curve tells nothing."""

ASSAYS: dict[str, Assay] = {
    assay.name: assay
    for assay in (
        Assay("potency", "potency", "pKi", 4.0, 0.30, 0.10, 4.5, 11.0),
        Assay("potency_single", "potency", "%", 1.0, 8.0, 3.0, *_STEEP, micromolar=1.0),
        Assay("potency_single_10", "potency", "%", 1.0, 8.0, 3.0, *_STEEP, micromolar=10.0),
        Assay("potency_confirm", "potency", "pKi", 10.0, 0.17, 0.05, 4.5, 11.0),
        Assay("potency_variant", "potency_variant", "pKi", 4.0, 0.30, 0.10, 4.5, 11.0),
        Assay("anti_target", "anti_target", "pKi", 4.0, 0.30, 0.10, 3.0, 11.0),
        Assay("off_target", "off_target", "pKi", 4.0, 0.30, 0.10, 3.0, 10.0),
        Assay("off_target_2", "off_target_2", "pKi", 4.0, 0.30, 0.10, 3.0, 10.0),
        Assay("herg", "herg", "pIC50", 5.0, 0.45, 0.15, 4.0, 9.0),
        Assay("herg_patch", "herg", "pIC50", 20.0, 0.25, 0.08, 4.0, 9.0),
        Assay("hlm", "hlm", "log10(mL/min/kg)", 5.0, 0.20, 0.10, 0.3, 3.5),
        Assay("rlm", "rlm", "log10(mL/min/kg)", 5.0, 0.20, 0.10, 0.6, 4.0),
        Assay("solubility", "solubility", "log10(ug/mL)", 3.0, 0.35, 0.10, -1.5, 2.6),
        Assay("efflux", "efflux", "log10(B-A/A-B)", 8.0, 0.15, 0.05, -1.0, 2.5),
        Assay("ppb", "ppb", "log10(% unbound)", 6.0, 0.20, 0.08, -1.6, 2.0),
        Assay("logd", "logd", "logD7.4", 2.0, 0.15, 0.05, -2.0, 7.0),
        Assay(PRIOR_ART, PRIOR_ART, "similarity", 5.0, 0.0, 0.0),
    )
}
"""Every assay there is; a programme's menu is a selection."""


def make_price(sa_score: float) -> float:
    """Return the price of one synthesis in credits: ``10 + 4 (SA - 2)``, SA from 1 (easy) to 10.

    SA: Ertl and Schuffenhauer, J. Cheminform. 1, 8 (2009). The scale in credits is our proposal.
    """
    return round(10.0 + 4.0 * max(sa_score - 2.0, 0.0), 1)


def failure_probability(sa_score: float) -> float:
    """Return the probability in [0, 0.3] that one synthesis gives nothing."""
    return min(0.3, max(0.0, 0.15 * (sa_score - 3.0)))


def synthesis_fails(sa_score: float, *, key: bytes, identity: str, attempt: int) -> bool:
    """Draw the luck of one attempt (0, 1, ...) to make one compound in one episode."""
    return seeding.uniform(key, "make", identity, attempt) < failure_probability(sa_score)
