"""The strong honest agent: models what it reads and spends where it expects to gain.

A programme goes round after round, each in two actions: make a few structures and read the potency and
the cheapest property, then read the rest of those that still promise something. Structures come from
edits of the four best compounds, crossovers of the eight best and three generations of edits of the
best candidates, ranked by expected improvement per credit. Before a change that the brief announces
nothing is read twice, for it may cease to count; after it the new property is read of what still promises
something. Where the brief says that there may be no answer, a programme is given up when the readings
say so and enough of them were paid for to prove it. When the next round is not worth its
credits, the leaders are read again while that may change which of them is best; then the evidence for
the best is completed, prior art is searched, and it is nominated with the model's own 90 % intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from molforge.actions import MAX_STRUCTURES, Action, Prediction
from molforge.assays import PRIOR_ART, Z90
from molforge.policies.forecasting import Outlook, Worth, quantile_draws
from molforge.policies.logbook import Compound
from molforge.policies.player import Player
from molforge.policies.proposals import Breadth, Proposal, Proposer
from molforge.policies.proving import TYPICAL_SYNTHESIS, Case, case_for_stopping
from molforge.policies.refining import refine
from molforge.policies.search import Candidate
from molforge.policies.triage import TriageTurns

CLOSING_TURNS = 4
DRAWS = 64
FINAL_DRAWS = 256
BATCH = 3
"""Structures of a round: more rounds of fewer gain nothing (measured), and each wants a search of its own."""
SETTLE = 0.8
"""Expected desirability from which a compound is read again before more is spent on beating it."""
FINALISTS = 3
RESERVE = 2.5
"""Whole examinations that the credits kept for the end pay for."""
REFINED = 12
"""Compounds, best first, that are considered for further readings."""
REFINED_AT_ONCE = 4
FULL_CALLS = 2
"""Calls that make the evidence for one property complete."""
STOPPING = 0.92
"""Probability of being dead from which a programme is given up ..."""
DOUBTING = 0.7
"""... and below which, while that is being proved, it is taken up again."""
PROMISING = 0.05
"""Probability of beating the incumbent below which a compound is not read further ..."""
HOPEFUL = 0.3
"""... unless its expected desirability is at least this part of the incumbent's."""
ECONOMY = 0.10
PATIENCE = 1.0
"""A round is played while its expected improvement exceeds this part of what its credits earn unspent."""


@dataclass(frozen=True, slots=True)
class _View:
    """The measured compounds under the present belief."""

    compounds: list[Compound]
    candidates: list[Candidate]
    outlook: Outlook
    worth: Worth
    order: list[int]
    """Rows, best first."""
    quantiles: dict[str, np.ndarray]

    @property
    def incumbent(self) -> float:
        """Return the best expected desirability so far."""
        return float(self.worth.expected.max())


class PlannerPolicy(Player):
    """See the module."""

    name = "planner"

    def open(self) -> None:
        """Forget candidates and verdicts of the programme before."""
        self._proposer = Proposer(self.search, Breadth())
        self._dismissed: set[str] = set()
        self._knows_of_change = False
        self._gives_up = False
        self._kept = 0.0

    def turn(self) -> Action:
        """Return the next action."""
        if not self.log.offers_design:
            return TriageTurns(self).turn()
        if self.log.steps_left <= 1:
            return self._close()
        if self.log.has_changed and not self._knows_of_change:
            self._knows_of_change = True
            self._dismissed.clear()
        view = self._view(DRAWS)
        return (
            (self._give_up(view) if self._gives_up else None)
            or self._read_on(view)
            or self._give_up(view)
            or self._settle(view)
            or self._next_round(view)
            or self._close()
        )

    # --- belief -------------------------------------------------------------------------------

    def _view(self, draws: int) -> _View:
        compounds = self.log.made
        candidates = [self.candidate(compound) for compound in compounds]
        outlook = Outlook(self.log, [compound.id for compound in compounds], candidates)
        quantiles = quantile_draws(
            self.log.profile.roles, draws, self.stream("quantiles", draws, self.turn_number)
        )
        worth = outlook.worth(candidates, quantiles)
        order = np.argsort(-worth.rank_key, kind="stable").tolist()
        return _View(compounds, candidates, outlook, worth, order, quantiles)

    # --- rounds -------------------------------------------------------------------------------

    @property
    def _first(self) -> tuple[str, ...]:
        """Read at once; the others only of compounds that these leave in the race."""
        first, *others = self.log.profile.roles
        return (first, *sorted(others, key=lambda role: self.log.price([role]))[:1])

    @property
    def _is_staged(self) -> bool:
        return self.log.steps_left > 2 * CLOSING_TURNS + 2

    @property
    def _reserve(self) -> float:
        """Credits kept for the end: further readings of the leaders, evidence for the nominee."""
        return max(RESERVE * self._examination, self._kept)

    @property
    def _examination(self) -> float:
        """Price of reading everything once and searching for prior art."""
        search = self.log.price([PRIOR_ART]) if self.log.has_prior_art else 0.0
        return self.log.price(self.log.profile.roles) + search

    def _read_on(self, view: _View) -> Action | None:
        """Read the other properties of new compounds that are still in the race."""
        waiting = [
            (row, compound)
            for row, compound in enumerate(view.compounds)
            if (self.log.has_changed or not compound.given)
            and compound.id not in self._dismissed
            and not self.log.is_read(compound.id)
        ]
        if not waiting:
            return None
        read = [row for row, compound in enumerate(view.compounds) if self.log.is_read(compound.id)]
        incumbent = float(view.worth.expected[read].max()) if read else 0.0
        chances = (view.worth.draws > incumbent).mean(axis=0)
        go = [
            compound
            for row, compound in waiting
            if chances[row] > PROMISING or view.worth.expected[row] > HOPEFUL * incumbent
        ]
        self._dismissed.update(compound.id for _, compound in waiting if compound not in go)
        go.sort(key=lambda compound: -view.worth.expected[view.compounds.index(compound)])
        go = go[:MAX_STRUCTURES]
        missing = [r for r in self.log.profile.roles if any(self.log.estimate(c.id, r) is None for c in go)]
        # what a change asks for first decides which compounds the rest is worth reading of
        missing = [
            r for r in missing if not any(self.log.estimate(c.id, r) for c in view.compounds)
        ] or missing
        affordable = int(self.log.budget_left // max(self.log.price(missing), 1e-9)) if missing else 0
        return self.measure(go[:affordable], missing) if go[:affordable] else None

    def _next_round(self, view: _View) -> Action | None:
        per_round = 2 if self._is_staged else 1
        rounds = (self.log.steps_left - CLOSING_TURNS) // per_round
        roles = self.log.profile.roles
        money = self.log.budget_left - self._reserve
        unit = TYPICAL_SYNTHESIS + self.log.price(roles)
        if rounds < 1 or money < unit:
            return None
        count = int(np.clip(math.ceil(money / unit / rounds - 0.05), BATCH, MAX_STRUCTURES))
        proposals = self._proposals(view, count)
        reading = self.log.price(roles)
        rates = [proposal.improvement / (proposal.price + reading) for proposal in proposals]
        if not proposals or max(rates) < self._hurdle(view):
            return None
        stage = self._first if self._is_staged else roles
        chosen = []
        for proposal in proposals:
            money -= proposal.price + self.log.price(roles)
            if money >= 0:
                chosen.append(proposal.candidate)
        return self.make(chosen, stage) if chosen else None

    def _proposals(self, view: _View, count: int) -> list[Proposal]:
        return self._proposer.propose(
            view.outlook,
            [view.candidates[row] for row in view.order],
            taken={candidate.identity for candidate in view.candidates},
            incumbent=view.incumbent,
            quantiles=view.quantiles,
            reading_price=self.log.price(self.log.profile.roles),
            count=count,
            turn=self.turn_number,
        )

    def _settle(self, view: _View) -> Action | None:
        """Read a compound that looks like an answer again before more is spent on beating it."""
        best = next((row for row in view.order if self._is_eligible(view.compounds[row])), None)
        if best is None or self.log.steps_left <= CLOSING_TURNS or view.worth.expected[best] < SETTLE:
            return None
        if self._is_evident(view.compounds[best]) or self.log.change_is_coming:
            return None
        return self._confirm([view.compounds[best]], view)

    def _hurdle(self, view: _View) -> float:
        """Return the rise of desirability per credit that a credit earns when it is left over.

        It is 0 until something of the policy's own is better than what was given: nothing to lose; and
        as long as nobody knows what will be wanted in the end.
        """
        if self.log.change_is_coming:
            return 0.0
        given = [row for row, compound in enumerate(view.compounds) if compound.given]
        lead = float(view.worth.expected[given].max()) if given else 0.0
        profile = max(0.0, (view.incumbent - lead) / (1.0 - lead)) if lead < 1.0 else 0.0
        return PATIENCE * ECONOMY * profile * (1.0 - lead) / self.log.budget

    # --- the end ------------------------------------------------------------------------------

    def _give_up(self, view: _View) -> Action | None:
        """Stop a programme that is most likely dead, when that is proved."""
        case = self._case(view)
        self._kept = 0.0 if case is None else case.reserve
        self._gives_up = case is not None and case.dead >= (DOUBTING if self._gives_up else STOPPING)
        return case.turn() if case is not None and self._gives_up else None

    def _case(self, view: _View) -> Case | None:
        return case_for_stopping(self, view.compounds, view.candidates, view.outlook, view.quantiles)

    def _close(self) -> Action:
        """Complete the evidence for the finalists, then nominate the best of them."""
        view = self._view(FINAL_DRAWS)
        case = self._case(view)
        if case is not None and case.worth_of_stopping > (1.0 - case.dead) * view.incumbent:
            self._gives_up = True
            return case.turn()
        ranked = [view.compounds[row] for row in view.order if self._is_eligible(view.compounds[row])]
        if not ranked:
            return self.nominate(None)
        if self.log.steps_left > 2 and (action := self._refine(view)) is not None:
            return action
        if self.log.steps_left > 1 and not self._is_evident(ranked[0]):
            action = self._confirm(ranked[:FINALISTS], view)
            if action is not None:
                return action
        return self.nominate(ranked[0])

    def _refine(self, view: _View) -> Action | None:
        """Read the leaders again while that may change which of them is best."""
        rows = [row for row in view.order if self._is_eligible(view.compounds[row])][:REFINED]
        found = refine(
            self.log,
            [view.compounds[row] for row in rows],
            view.outlook.forecast([view.candidates[row] for row in rows]),
            view.worth.expected[rows],
            money=self.log.budget_left - self._examination,
            hurdle=max(self._hurdle(view), ECONOMY / self.log.budget),
            rng=self.stream("refine", self.turn_number),
        )
        return None if found is None else self.measure(found.compounds[:REFINED_AT_ONCE], found.roles)

    def _is_eligible(self, compound: Compound) -> bool:
        return not (compound.given or compound.is_claimed or self.log.is_prior_art(compound.id))

    def _is_evident(self, compound: Compound) -> bool:
        estimates = [self.log.estimate(compound.id, role) for role in self.log.profile.roles]
        searched = not self.log.has_prior_art or self.log.is_prior_art(compound.id) is not None
        return searched and all(e is not None and e.paid_calls >= FULL_CALLS for e in estimates)

    def _confirm(self, finalists: list[Compound], view: _View) -> Action | None:
        best = finalists[0]
        roles = [role for role in self.log.profile.roles if self._wants(best, role)]
        if self.log.has_prior_art and self.log.is_prior_art(best.id) is None:
            roles.append(PRIOR_ART)
        expected = {view.compounds[row].id: view.worth.expected[row] for row in view.order}
        rivals = [
            c for c in finalists if not self._is_evident(c) and expected[c.id] > 0.9 * expected[best.id]
        ]
        while rivals and len(rivals) * self.log.price(roles) > self.log.budget_left:
            rivals.pop()
        return self.measure(rivals, roles) if rivals else None

    def _wants(self, compound: Compound, role: str) -> bool:
        estimate = self.log.estimate(compound.id, role)
        return estimate is None or estimate.paid_calls < FULL_CALLS

    def predictions(self, compound: Compound) -> dict[str, Prediction]:
        """Return the model's 90 % intervals, which know the readings and the neighbours."""
        view = self._view(DRAWS)
        forecast = view.outlook.forecast([self.candidate(compound)])
        predicted = {}
        for objective in self.log.profile.objectives:
            value = float(objective.value(forecast.means)[0])
            variance = math.fsum(float(forecast.variances[role][0]) for role in objective.roles)
            half = Z90 * math.sqrt(variance)
            predicted[objective.name] = Prediction(value=value, low=value - half, high=value + half)
        return predicted
