"""One programme: what is asked, what is given, and the hidden world behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from molforge.assays import Assay
from molforge.profile import Profile

if TYPE_CHECKING:
    from molforge.chem.structure import Structure

PRIOR_ART_LIMIT = 0.85
"""A nominee more similar than this to a published active of the target is prior art."""
REWARD_MODES = ("dense", "sparse")


class HiddenWorld(Protocol):
    """The truth of one programme. Values depend on the structure alone, never on the order of asking."""

    def values(self, structure: Structure) -> Mapping[str, float]:
        """Return every property of a structure, rounded to 1e-3."""

    def nearest(self, structure: Structure) -> float:
        """Return the similarity in [0, 1] to the closest published active of the target."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is wanted and what can be read; a programme has one, or two with a shift between them."""

    profile: Profile
    menu: tuple[Assay, ...]

    def assay(self, name: str) -> Assay | None:
        """Return the assay of that name if it is on the menu."""
        return next((assay for assay in self.menu if assay.name == name), None)

    @property
    def assay_names(self) -> tuple[str, ...]:
        """Names on the menu, in its order."""
        return tuple(assay.name for assay in self.menu)

    def standard_assay(self, property_name: str) -> Assay:
        """Return the menu's ordinary assay of a property: the first that reads it."""
        return next(assay for assay in self.menu if assay.reads == property_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What is wanted changes on the way; nominees are judged by what is wanted in the end."""

    stage: Stage
    """What holds afterwards."""
    threshold: float
    """Credits: the shift comes at the end of the call that brings the money spent to this or more."""
    notice: str
    """The sentence that announces it when it comes."""


class Claim(Protocol):
    """A series of structures that somebody else owns; decided by structure alone."""

    def covers(self, structure: Structure) -> bool:
        """Say whether a structure is inside the claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two worlds that look alike at the start: one can be solved, the other is dead."""

    solvable: HiddenWorld
    dead: HiddenWorld
    is_dead: bool
    """Which of them this programme is played in."""


@dataclass(frozen=True, slots=True)
class Round:
    """One call of a reference plan: which assays of the witness, how many readings of each."""

    assays: tuple[str, ...]
    replicates: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePlan:
    """A known solution: proof that the programme can be solved, or shown to be dead."""

    witness: str
    """SMILES of a structure that meets the whole profile (of a dead programme: in the solvable twin)."""
    rounds: tuple[Round, ...]
    """The calls to play; the first, which also makes the witness, again while the synthesis fails."""
    price: float
    """Credits it costs under noise seed 0, failed syntheses included."""
    proof: tuple[str, ...] = ()
    """SMILES of what shows a dead programme to be dead: each is made and read once, the witness is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Everything that ``reset`` decides. The agent sees ``brief()`` and the given compounds of it."""

    task_id: str
    family: str
    split: str
    seed: int
    noise_seed: int
    noise_key: bytes
    opening_noise_key: bytes
    """Of the readings that the given compounds come with: the same for every ``noise_seed``, or resets would
    average their noise away."""
    title: str
    rules: tuple[str, ...]
    stage: Stage
    """What is wanted and offered at reset."""
    shift: Shift | None = None
    claim: Claim | None = None
    twins: Twins | None = None
    budget: float
    max_steps: int
    reward_mode: str
    designs: bool
    """Whether ``suggest`` and ``design`` are offered."""
    given: tuple[Structure, ...]
    """The compounds that come made, the lead first."""
    given_readings: bool
    """Whether they come with one free reading of everything."""
    world: HiddenWorld
    lead_desirability: float
    """D at which ``profile`` is 0."""
    plan: ReferencePlan
    difficulty: float
    targets: tuple[str, ...]
    """Names of the models behind the properties; never shown."""
    redraws: int = 0
    """Profiles that were drawn before one had everything that the family asks for."""

    @property
    def judged(self) -> Stage:
        """What the nominee is judged by."""
        return self.stage if self.shift is None else self.shift.stage

    @property
    def profile(self) -> Profile:
        """The profile at reset."""
        return self.stage.profile

    def brief(self, stage: Stage | None = None) -> dict[str, Any]:
        """Return the brief as the agent reads it: at reset, or at a later stage."""
        stage = stage or self.stage
        return {
            "title": self.title,
            "objectives": [objective.as_brief() for objective in stage.profile.objectives],
            "menu": [assay.as_menu() for assay in stage.menu],
            "budget": self.budget,
            "max_steps": self.max_steps,
            "rules": list(self.rules),
        }
