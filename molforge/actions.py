"""What an agent can do, as plain values. The wire form of the same is ``app.wire.ActionMessage``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MAX_STRUCTURES = 8
"""Structures in one ``design``, new structures in one ``assay``, suggestions in one ``suggest``."""
MAX_COMPOUNDS = 24
"""Compounds in one ``assay``."""
MAX_REPLICATES = 8
"""Readings of one compound by one assay in one action."""


class ActionType(StrEnum):
    """The five things a programme leader can do."""

    SUGGEST = "suggest"
    DESIGN = "design"
    ASSAY = "assay"
    NOMINATE = "nominate"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the agent believes of one objective of its nominee, in the objective's unit."""

    value: float
    low: float
    """Lower end of the central 90 % interval."""
    high: float
    """Upper end of the central 90 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action. Either ``action_type`` with its fields, or ``command``: free text to be parsed."""

    action_type: ActionType | None = None
    compound: str | None = None
    """Id of one registered compound: what ``suggest`` starts from, what ``nominate`` names."""
    transformation: str | None = None
    """Name of one transformation of the project's table (``suggest``); None: any."""
    n: int = MAX_STRUCTURES
    """How many suggestions, 1 to 8."""
    smiles: tuple[str, ...] = ()
    """Structures for ``design``; in ``assay`` structures to be made and measured at once."""
    rationale: str | None = None
    compounds: tuple[str, ...] = ()
    """Ids (or SMILES) that ``assay`` measures."""
    assays: tuple[str, ...] = ()
    """Names from the brief's menu."""
    replicates: int = 1
    predicted: Mapping[str, Prediction] = field(default_factory=dict)
    """``nominate``: objective name to prediction; objectives left out earn no calibration."""
    reason: str | None = None
    """``stop``: why. ``out_of_time`` settles any programme at the floor."""
    command: str | None = None
    """Text of a model, parsed tolerantly by ``molforge.command``."""

    def as_message(self) -> dict[str, object]:
        """Return the JSON-ready wire form: only what differs from the defaults."""
        message: dict[str, object] = {}
        for name in ("compound", "transformation", "rationale", "reason", "command"):
            if (value := getattr(self, name)) is not None:
                message[name] = value
        if self.action_type is not None:
            message["action_type"] = str(self.action_type)
        for name in ("smiles", "compounds", "assays"):
            if value := getattr(self, name):
                message[name] = list(value)
        if self.replicates != 1:
            message["replicates"] = self.replicates
        if self.action_type is ActionType.SUGGEST:
            message["n"] = self.n
        if self.predicted:
            message["predicted"] = {
                name: {"value": p.value, "low": p.low, "high": p.high} for name, p in self.predicted.items()
            }
        return message
