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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePlan:
    """A known solution: proof that the programme can be solved."""

    witness: str
    """SMILES of a structure that meets the whole profile."""
    readings: int
    """Readings of every objective's assay, each from a call of its own."""
    price: float
    """Credits it costs under noise seed 0, failed syntheses included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Everything that ``reset`` decides. The agent sees ``brief()`` and the given compounds of it."""

    task_id: str
    family: str
    split: str
    seed: int
    noise_seed: int
    noise_key: bytes
    title: str
    rules: tuple[str, ...]
    profile: Profile
    menu: tuple[Assay, ...]
    budget: float
    max_steps: int
    reward_mode: str
    designs: bool
    """Whether ``suggest`` and ``design`` are offered."""
    given: tuple[str, ...]
    """SMILES of the compounds that come made, the lead first."""
    given_readings: bool
    """Whether they come with one free reading of everything."""
    world: HiddenWorld
    lead_desirability: float
    """D at which ``profile`` is 0."""
    plan: ReferencePlan
    difficulty: float
    targets: tuple[str, ...]
    """Names of the models behind the properties; never shown."""

    def brief(self) -> dict[str, Any]:
        """Return the brief as the agent reads it."""
        return {
            "title": self.title,
            "objectives": [objective.as_brief() for objective in self.profile.objectives],
            "menu": [assay.as_menu() for assay in self.menu],
            "budget": self.budget,
            "max_steps": self.max_steps,
            "rules": list(self.rules),
        }

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
