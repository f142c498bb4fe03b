"""What a player may do now, each with the features that a network scores.

Structures come from ``suggest`` alone. Compounds are described by what their readings say of the brief's
own limits: ``value`` is the weighted geometric mean of desirabilities, an unread one counting ``UNREAD``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molforge.actions import MAX_STRUCTURES, Action, ActionType, Prediction
from molforge.assays import Z90
from molforge.policies.logbook import Compound, Logbook
from molforge.policies.objectives import Floats

UNREAD = 0.5
BEST = 3
"""Compounds, best first, that are offered as something to do with."""
BATCHES = (2, 4)
SUGGESTIONS = 4
MAX_STEPS = 12
"""Of a programme: short episodes, and as good as long ones."""
FULL_CALLS = 2
KINDS = ("suggest", "make", "sweep", "finish", "reread", "nominate", "stop")
SCALARS = (
    "value", "lead over the next best", "known", "calls", "is given", "objectives met", "size", "price",
    "budget left", "steps left", "best own value", "best own known", "has suggestions", "compounds made",
    "designs offered",
)  # fmt: skip
FEATURES = len(KINDS) * (1 + len(SCALARS))
"""Each scalar once for each kind: even a linear policy can tell when to do what."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to do."""

    action: Action
    features: Floats
    """Shape (FEATURES,)."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """One made compound as its readings show it."""

    compound: Compound
    value: float
    known: float
    """Share of the properties that have a reading."""
    calls: float
    """Paid calls of the least read property, over the two that make evidence complete."""
    met: float
    """Share of the objectives whose reading meets the goal."""


class Choices:
    """One programme in play; ``update`` reads an observation, ``options`` says what may be done."""

    def __init__(self, observation: Mapping[str, Any]) -> None:
        self.log = Logbook(observation)
        self._suggested: tuple[str, ...] = ()

    def update(self, observation: Mapping[str, Any]) -> None:
        """Read the answer to an action; suggestions stay until others come or they are made."""
        self.log.update(observation)
        found = tuple(line["smiles"] for line in observation["suggestions"])
        made = {line.get("smiles") for line in observation["compounds"]}
        self._suggested = found or tuple(s for s in self._suggested if s not in made)

    def options(self) -> list[Option]:
        """Return everything that may be done; never empty."""
        standings = sorted(map(self._standing, self.log.made), key=lambda s: -s.value)
        self._own = [s for s in standings if self._may_be_nominated(s.compound)]
        found = list(self._endings())
        if self.log.steps_left > 1:
            found += [*self._structures(standings), *self._readings(standings)]
        return found

    # --- what may be done ---------------------------------------------------------------------

    def _endings(self) -> Iterator[Option]:
        for standing in self._own[:BEST]:
            action = Action(
                action_type=ActionType.NOMINATE,
                compound=standing.compound.id,
                predicted=self._predicted(standing.compound),
            )
            yield self._option("nominate", action, standing)
        yield self._option("stop", Action(action_type=ActionType.STOP, reason="the learner stops"))

    def _structures(self, standings: Sequence[_Standing]) -> Iterator[Option]:
        if not self.log.offers_design:
            return
        for standing in standings[:BEST]:
            action = Action(action_type=ActionType.SUGGEST, compound=standing.compound.id, n=SUGGESTIONS)
            yield self._option("suggest", action, standing)
        roles = self.log.profile.roles
        for count in BATCHES:
            for chosen in {roles[:2], roles}:
                price = count * (16.0 + self.log.price(chosen))
                if count <= len(self._suggested) and price <= self.log.budget_left:
                    action = Action(
                        action_type=ActionType.ASSAY,
                        smiles=self._suggested[:count],
                        assays=self.log.assays(chosen),
                    )
                    size = (count / SUGGESTIONS) * (1.0 if chosen == roles else 0.5)
                    yield self._option("make", action, size=size, price=price)

    def _readings(self, standings: Sequence[_Standing]) -> Iterator[Option]:
        roles = self.log.profile.roles
        fresh = [s for s in standings if not s.compound.given or not self.log.offers_design]
        for number, role in enumerate(roles):
            lacking = [s for s in fresh if self.log.estimate(s.compound.id, role) is None][:MAX_STRUCTURES]
            if lacking:
                price = self.log.price([role]) * len(lacking)
                size = number / len(roles)
                yield from self._assay("sweep", lacking, (role,), price, size)
        for standing in [s for s in fresh if 0.0 < s.known < 1.0][:BEST]:
            missing = tuple(r for r in roles if self.log.estimate(standing.compound.id, r) is None)
            yield from self._assay("finish", [standing], missing, self.log.price(missing), len(missing) / 8)
        for standing in [s for s in self._own if s.known == 1.0][:BEST]:
            yield from self._assay("reread", [standing], roles, self.log.price(roles), 1.0)

    def _assay(
        self, kind: str, of: Sequence[_Standing], roles: tuple[str, ...], price: float, size: float
    ) -> Iterator[Option]:
        if price <= self.log.budget_left:
            action = Action(
                action_type=ActionType.ASSAY,
                compounds=tuple(standing.compound.id for standing in of),
                assays=self.log.assays(roles),
            )
            yield self._option(kind, action, of[0], size=size, price=price)

    # --- how it looks -------------------------------------------------------------------------

    def _option(
        self,
        kind: str,
        action: Action,
        standing: _Standing | None = None,
        *,
        size: float = 0.0,
        price: float = 0.0,
    ) -> Option:
        best = self._own[0] if self._own else None
        subject = standing or best
        scalars = (
            subject.value if subject else 0.0,
            self._distance(subject) if subject else 0.0,
            subject.known if subject else 0.0,
            subject.calls if subject else 0.0,
            float(subject.compound.given) if subject else 0.0,
            subject.met if subject else 0.0,
            size,
            5.0 * price / self.log.budget,
            self.log.budget_left / self.log.budget,
            self.log.steps_left / MAX_STEPS,
            best.value if best else 0.0,
            best.known if best else 0.0,
            float(bool(self._suggested)),
            min(len(self.log.own), 24) / 24.0,
            float(self.log.offers_design),
        )
        features = np.zeros((len(KINDS), 1 + len(SCALARS)))
        features[KINDS.index(kind)] = (1.0, *scalars)
        return Option(action, features.ravel())

    def _distance(self, standing: _Standing) -> float:
        others = [other.value for other in self._own if other.compound.id != standing.compound.id]
        return standing.value - max(others, default=0.0)

    def _standing(self, compound: Compound) -> _Standing:
        log, logarithm, met = self.log, 0.0, 0
        estimates = {role: log.estimate(compound.id, role) for role in log.profile.roles}
        for objective in log.profile.objectives:
            values = log.means(compound.id, objective.roles)
            if values is None:
                desirability = UNREAD
            else:
                desirability = float(objective.desirability(values)[0])
                met += desirability >= 1.0
            logarithm += objective.weight * np.log(max(desirability, 0.02))
        calls = min((0 if e is None else e.paid_calls) for e in estimates.values())
        return _Standing(
            compound,
            float(np.exp(logarithm)),
            sum(e is not None for e in estimates.values()) / len(estimates),
            min(calls, FULL_CALLS) / FULL_CALLS,
            met / len(log.profile.objectives),
        )

    def _may_be_nominated(self, compound: Compound) -> bool:
        return not (compound.given and self.log.offers_design) and not compound.properties.get("inside_claim")

    def _predicted(self, compound: Compound) -> dict[str, Prediction]:
        predicted = {}
        for objective in self.log.profile.objectives:
            parts = [self.log.estimate(compound.id, role) for role in objective.roles]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                value = known[0].mean - sum(part.mean for part in known[1:])
                half = Z90 * float(np.sqrt(sum(part.variance for part in known)))
                predicted[objective.name] = Prediction(value=value, low=value - half, high=value + half)
        return predicted
