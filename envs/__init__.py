"""The catalogue: every task family there is, as data. Importing it loads no chemistry.

Each family is a folder with ``family.py`` (what is asked, what is given) over shared parts::

    arguments.py    arguments of reset -> Request, or a refusal that lists what is allowed
    objectives.py   the objectives that families choose from
    drawing.py      limits, windows and weights, set on the reference pool
    assembly.py     lead, known compounds, witness and plan -> Programme
    environment.py  the session's environment: reset, step, state
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SPLITS = ("train", "validation", "test")
SPLIT_SIZE = 1000
"""Programmes of an indexed split; index i is seed i."""
DEFAULT_TASK = "potency"
DEFAULT_SPLIT = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One family of the catalogue."""

    task_id: str
    title: str
    description: str
    level: str
    """easy, medium, hard or expert: the measured order of the reference planner's scores."""
    targets: tuple[str, ...]
    """Targets a programme may be about; ``reset(targets=...)`` narrows the choice."""
    default_difficulty: float
    max_steps: int
    entry: str
    """``module:name`` of the family object, imported when first played."""
    grader: str
    """``module:name`` of its grader."""


_SPECS = (
    TaskSpec(
        task_id="triage",
        title="Triage",
        description="Pick the best of a given set of compounds with fewer readings than there are to take.",
        level="easy",
        targets=("thrombin", "fxa", "h3"),
        default_difficulty=0.76,
        max_steps=30,
        entry="envs.triage.family:FAMILY",
        grader="graders.triage:grade",
    ),
    TaskSpec(
        task_id="potency",
        title="Potency",
        description="Gain half a log unit or more in potency in a property window, clear of an off-target.",
        level="medium",
        targets=("thrombin", "fxa", "h3"),
        default_difficulty=0.76,
        max_steps=30,
        entry="envs.potency.family:FAMILY",
        grader="graders.potency:grade",
    ),
    TaskSpec(
        task_id="selectivity",
        title="Selectivity",
        description="Open a window between a target and its close relative, inside a property window.",
        level="medium",
        targets=("fxa",),
        default_difficulty=0.76,
        max_steps=30,
        entry="envs.selectivity.family:FAMILY",
        grader="graders.selectivity:grade",
    ),
)

CATALOGUE: Mapping[str, TaskSpec] = MappingProxyType({spec.task_id: spec for spec in _SPECS})
