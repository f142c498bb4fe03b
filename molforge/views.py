"""Parts of the client's messages, typed: what a brief, a compound or a reading holds.

The same shapes as the server publishes in ``/schema``; fields that a newer server adds are ignored.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PredictionMessage(BaseModel):
    """Predicted value of one objective of the nominee with the ends of its central 90 % interval."""

    value: float
    low: float
    high: float


class ObjectiveView(BaseModel):
    """One line of the target product profile."""

    name: str
    unit: str
    kind: Literal["up", "down", "window"]
    limits: list[float]
    weight: float
    assays: list[str]
    prior_width: float


class AssayView(BaseModel):
    """One line of the assay menu; ``se`` and ``run_se`` in ``unit``, ``price`` in credits.

    ``micromolar`` is the concentration of a single-point assay.
    """

    assay: str
    reads: str
    unit: str
    price: float
    se: float
    run_se: float
    range: list[float] | None = None
    micromolar: float | None = None


class Brief(BaseModel):
    """What the programme asks for."""

    title: str
    objectives: list[ObjectiveView]
    menu: list[AssayView]
    budget: float
    max_steps: int
    rules: list[str]


class RefusalView(BaseModel):
    """Why a structure was not taken."""

    gate: str
    atom: int | None = None
    reason: str


class CompoundView(BaseModel):
    """One compound; or, with only ``smiles`` and ``refused``, a structure that was not taken."""

    id: str | None = None
    smiles: str
    made: bool | None = None
    make_price: float | None = None
    properties: dict[str, float] | None = None
    alerts: list[str] | None = None
    refused: RefusalView | None = None


class ReadingView(BaseModel):
    """One reading; ``qualifier`` says that the true value lies below or above what can be read."""

    compound: str
    assay: str
    value: float
    unit: str
    qualifier: Literal["", "<", ">"]
    se: float
    call: int


class SuggestionView(BaseModel):
    """One suggested structure."""

    smiles: str
    transformation: str


class ProgrammeView(BaseModel):
    """What observation and state both say of the programme."""

    task_id: str = ""
    split: str = ""
    seed: int = 0
    session_id: str = ""
    phase: str = ""
    brief: Brief | None = None
    compounds: list[CompoundView] = Field(default_factory=list)
    readings: list[ReadingView] = Field(default_factory=list)
    budget_left: float = 0.0
    steps_left: int = 0
    score: float | None = None
    score_parts: dict[str, float] | None = None
