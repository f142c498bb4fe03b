"""The game: one programme played action by action, from the brief to the score.

``Episode`` owns turns, ends and rewards; the laboratory owns chemistry and money; a grader, handed
in, owns the score. The flow of one action::

    Action -> parse (command) -> Laboratory -> Outcome -> reward -> Step
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from molforge.actions import Action, ActionType, Prediction
from molforge.chem.structure import Structure
from molforge.command import GRAMMAR, parse_command
from molforge.contract import Phase, Step
from molforge.errors import AgentError, EpisodeOver
from molforge.estimate import variance_of_call
from molforge.laboratory import Laboratory, Outcome
from molforge.notebook import Compound, Reading
from molforge.programme import PRIOR_ART_LIMIT, Programme, Twins
from molforge.render import render_opening, render_step
from molforge.reward import best_progress, potential

FLOOR, CEILING = 0.01, 0.99
"""Reported scores lie strictly inside (0, 1): submission validators refuse both ends."""
OUT_OF_TIME = "out_of_time"


class Graded(Protocol):
    """What a grader returns; ``graders.score.Score`` is one."""

    @property
    def value(self) -> float:
        """The score in [0, 1]."""

    @property
    def parts(self) -> Mapping[str, float]:
        """Its named parts."""


Grader = Callable[[Mapping[str, Any]], Graded]


class Episode:
    """One programme being played."""

    def __init__(
        self, programme: Programme, grade: Grader, *, session_id: str = "", ignored: tuple[str, ...] = ()
    ) -> None:
        self.programme = programme
        self.laboratory = Laboratory(programme)
        self.phase = Phase.RUNNING
        self.steps = 0
        self.score: float | None = None
        self.score_parts: dict[str, float] | None = None
        self._grade = grade
        self._session_id = session_id
        self._ignored = list(ignored)
        self._nominee: Compound | None = None
        self._predicted: dict[str, dict[str, float]] = {}
        self._reason: str | None = None
        self._starts = {
            stage.profile: best_progress(stage.profile, self.laboratory.notebook, at_reset=True)
            for stage in (programme.stage, programme.judged)
        }
        self._potential = 0.0

    # --- turns --------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Whether the programme has ended."""
        return self.phase is not Phase.RUNNING

    def opening(self) -> Step:
        """Return the answer to reset: the brief and everything in hand."""
        notebook = self.laboratory.notebook
        text = render_opening(self.programme, notebook, ignored=self._ignored)
        observation = self._observation(
            brief=self.programme.brief(),
            ignored=self._ignored,
            compounds=[compound.as_public() for compound in notebook.compounds.values()],
            readings=[reading.as_public() for reading in notebook.readings],
            text=text,
        )
        return Step(observation=observation, reward=0.0, done=False)

    def step(self, action: Action) -> Step:
        """Carry out one action; raise ``EpisodeOver`` after the end."""
        if self.is_over():
            raise EpisodeOver
        try:
            outcome = self._carry_out(action)
        except AgentError as why:
            outcome = Outcome(error=str(why))
        self.steps += 1
        if not self.is_over() and self.steps >= self.programme.max_steps:
            self.phase = Phase.TRUNCATED
        reward = self._settle() if self.is_over() else self._progress()
        return Step(observation=self._after(outcome), reward=reward, done=self.is_over())

    def _carry_out(self, action: Action) -> Outcome:
        if action.command is not None:
            action = parse_command(action.command, assays=self.laboratory.stage.assay_names)
        match action.action_type:
            case ActionType.SUGGEST:
                return self.laboratory.suggest(action)
            case ActionType.DESIGN:
                return self.laboratory.design(action)
            case ActionType.ASSAY:
                return self.laboratory.assay(action)
            case ActionType.NOMINATE:
                return self._nominate(action)
            case ActionType.STOP:
                return self._stop(action)
            case None:
                raise AgentError(f"no action_type and no command; {GRAMMAR}")

    def _nominate(self, action: Action) -> Outcome:
        if action.compound is None:
            raise AgentError("nominate needs a compound, for instance M5")
        compound = self.laboratory.compound(action.compound)
        if not compound.made:
            raise AgentError(f"{compound.id} has not been made: only a made compound can be nominated")
        self._predicted = {name: self._checked(name, p) for name, p in action.predicted.items()}
        self._nominee = compound
        self.phase = Phase.NOMINATED
        return Outcome()

    def _checked(self, name: str, prediction: Prediction) -> dict[str, float]:
        names = [objective.name for objective in self.laboratory.stage.profile.objectives]
        if name not in names:
            raise AgentError(f"no objective {name!r:.80} in the profile; allowed: {', '.join(names)}")
        numbers = (prediction.value, prediction.low, prediction.high)
        if not all(math.isfinite(number) for number in numbers):
            raise AgentError(f"the prediction of {name} must be finite numbers")
        if prediction.low > prediction.high:
            raise AgentError(
                f"the prediction of {name} has low {prediction.low} above high {prediction.high}"
            )
        return dict(zip(("value", "low", "high"), numbers, strict=True))

    def _stop(self, action: Action) -> Outcome:
        self._reason = (action.reason or "no reason given")[:500]
        self.phase = Phase.STOPPED
        return Outcome()

    # --- rewards ------------------------------------------------------------------------------

    def _progress(self) -> float:
        """Pay the difference of the potential (0 in sparse mode)."""
        if self.programme.reward_mode == "sparse":
            return 0.0
        profile = self.laboratory.stage.profile
        now = potential(best_progress(profile, self.laboratory.notebook), self._starts[profile])
        reward = now - self._potential
        self._potential = now
        return reward

    def _settle(self) -> float:
        """Grade the episode and pay what is owed: the rewards then sum to the reported score."""
        graded = self._grade(self.record())
        self.score = min(CEILING, max(FLOOR, graded.value))
        self.score_parts = dict(graded.parts)
        return self.score - self._potential

    def record(self) -> dict[str, Any]:
        """Return the finished episode with the truth a grader needs, JSON-ready."""
        programme, judged = self.programme, self.programme.judged
        return {
            "task_id": programme.task_id,
            "family": programme.family,
            "split": programme.split,
            "seed": programme.seed,
            "noise_seed": programme.noise_seed,
            "phase": str(self.phase),
            "reason": self._reason,
            "steps": self.steps,
            "budget": programme.budget,
            "budget_left": self.laboratory.budget_left,
            "objectives": [objective.as_record() for objective in judged.profile.objectives],
            "standard_se": {name: judged.standard_assay(name).se for name in judged.profile.properties},
            "nominee": None if self._nominee is None else self._nominee_record(self._nominee),
            "truth": {
                "lead_desirability": programme.lead_desirability,
                "plan_price": programme.plan.price,
                "prior_art_limit": PRIOR_ART_LIMIT,
            },
            "twins": None if programme.twins is None else self._twins_record(programme.twins),
        }

    def _nominee_record(self, compound: Compound) -> dict[str, Any]:
        structure = self.laboratory.structure(compound)
        world = self.programme.world
        by_property = self.laboratory.notebook.of(compound.id)
        return {
            "id": compound.id,
            "smiles": compound.smiles,
            "given": compound.known,
            "predicted": self._predicted,
            "values": dict(world.values(structure)),
            "nearest": world.nearest(structure),
            "inside_claim": self.programme.claim is not None and self.programme.claim.covers(structure),
            "readings": [
                {
                    "reads": r.reads,
                    "assay": r.assay,
                    "call": r.call,
                    "value": r.value,
                    "qualifier": r.qualifier,
                    "well_se": r.well_se,
                    "run_se": r.run_se,
                    "micromolar": r.micromolar,
                }
                for readings in by_property.values()
                for r in readings
                if r.paid
            ],
        }

    def _twins_record(self, twins: Twins) -> dict[str, Any]:
        """Return what was paid to tell the twins apart: readings of one call as their mean."""
        groups: dict[tuple[str, str, str, int], list[Reading]] = {}
        for r in self.laboratory.notebook.readings:
            if r.paid and not r.qualifier:
                groups.setdefault((r.compound, r.reads, r.assay, r.call), []).append(r)
        readings: list[dict[str, Any]] = []
        for (compound, reads, _, _), group in groups.items():
            structure = self._structure_of(compound)
            dead, solvable = (world.values(structure).get(reads) for world in (twins.dead, twins.solvable))
            if dead is None or dead == solvable:
                continue
            variance = variance_of_call(len(group), well_se=group[0].well_se, run_se=group[0].run_se)
            mean = math.fsum(r.value for r in group) / len(group)
            readings.append(
                {
                    "compound": compound,
                    "reads": reads,
                    "mean": mean,
                    "variance": variance,
                    "dead": dead,
                    "solvable": solvable,
                }
            )
        values = {
            name: dict(self.programme.world.values(self._structure_of(name)))
            for name in dict.fromkeys(reading["compound"] for reading in readings)
        }
        return {"is_dead": twins.is_dead, "readings": readings, "values": values}

    def _structure_of(self, compound_id: str) -> Structure:
        return self.laboratory.structure(self.laboratory.compound(compound_id))

    # --- what is told -------------------------------------------------------------------------

    def _after(self, outcome: Outcome) -> dict[str, Any]:
        text = render_step(
            compounds=outcome.compounds,
            readings=outcome.readings,
            suggestions=outcome.suggestions,
            remarks=outcome.remarks,
            error=outcome.error,
            budget_left=self.laboratory.budget_left,
            steps_left=self._steps_left,
            ending=self._ending(),
            shift=outcome.shift,
        )
        refused = [remark for remark in outcome.remarks if " refused by gate " in remark]
        return self._observation(
            compounds=outcome.compounds,
            readings=[reading.as_public() for reading in outcome.readings],
            suggestions=outcome.suggestions,
            last_action_error=outcome.error or ("; ".join(refused) or None),
            brief=None if outcome.shift is None else self.programme.brief(outcome.shift.stage),
            text=text,
        )

    def _ending(self) -> str | None:
        if self.score is None or self.score_parts is None:
            return None
        parts = ", ".join(f"{name} {value:.3f}" for name, value in self.score_parts.items())
        how = {
            Phase.NOMINATED: f"{self._nominee.id if self._nominee else ''} was nominated",
            Phase.STOPPED: "the programme was closed without a candidate",
            Phase.TRUNCATED: "the last action went by without a decision",
        }[self.phase]
        return f"The programme has ended: {how}. Score {self.score:.3f} ({parts})."

    @property
    def _steps_left(self) -> int:
        return 0 if self.is_over() else self.programme.max_steps - self.steps

    def _observation(self, **changed: Any) -> dict[str, Any]:
        observation: dict[str, Any] = {
            "task_id": self.programme.task_id,
            "split": self.programme.split,
            "seed": self.programme.seed,
            "session_id": self._session_id,
            "phase": str(self.phase),
            "brief": None,
            "ignored": [],
            "compounds": [],
            "readings": [],
            "suggestions": [],
            "budget_left": round(self.laboratory.budget_left, 2),
            "steps_left": self._steps_left,
            "last_action_error": None,
            "text": "",
            "score": self.score,
            "score_parts": self.score_parts,
        }
        observation.update(changed)
        return observation

    def notebook_state(self) -> dict[str, Any]:
        """Return the whole public notebook."""
        notebook = self.laboratory.notebook
        return {
            "task_id": self.programme.task_id,
            "split": self.programme.split,
            "seed": self.programme.seed,
            "session_id": self._session_id,
            "phase": str(self.phase),
            "brief": self.programme.brief(self.laboratory.stage),
            "compounds": [compound.as_public() for compound in notebook.compounds.values()],
            "readings": [reading.as_public() for reading in notebook.readings],
            "budget_left": round(self.laboratory.budget_left, 2),
            "steps_left": self._steps_left,
            "score": self.score,
            "score_parts": self.score_parts,
        }
