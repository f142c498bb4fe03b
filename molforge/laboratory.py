"""The laboratory: registers, makes and measures, and keeps the books.

Everything is checked before anything is changed: an action that cannot be carried out costs its step
and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from molforge import assays as assaying
from molforge import seeding
from molforge.actions import MAX_COMPOUNDS, MAX_REPLICATES, MAX_STRUCTURES, Action
from molforge.assays import Assay
from molforge.chem import gates, properties, transformations
from molforge.chem.structure import Structure, parse
from molforge.errors import AgentError, RefusedStructure, as_word, did_you_mean
from molforge.notebook import Compound, Notebook, Reading
from molforge.programme import Programme, Shift


@dataclass(slots=True)
class Outcome:
    """What one action changed."""

    compounds: list[dict[str, Any]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    suggestions: list[dict[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Sentences for the agent: refused structures, failed syntheses."""
    error: str | None = None
    shift: Shift | None = None
    """What came into force at the end of this action."""


class Laboratory:
    """The bench and the books of one programme."""

    def __init__(self, programme: Programme) -> None:
        self.programme = programme
        self.stage = programme.stage
        """What is wanted and offered now."""
        self.notebook = Notebook()
        self.budget_left = programme.budget
        self._structures: dict[str, Structure] = {}
        self._texts: dict[str, Structure] = {}
        """Text to the structure it stood for, for texts that come again."""
        self._calls: dict[str, int] = {}
        self._call = 0
        self._suggests = 0
        for structure in programme.given:
            compound = self._register(structure)
            compound.made = compound.known = True
            compound.make_price = 0.0
        if programme.given_readings:
            self._read_given()

    def structure(self, compound: Compound) -> Structure:
        """Return the structure behind a compound."""
        return self._structures[compound.id]

    def compound(self, name: str) -> Compound:
        """Return a registered compound by id (``m3`` is read as ``M3``)."""
        found = self.notebook.compounds.get(name.strip().upper())
        if found is None:
            last = f"M{len(self.notebook.compounds)}"
            raise AgentError(f"no compound {name!r:.80}; registered are M1 to {last}")
        return found

    # --- design -------------------------------------------------------------------------------

    def suggest(self, action: Action) -> Outcome:
        """Draw structures one named edit away from a compound; nothing is registered."""
        self._require_designs()
        if action.compound is None:
            raise AgentError("suggest needs a compound, for instance M1")
        if not 1 <= action.n <= MAX_STRUCTURES:
            raise AgentError(f"n={action.n} is not possible; allowed: 1 to {MAX_STRUCTURES}")
        known = transformations.TRANSFORMATIONS
        if action.transformation is not None and action.transformation not in known:
            hint = did_you_mean(action.transformation, list(known))
            raise AgentError(
                f"no transformation {action.transformation!r:.80}{hint}; allowed: {', '.join(known)}"
            )
        compound = self.compound(action.compound)
        rng = seeding.stream(self.programme.noise_key, "suggest", self._suggests)
        found = transformations.suggest(
            self.structure(compound), transformation=action.transformation, n=action.n, rng=rng
        )
        self._suggests += 1
        outcome = Outcome(
            suggestions=[{"smiles": s.smiles, "transformation": s.transformation} for s in found]
        )
        if not found:
            outcome.remarks.append(f"nothing that may be made lies one such edit away from {compound.id}")
        return outcome

    def design(self, action: Action) -> Outcome:
        """Register virtual compounds; say of each refused structure why."""
        self._require_designs()
        if not action.smiles:
            raise AgentError("design needs 1 to 8 structures in smiles")
        if len(action.smiles) > MAX_STRUCTURES:
            raise AgentError(f"{len(action.smiles)} structures in one design; at most {MAX_STRUCTURES}")
        outcome = Outcome()
        for structure in self._accept(action.smiles, outcome):
            compound = self.notebook.find(structure.identity) or self._register(structure)
            outcome.compounds.append(compound.as_public())
        return outcome

    def _require_designs(self) -> None:
        if not self.programme.designs:
            raise AgentError("this programme offers no design: choose among the compounds in hand")

    def _accept(self, smiles: tuple[str, ...], outcome: Outcome) -> list[Structure]:
        """Return the distinct structures that may be made; file the refusals in ``outcome``."""
        accepted: dict[str, Structure] = {}
        for text in smiles:
            try:
                structure = self._texts.get(text) or parse(text)
                if text not in self._texts and self.notebook.find(structure.identity) is None:
                    structure = gates.admit(structure)
                self._texts[text] = structure.light()
            except RefusedStructure as why:
                refused = {"gate": why.gate, "atom": why.atom, "reason": why.reason}
                outcome.compounds.append({"smiles": text[:250], "refused": refused})
                outcome.remarks.append(f"{as_word(text)} refused by gate {why.gate}: {why.reason}")
                continue
            accepted.setdefault(structure.identity, structure)
        if not accepted:
            outcome.error = "; ".join(outcome.remarks)
        return list(accepted.values())

    def _register(self, structure: Structure) -> Compound:
        computed, alerts = properties.described(structure)
        sa = computed["sa_score"]
        if self.programme.claim is not None:
            computed = {**computed, "inside_claim": float(self.programme.claim.covers(structure))}
        compound = Compound(
            id=self.notebook.next_id(),
            smiles=structure.smiles,
            identity=structure.identity,
            properties=computed,
            alerts=alerts,
            make_price=assaying.make_price(sa),
            sa_score=sa,
        )
        self.notebook.add(compound)
        self._structures[compound.id] = self._texts[structure.smiles] = structure.light()
        return compound

    # --- measure ------------------------------------------------------------------------------

    def assay(self, action: Action) -> Outcome:
        """Make what is not yet made, then measure it."""
        assays = self._chosen_assays(action.assays)
        if not 1 <= action.replicates <= MAX_REPLICATES:
            raise AgentError(
                f"replicates={action.replicates} is not possible; allowed: 1 to {MAX_REPLICATES}"
            )
        ids = [name for name in action.compounds if name.strip().upper() in self.notebook.compounds]
        others = tuple(name for name in action.compounds if name not in ids)
        for name in others:
            if name.strip()[:1] in "Mm" and name.strip()[1:].isdigit():
                self.compound(name)  # raises: an id that is not registered
        outcome = Outcome()
        structures = self._structures_for(others + action.smiles, outcome)
        known = list(dict.fromkeys(self.compound(name).id for name in ids))
        fresh = []
        for structure in structures:
            found = self.notebook.find(structure.identity)
            if found is None:
                fresh.append(structure)
            elif found.id not in known:
                known.append(found.id)
        self._check_size(len(known) + len(fresh), outcome)
        if outcome.error is not None:
            return outcome
        self._check_price(known, fresh, assays, action.replicates)
        known.extend(self._register(structure).id for structure in fresh)
        self._carry_out(known, assays, action.replicates, outcome)
        return outcome

    def _structures_for(self, smiles: tuple[str, ...], outcome: Outcome) -> list[Structure]:
        if not smiles:
            return []
        self._require_designs()
        if len(smiles) > MAX_STRUCTURES:
            raise AgentError(f"{len(smiles)} structures in one assay; at most {MAX_STRUCTURES}")
        return self._accept(smiles, outcome)

    @staticmethod
    def _check_size(count: int, outcome: Outcome) -> None:
        if count == 0 and outcome.error is None:
            raise AgentError("assay needs compounds (ids) or smiles")
        if count > MAX_COMPOUNDS:
            raise AgentError(f"{count} compounds in one assay; at most {MAX_COMPOUNDS}")
        if count > 0:
            outcome.error = None  # some structures were refused, the others go ahead

    def _chosen_assays(self, names: tuple[str, ...]) -> list[Assay]:
        allowed = self.stage.assay_names
        if not names:
            raise AgentError(f"assay needs at least one assay; allowed: {', '.join(allowed)}")
        chosen = []
        for name in dict.fromkeys(name.strip().lower() for name in names):
            found = self.stage.assay(name)
            if found is None:
                hint = did_you_mean(name, allowed)
                raise AgentError(f"no assay {name!r:.80} on the menu{hint}; allowed: {', '.join(allowed)}")
            chosen.append(found)
        return chosen

    def _check_price(
        self, known: list[str], fresh: list[Structure], assays: list[Assay], replicates: int
    ) -> None:
        """Refuse what the budget cannot pay even if every synthesis works at once."""
        measured = [assay for assay in assays if not assay.is_exact]
        making = 0.0
        if measured:
            making += sum(c.make_price for c in map(self.compound, known) if not c.made)
            making += sum(assaying.make_price(properties.sa_score(structure)) for structure in fresh)
        per_compound = sum(a.price * (1 if a.is_exact else replicates) for a in assays)
        price = making + per_compound * (len(known) + len(fresh))
        if price > self.budget_left + 1e-9:
            raise AgentError(
                f"this costs {price:.1f} credits ({making:.1f} to make, {price - making:.1f} to measure) "
                f"and {self.budget_left:.1f} are left"
            )

    def _carry_out(self, ids: list[str], assays: list[Assay], replicates: int, outcome: Outcome) -> None:
        """Make and measure; every price was checked before."""
        self._call += 1
        measured = any(not assay.is_exact for assay in assays)
        before = {assay.name: self._calls.get(assay.name, 0) for assay in assays}
        for compound_id in ids:
            compound = self.notebook.compounds[compound_id]
            is_new = not compound.made
            if measured and not compound.made:
                self._make(compound, outcome)
            if is_new:
                outcome.compounds.append(compound.as_public())
            for assay in assays:
                if compound.made or assay.is_exact:
                    count = 1 if assay.is_exact else replicates
                    self._read(compound, assay, count, call_number=before[assay.name], outcome=outcome)
        for assay in assays:
            self._calls[assay.name] = before[assay.name] + 1
        self._shift_if_due(outcome)

    def _shift_if_due(self, outcome: Outcome) -> None:
        shift = self.programme.shift
        spent = self.programme.budget - self.budget_left
        if shift is not None and self.stage is not shift.stage and spent >= shift.threshold - 1e-9:
            self.stage, outcome.shift = shift.stage, shift

    def _make(self, compound: Compound, outcome: Outcome) -> None:
        self._pay(compound.make_price)
        failed = assaying.synthesis_fails(
            compound.sa_score,
            key=self.programme.noise_key,
            identity=compound.identity,
            attempt=compound.attempts,
        )
        compound.attempts += 1
        if failed:
            outcome.remarks.append(
                f"the synthesis of {compound.id} failed: {compound.make_price:.1f} credits are gone, "
                "asking again is another try"
            )
        else:
            compound.made = True

    def _read(
        self, compound: Compound, assay: Assay, count: int, *, call_number: int, outcome: Outcome
    ) -> None:
        self._pay(assay.price * count)
        for reading in self._readings(compound, assay, count, call_number=call_number, paid=True):
            self.notebook.record(reading)
            outcome.readings.append(reading)

    def _readings(
        self, compound: Compound, assay: Assay, count: int, *, call_number: int, paid: bool
    ) -> list[Reading]:
        structure = self._structures[compound.id]
        world = self.programme.world
        true = world.nearest(structure) if assay.is_exact else world.values(structure)[assay.reads]
        key = self.programme.noise_key if paid else self.programme.opening_noise_key
        first = self.notebook.count(compound.id, assay)
        readings = []
        for replicate in range(first, first + count):
            value, qualifier = assay.read(
                true, key=key, call=call_number, identity=compound.identity, replicate=replicate
            )
            readings.append(
                Reading(
                    compound=compound.id,
                    assay=assay.name,
                    reads=assay.reads,
                    value=value,
                    unit=assay.unit,
                    qualifier=qualifier,
                    se=assay.se,
                    well_se=assay.well_se,
                    run_se=assay.run_se,
                    call=self._call,
                    paid=paid,
                    micromolar=assay.micromolar,
                )
            )
        return readings

    def _read_given(self) -> None:
        for name in self.stage.profile.properties:
            assay = self.stage.standard_assay(name)
            for compound in self.notebook.compounds.values():
                for reading in self._readings(compound, assay, 1, call_number=0, paid=False):
                    self.notebook.record(reading)
            self._calls[assay.name] = 1

    def _pay(self, price: float) -> None:
        self.budget_left = round(self.budget_left - price, 6)
