"""Whether a programme can be solved at all, where the brief says that a third cannot.

In a dead programme a compound's potency at the relative is at least its potency at the target less a
bound below the selectivity ramp; in one that can be solved the bound lies above the goal
(``docs/game.md``). So of every compound that was read at both, the other compounds forecast what the relative
should read without a bound, and its own potency what it reads with one; the reading says which of the two
is nearer. The odds are the product over compounds, averaged over where the bound may lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from molforge.policies.forecasting import Outlook
from molforge.policies.logbook import Compound, Logbook
from molforge.policies.objectives import ANTI_TARGET, Floats, Objective

DEAD_SHARE = 1 / 3
"""Of the programmes, before anything is read."""
DEAD_BOUND = (-0.3, 0.0)
"""Where the bound of a dead programme lies, from the unacceptable selectivity."""
SOLVABLE_BOUND = (0.3, 1.0)
"""Where that of the others lies, from the selectivity goal."""
PLACES = 4
TEMPER = 0.87
"""Weight of a compound's evidence: neighbours were chosen for like reasons and say partly the same."""
SILENCE = 0.2
"""What a compound adds to the log odds of being dead before its evidence: the forecasts learn from readings
under the coupling and half explain it away. Both fitted on 99 programmes of ``train``."""
UNCONVINCED, CONVINCED = 4.0, 8.0
"""Compounds' worth of proof up to which a stop earns nothing, and from which it earns all it can."""
MARGIN = 0.85
"""What is bought of that by one's own reckoning, which counts half of what the referee does: forecasts that
learnt from readings under the coupling hold it for less likely."""

_LEVELS = np.array([NormalDist().inv_cdf((i + 0.5) / 12) for i in range(12)])
_cdf = np.vectorize(NormalDist().cdf, otypes=[np.float64])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the readings say of the programme."""

    dead: float
    """Probability that it cannot be solved."""
    compounds: list[Compound]
    """Own compounds read at the relative, those whose next reading adds most to the proof first."""
    gains: Floats
    """What one further reading of each is expected to add in a dead programme."""
    proof: float
    """What the readings paid so far are expected to prove in a dead programme: compounds' worth."""

    @property
    def missing(self) -> float:
        """Return how much proof is still wanted."""
        return max(0.0, MARGIN * CONVINCED - self.proof)

    def worth_of_stopping(self, further: float) -> float:
        """Return what a stop is expected to earn after ``further`` proof, unspent credits aside."""
        convinced = ((self.proof + further) / MARGIN - UNCONVINCED) / (CONVINCED - UNCONVINCED)
        return 0.9 * self.dead * min(1.0, max(0.0, convinced))


@dataclass(frozen=True, slots=True)
class _Read:
    """Compounds that were read at target and relative."""

    rows: list[int]
    potency: Floats
    potency_variance: Floats
    anti: Floats
    anti_variance: Floats
    calls: Floats
    own: Floats
    """What the other compounds forecast for the relative, without any bound ..."""
    own_variance: Floats

    def likelihood(self, bound: float) -> Floats:
        """Return the logarithm of each reading's density under a bound on selectivity."""
        capped, free = self._densities(bound)
        density: Floats = np.log(capped + free + 1e-12)
        return density

    def _densities(self, bound: float) -> tuple[Floats, Floats]:
        """Return each reading's density together with being held by the bound, and with being free of it."""
        floor = self.potency - bound
        noise = self.anti_variance + self.potency_variance
        capped = self._held(floor) * _density(self.anti - floor, noise)
        total = self.own_variance + self.anti_variance
        after = (self.own * self.anti_variance + self.anti * self.own_variance) / total
        spread = np.sqrt(self.own_variance * self.anti_variance / total)
        free = _density(self.anti - self.own, total) * _cdf((after - floor) / spread)
        return capped, free

    def _held(self, floor: Floats) -> Floats:
        chance: Floats = _cdf((floor - self.own) / np.sqrt(self.own_variance))
        return chance

    def proof(self, dead: float, solvable: float, variance: float, calls: Floats) -> Floats:
        """Return what ``calls`` readings with this variance are expected to prove, by compound, in [-1, 1].

        Only a compound that the bound of the dead holds reads otherwise in the solvable; its own reading says
        whether it is held. A log likelihood ratio of mean m has the variance 2m.
        """
        capped, free = self._densities(dead)
        floor = self.potency - dead
        own = self.own + _LEVELS[:, None] * np.sqrt(self.own_variance)
        gaps = np.maximum(floor - np.maximum(own, self.potency - solvable), 0.0)
        ratios = gaps**2 * calls / (2.0 * variance)
        shares = np.clip(ratios + _LEVELS[:, None, None] * np.sqrt(2.0 * ratios), -1.0, 1.0)
        held = np.maximum(self._held(floor), 1e-6)
        expected: Floats = capped / (capped + free + 1e-12) * shares.mean(axis=(0, 1)) / held
        return np.minimum(expected, 1.0)


def judge(log: Logbook, compounds: Sequence[Compound], outlook: Outlook, good: Floats) -> Verdict | None:
    """Return the verdict; None where nothing of the policy's own was read at the relative yet.

    ``compounds`` are the measured ones, in the rows of ``outlook``; ``good`` is how desirable each is
    expected to be by the objectives that do not ask for the relative.
    """
    objective = next((o for o in log.profile.objectives if ANTI_TARGET in o.roles), None)
    read = None if objective is None else _read(log, compounds, outlook, objective)
    if objective is None or read is None:
        return None
    unacceptable, goal = objective.limits[:2]
    dead = [unacceptable + shift for shift in _places(DEAD_BOUND)]
    solvable = [goal + shift for shift in _places(SOLVABLE_BOUND)]
    prior = math.log(DEAD_SHARE / (1.0 - DEAD_SHARE))
    odds = prior + TEMPER * (_averaged(read, dead) - _averaged(read, solvable)) + SILENCE * len(read.rows)
    assay = log.standard(ANTI_TARGET)
    variance = assay.well_variance + assay.run_variance
    places = np.array([read.likelihood(bound).sum() for bound in dead])
    likely = np.exp(places - places.max())

    def proof(calls: Floats) -> Floats:
        each = [read.proof(bound, float(np.mean(solvable)), variance, calls) for bound in dead]
        shares: Floats = good[read.rows] * np.average(each, axis=0, weights=likely)
        return shares

    now = proof(read.calls)
    gains = proof(read.calls + 1.0) - now
    order = np.argsort(-gains, kind="stable").tolist()
    return Verdict(
        dead=probability(odds),
        compounds=[compounds[read.rows[place]] for place in order],
        gains=gains[order],
        proof=float(now.sum()),
    )


def _read(
    log: Logbook, compounds: Sequence[Compound], outlook: Outlook, objective: Objective
) -> _Read | None:
    target = objective.roles[0]
    rest = outlook.left_out(ANTI_TARGET)
    found = []
    for row, mean, variance in zip(rest.rows.tolist(), rest.means, rest.variances, strict=True):
        potency, anti = (log.estimate(compounds[row].id, role) for role in (target, ANTI_TARGET))
        if not compounds[row].given and potency is not None and anti is not None:
            calls = anti.paid_calls
            found.append(
                (row, potency.mean, potency.variance, anti.mean, anti.variance, calls, mean, variance)
            )
    if not found:
        return None
    rows, *columns = zip(*found, strict=True)
    return _Read(list(rows), *(np.array(column, dtype=np.float64) for column in columns))


def _averaged(read: _Read, bounds: Sequence[float]) -> float:
    return log_mean_exp(np.array([read.likelihood(bound).sum() for bound in bounds]))


def log_mean_exp(logs: Floats) -> float:
    """Return the logarithm of the mean of what the logarithms stand for."""
    return float(logs.max() + np.log(np.exp(logs - logs.max()).mean()))


def probability(log_odds: float) -> float:
    """Return the probability that belongs to log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(log_odds, -50.0), 50.0)))


def _places(between: tuple[float, float]) -> list[float]:
    low, high = between
    return [low + (high - low) * (place + 0.5) / PLACES for place in range(PLACES)]


def _density(distance: Floats, variance: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * distance**2 / variance) / np.sqrt(2.0 * math.pi * variance)
    return density
