"""The catalogue: every task family there is, as data. Importing it loads no chemistry.

Each family is a folder with ``family.py`` (what is asked, what is given) over shared parts::

    arguments.py    arguments of reset -> Request, or a refusal that lists what is allowed
    objectives.py   the objectives that families choose from
    drawing.py      limits, windows and weights, set on the reference pool
    assembly.py     world and profile; what families choose a witness and a plan with
    designing.py    lead, known compounds, witness and plan of the families with design -> Programme
    rules.py        the sentences of a brief
    environment.py  the session's environment: reset, step, state
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from molforge.landscapes.catalogue import ANTI, TARGETS

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


_ALL = TARGETS
_WIDE = tuple(target for target in TARGETS if target != "mpro")
"""Targets whose designs differ enough for many objectives, or another series, to be met at once."""
_PAIRED = tuple(target for target in TARGETS if target in ANTI)
"""Targets with a close relative to spare."""


def _spec(task_id: str, title: str, description: str, level: str, targets: tuple[str, ...]) -> TaskSpec:
    return TaskSpec(
        task_id=task_id,
        title=title,
        description=description,
        level=level,
        targets=targets,
        default_difficulty=0.76,
        max_steps=30,
        entry=f"envs.{task_id}.family:FAMILY",
        grader=f"graders.{task_id}:grade",
    )


_SPECS = (
    _spec(
        "triage",
        "Triage",
        "Pick the best of a given set of compounds with fewer readings than there are to take.",
        "expert",
        _ALL,
    ),
    _spec(
        "repair",
        "Repair",
        "Mend one liability of a potent lead and keep the potency.",
        "easy",
        _ALL,
    ),
    _spec(
        "potency",
        "Potency",
        "Gain half a log unit or more in potency in a property window, clear of an off-target.",
        "hard",
        _ALL,
    ),
    _spec(
        "selectivity",
        "Selectivity",
        "Open a window between a target and its close relative, inside a property window.",
        "easy",
        _PAIRED,
    ),
    _spec(
        "admet",
        "ADMET",
        "Keep the potency and fix everything else at once.",
        "medium",
        _WIDE,
    ),
    _spec(
        "hop",
        "Scaffold hop",
        "Leave the claimed series of the lead and keep the potency.",
        "medium",
        _WIDE,
    ),
    _spec(
        "shift",
        "Shift",
        "Find a candidate for a profile that changes on the way.",
        "hard",
        _ALL,
    ),
    _spec(
        "nogo",
        "Go or no-go",
        "Tell a programme that can be solved from one that is dead, and act on it.",
        "expert",
        _PAIRED,
    ),
)

CATALOGUE: Mapping[str, TaskSpec] = MappingProxyType({spec.task_id: spec for spec in _SPECS})
