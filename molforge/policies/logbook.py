"""What a policy knows of one programme: brief, compounds and readings, from observations only."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molforge.actions import Prediction
from molforge.assays import Z90
from molforge.estimate import Run, combine
from molforge.policies.objectives import Floats, Profile

PRIOR_ART = "prior_art"
PRIOR_ART_LIMIT = 0.85
"""A nominee more similar than this to a published active is worth nothing (rule of every brief)."""
CLAIM = "inside_claim"
"""Free property of compounds where the lead's series is claimed: 1 inside, worth nothing as a nominee."""
_CHANGE = "profile changes"
_DEAD = "programmes are dead"


@dataclass(frozen=True, slots=True)
class Assay:
    """One line of the menu."""

    name: str
    reads: str
    """The property it reads, for instance ``potency``; ``prior_art`` for the search."""
    price: float
    """Credits for one reading."""
    well_variance: float
    run_variance: float
    """Variance shared by all readings of one call."""
    micromolar: float | None = None
    """Concentration of an assay that reports % inhibition."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Inverse-variance mean of all readings of one compound and property."""

    mean: float
    variance: float
    paid_calls: int
    """Distinct calls behind it, those that came with the brief left out."""


@dataclass(frozen=True, slots=True)
class Compound:
    """One registered compound."""

    id: str
    smiles: str
    made: bool
    given: bool
    """Came with the brief: worth nothing as a nominee where designs are offered."""
    make_price: float
    properties: Mapping[str, float]

    @property
    def is_claimed(self) -> bool:
        """Say whether it lies inside somebody's claim."""
        return bool(self.properties.get(CLAIM))


class Logbook:
    """Everything seen so far; ``update`` reads one observation."""

    def __init__(self, observation: Mapping[str, Any]) -> None:
        brief = observation["brief"]
        self.programme = "/".join(str(observation.get(key, "")) for key in ("task_id", "split", "seed"))
        self.budget = float(brief["budget"])
        self.change_is_coming = any(_CHANGE in rule for rule in brief.get("rules", ()))
        """The profile will be another one when enough is spent."""
        self.has_changed = False
        self.may_be_dead = any(_DEAD in rule for rule in brief.get("rules", ()))
        """There may be no answer at all; then stopping is what earns."""
        self._assays: dict[str, Assay] = {}
        self._read_brief(brief)
        self.compounds: dict[str, Compound] = {}
        self.budget_left = self.budget
        self.steps_left = int(brief["max_steps"])
        self._readings: dict[tuple[str, str], dict[tuple[str, object], list[tuple[float, str]]]] = {}
        self._given = frozenset(entry["id"] for entry in observation["compounds"])
        self._given_calls = frozenset(line.get("call") for line in observation["readings"])
        self._estimates: dict[tuple[str, str], Estimate] = {}
        self._is_open = False
        self.update(observation)

    def _read_brief(self, brief: Mapping[str, Any]) -> None:
        self.menu = {str(line["assay"]): _assay(line) for line in brief["menu"]}
        self._assays.update(self.menu)
        self.profile = Profile.from_brief(brief)

    def update(self, observation: Mapping[str, Any]) -> None:
        """Read the answer to one reset or action; a brief in the answer replaces the one before."""
        self.budget_left = float(observation.get("budget_left", self.budget_left))
        self.steps_left = int(observation.get("steps_left", self.steps_left))
        for entry in observation.get("compounds") or ():
            if entry.get("id") and not entry.get("refused"):
                self.compounds[entry["id"]] = Compound(
                    id=entry["id"],
                    smiles=entry["smiles"],
                    made=bool(entry.get("made")),
                    given=entry["id"] in self._given,
                    make_price=float(entry.get("make_price") or 0.0),
                    properties=entry.get("properties") or {},
                )
        if self._is_open and observation.get("brief"):
            self._read_brief(observation["brief"])
            self.change_is_coming, self.has_changed = False, True
        self._is_open = True
        for line in observation.get("readings") or ():
            self._note(line)

    def _note(self, line: Mapping[str, Any]) -> None:
        assay = self._assays.get(line["assay"])
        if assay is None:
            return
        key = (str(line["compound"]), assay.reads)
        calls = self._readings.setdefault(key, {})
        read = (float(line["value"]), str(line.get("qualifier") or ""))
        calls.setdefault((assay.name, line.get("call")), []).append(read)
        self._estimates.pop(key, None)

    def estimate(self, compound: str, role: str) -> Estimate | None:
        """Return what the readings say of one property of one compound, or None without readings."""
        key = (compound, role)
        if key not in self._readings:
            return None
        if key not in self._estimates:
            self._estimates[key] = self._combine(self._readings[key])
        return self._estimates[key]

    def means(self, compound: str, roles: Iterable[str]) -> dict[str, Floats] | None:
        """Return role to the mean of its readings, shape (1,); None where one of them is unread."""
        estimates = {role: self.estimate(compound, role) for role in roles}
        values = {role: np.array([found.mean]) for role, found in estimates.items() if found is not None}
        return values if len(values) == len(estimates) else None

    def predictions(self, compound: str) -> dict[str, Prediction]:
        """Return the 90 % intervals that the readings alone give, for objectives that are wholly read."""
        predicted = {}
        for objective in self.profile.objectives:
            parts = [self.estimate(compound, role) for role in objective.roles]
            known = [part for part in parts if part is not None]
            if known and len(known) == len(parts):
                value = known[0].mean - math.fsum(part.mean for part in known[1:])
                half = Z90 * math.sqrt(math.fsum(part.variance for part in known))
                predicted[objective.name] = Prediction(value=value, low=value - half, high=value + half)
        return predicted

    def _combine(self, calls: Mapping[tuple[str, object], list[tuple[float, str]]]) -> Estimate:
        found = combine(self._run(name, read) for (name, _), read in calls.items())
        paid = sum(call not in self._given_calls for _, call in calls)
        return Estimate(found.value, found.variance, paid)

    def _run(self, name: str, read: Sequence[tuple[float, str]]) -> Run:
        assay = self._assays[name]
        values, qualifiers = zip(*read, strict=True)
        return Run(
            assay=name,
            values=values,
            qualifiers=qualifiers,
            well_se=math.sqrt(assay.well_variance),
            run_se=math.sqrt(assay.run_variance),
            micromolar=assay.micromolar,
        )

    def is_read(self, compound: str) -> bool:
        """Say whether every property of the profile has a reading."""
        return all((compound, role) in self._readings for role in self.profile.roles)

    def standard(self, role: str) -> Assay:
        """Return the cheapest assay that reports ``role`` itself.

        Those at one concentration cost less still, but are silent more than .7 log units from it: what
        a programme has to decide lies beyond.
        """
        reading = [assay for assay in self.menu.values() if assay.reads == role]
        direct = [assay for assay in reading if assay.micromolar is None]
        return min(direct or reading, key=lambda assay: assay.price)

    def price(self, roles: Iterable[str]) -> float:
        """Return the price of one standard reading of each of ``roles``."""
        return sum(self.standard(role).price for role in roles)

    def assays(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the standard assays of ``roles``."""
        return tuple(self.standard(role).name for role in roles)

    @property
    def has_prior_art(self) -> bool:
        """Say whether the menu offers the prior-art search."""
        return any(assay.reads == PRIOR_ART for assay in self.menu.values())

    def is_prior_art(self, compound: str) -> bool | None:
        """Return what the search said of a compound, None where it was not asked."""
        found = self.estimate(compound, PRIOR_ART)
        return None if found is None else found.mean > PRIOR_ART_LIMIT

    @property
    def offers_design(self) -> bool:
        """Say whether new structures can be made: where the set is given, it comes without readings."""
        return bool(self._given_calls)

    @property
    def made(self) -> list[Compound]:
        """Compounds that can be measured, in the order they were registered."""
        return [compound for compound in self.compounds.values() if compound.made]

    @property
    def claimed_lead(self) -> Compound | None:
        """Return the compound whose series is claimed, None where there is no claim."""
        lead = next(iter(self.compounds.values()), None)
        return lead if lead is not None and lead.is_claimed else None

    @property
    def own(self) -> list[Compound]:
        """Made compounds that did not come with the brief."""
        return [compound for compound in self.made if not compound.given]

    @property
    def start(self) -> Compound:
        """The first compound of the brief that lies outside a claim; the first where all lie inside."""
        given = [compound for compound in self.made if compound.given]
        return next((compound for compound in given if not compound.is_claimed), given[0])

    def stream(self, *names: object) -> random.Random:
        """Return a random stream that depends on the programme and ``names`` alone."""
        return random.Random("/".join([self.programme, *map(str, names)]))


def _assay(line: Mapping[str, Any]) -> Assay:
    se, run_se = float(line.get("se") or 0.0), float(line.get("run_se") or 0.0)
    return Assay(
        name=str(line["assay"]),
        reads=str(line.get("reads") or line["assay"]),
        price=float(line["price"]),
        well_variance=max(se**2 - run_se**2, 0.0),
        run_variance=run_se**2,
        micromolar=line.get("micromolar"),
    )
