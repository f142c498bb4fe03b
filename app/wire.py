"""The wire models: what comes in is parsed here, once; what goes out is described here.

Incoming models are strict and forbid unknown fields. Outgoing models are what ``/schema`` and
``/openapi.json`` publish; replies are not validated again on their way out (a test does that).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.hosting import action_of
from envs.arguments import CARRIED, KNOWN
from molforge.actions import MAX_COMPOUNDS, MAX_REPLICATES, MAX_STRUCTURES, Action
from molforge.command import MAX_COMMAND

Smiles = Annotated[str, StringConstraints(max_length=1000)]
"""Longer than the laboratory takes (250), so that an agent is told why, and short enough to carry."""
MAX_ACTION = 16_000
"""Bytes of structures, ids and rationale in one action: the journal keeps them. A command has its limit."""
MAX_NAME = 64
Name = Annotated[str, StringConstraints(max_length=MAX_NAME)]
MAX_UNKNOWN = 64
"""Names of reset's arguments that mean nothing here; a task row has a dozen. They are kept in the journal."""


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Seed = Annotated[int, Field(ge=0), BeforeValidator(_number)]
"""A whole number; ``true`` is none."""

_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
_OUT = ConfigDict(extra="forbid")


class PredictionMessage(BaseModel):
    """Predicted value of one objective of the nominee with the ends of its central 90 % interval."""

    model_config = _STRICT

    value: float
    low: float
    high: float


class ActionMessage(BaseModel):
    """One action: `action_type` with its fields, or `command` alone (free text).

    suggest: compound, transformation, n. design: smiles, rationale. assay: compounds and/or smiles,
    assays, replicates. nominate: compound, predicted. stop: reason.
    """

    model_config = _STRICT

    action_type: Literal["suggest", "design", "assay", "nominate", "stop"] | None = Field(
        default=None, description="What to do; null only together with command."
    )
    compound: Smiles | None = Field(
        default=None, description="Id of a registered compound (suggest, nominate); the lead is M1."
    )
    transformation: Name | None = Field(
        default=None, description="Name of one medicinal-chemistry edit (suggest); null: any."
    )
    n: int = Field(default=MAX_STRUCTURES, ge=1, le=MAX_STRUCTURES, description="How many suggestions.")
    smiles: list[Smiles] = Field(
        default_factory=list,
        max_length=MAX_STRUCTURES,
        description="Structures to design, or to make and measure at once (assay).",
    )
    rationale: str | None = Field(default=None, max_length=4000, description="Why these structures (design).")
    compounds: list[Smiles] = Field(
        default_factory=list, max_length=MAX_COMPOUNDS, description="Ids or SMILES to measure (assay)."
    )
    assays: list[Name] = Field(
        default_factory=list, max_length=12, description="Names of assays from the brief's menu (assay)."
    )
    replicates: int = Field(
        default=1, ge=1, le=MAX_REPLICATES, description="Readings of each compound by each assay (assay)."
    )
    predicted: dict[Name, PredictionMessage] = Field(
        default_factory=dict,
        max_length=16,
        description="Objective name to prediction with a 90 % interval (nominate).",
    )
    reason: str | None = Field(
        default=None, max_length=500, description="Why the programme is closed (stop)."
    )
    command: str | None = Field(
        default=None,
        max_length=MAX_COMMAND,
        description="Instead of all other fields: one action as text, for instance 'assay M1: potency x2'.",
    )
    metadata: dict[str, Any] = Field(default_factory=dict, description="Accepted and ignored.")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, message: Any) -> Any:
        """Typed clients and tool calls send null for what they leave out."""
        if isinstance(message, dict) and isinstance(message.get("action"), dict):
            raise PydanticCustomError("action_wrapped", "the fields of an action stand here themselves")
        if isinstance(message, dict) and None in message.values():
            return {name: value for name, value in message.items() if value is not None}
        return message

    @model_validator(mode="after")
    def _is_one_action(self) -> ActionMessage:
        if self.action_type is None and self.command is None:
            raise PydanticCustomError("action_missing", "give action_type with its fields, or command")
        if self.action_type is not None and self.command is not None:
            raise PydanticCustomError(
                "action_twice", "give action_type with its fields, or command, not both"
            )
        return self

    @model_validator(mode="after")
    def _is_of_some_length(self) -> ActionMessage:
        texts = (*self.smiles, *self.compounds, self.rationale or "")
        if sum(len(text.encode(errors="replace")) for text in texts) > MAX_ACTION:
            raise PydanticCustomError("action_long", f"an action holds at most {MAX_ACTION} bytes of text")
        return self

    def as_message(self) -> dict[str, Any]:
        """Return what was given, without what an action of its kind does not use."""
        wanted = self.model_fields_set & FIELDS[self.action_type]
        if self.predicted:
            return self.model_dump(include=wanted)
        return {name: value for name, value in self.__dict__.items() if name in wanted}

    def to_action(self) -> Action:
        """Return the action inside."""
        return action_of(self.as_message())


FIELDS: dict[str | None, frozenset[str]] = {
    None: frozenset({"command"}),
    "suggest": frozenset({"action_type", "compound", "transformation", "n", "rationale"}),
    "design": frozenset({"action_type", "smiles", "rationale"}),
    "assay": frozenset({"action_type", "compounds", "smiles", "assays", "replicates", "rationale"}),
    "nominate": frozenset({"action_type", "compound", "predicted", "rationale"}),
    "stop": frozenset({"action_type", "reason", "rationale"}),
}
"""What an action of each kind uses, and why it was done: what the journal keeps."""


def is_command(data: dict[str, Any]) -> bool:
    """Say whether an action is a command and nothing else, as most are: then there is no more to check."""
    command = data.get("command")
    return type(command) is str and len(data) == 1 and len(command) <= MAX_COMMAND


class ResetArguments(BaseModel):
    """Arguments of reset. All optional; up to 64 unknown names are ignored and listed in the observation."""

    model_config = ConfigDict(extra="allow")

    seed: Seed | None = Field(default=None, description="Which world; 0 to 2^63-1.")
    episode_id: str | None = Field(default=None, max_length=255, description="Echoed in state.")

    @model_validator(mode="after")
    def _is_no_flood(self) -> ResetArguments:
        unknown = [name for name in self.model_extra or {} if name not in KNOWN]
        if len(unknown) > MAX_UNKNOWN or any(len(name) > MAX_NAME for name in unknown):
            raise PydanticCustomError(
                "too_many_arguments",
                "at most {most} arguments that mean nothing here, with names of at most {long} characters",
                {"most": MAX_UNKNOWN, "long": MAX_NAME},
            )
        return self

    def as_mapping(self) -> dict[str, Any]:
        """Return the arguments, seed and episode_id coerced, null left out.

        Of what means nothing here the name alone is kept, to be told: this goes into the journal.
        """
        extra = {
            name: value if name in KNOWN else True
            for name, value in (self.model_extra or {}).items()
            if value is not None and name not in CARRIED
        }
        given = {"seed": self.seed, "episode_id": self.episode_id}
        return {**extra, **{name: value for name, value in given.items() if value is not None}}


class StepRequest(BaseModel):
    """Body of `POST /step`."""

    model_config = ConfigDict(extra="allow")

    action: ActionMessage
    timeout_s: float | None = Field(
        default=None,
        gt=0,
        description="Give up (504) after this many seconds, .5 at least; the server's own limit stands.",
    )
    request_id: str | None = Field(default=None, max_length=255, description="Accepted and ignored.")
    session_id: str | None = Field(
        default=None, max_length=255, description="The session, where header and cookie cannot be used."
    )


class ObjectiveView(BaseModel):
    """One line of the target product profile."""

    model_config = _OUT

    name: str
    unit: str
    kind: Literal["up", "down", "window"]
    limits: list[float] = Field(
        description="[L, U]: worthless at L, met at U; window [L, U, U', L']: met between U and U'."
    )
    weight: float
    assays: list[str] = Field(description="Assays of the menu that read it; empty if computed.")
    prior_width: float = Field(
        description="Width of the central 90 % of this objective over typical designs."
    )


class AssayView(BaseModel):
    """One line of the assay menu."""

    model_config = _OUT

    assay: str
    reads: str
    unit: str
    price: float
    se: float = Field(description="Standard error of one reading, all sources included.")
    run_se: float = Field(description="The part of it that all readings of one call share.")
    range: list[float] | None = Field(default=None, description="Lowest and highest value it can report.")
    micromolar: float | None = Field(
        default=None, description="Concentration of an assay that reports % inhibition, in umol/L."
    )


class Brief(BaseModel):
    """What the programme asks for."""

    model_config = _OUT

    title: str
    objectives: list[ObjectiveView]
    menu: list[AssayView]
    budget: float
    max_steps: int
    rules: list[str]


class RefusalView(BaseModel):
    """Why a structure was not taken."""

    model_config = _OUT

    gate: str
    atom: int | None = None
    reason: str


class CompoundView(BaseModel):
    """One compound; or, with only `smiles` and `refused`, a structure that was not taken."""

    model_config = _OUT

    id: str | None = None
    smiles: str
    made: bool | None = None
    make_price: float | None = None
    properties: dict[str, float] | None = None
    alerts: list[str] | None = None
    refused: RefusalView | None = None


class ReadingView(BaseModel):
    """One reading."""

    model_config = _OUT

    compound: str
    assay: str
    value: float
    unit: str
    qualifier: Literal["", "<", ">"]
    se: float
    call: int


class SuggestionView(BaseModel):
    """One suggested structure."""

    model_config = _OUT

    smiles: str
    transformation: str


class _Programme(BaseModel):
    """What observation and state share."""

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


class Observation(_Programme):
    """What changed, plus totals. `brief` comes with reset, `score` with the last step."""

    model_config = _OUT

    ignored: list[str] = Field(default_factory=list, description="Arguments of reset that mean nothing here.")
    suggestions: list[SuggestionView] = Field(default_factory=list)
    last_action_error: str | None = None
    text: str = Field(default="", description="The whole observation for a language model to read.")
    done: bool = False
    reward: bool | int | float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class StepReply(BaseModel):
    """Reply to reset and step."""

    model_config = _OUT

    observation: Observation = Field(description="done and reward lie beside it, not in it.")
    reward: float | None = None
    done: bool = False
    metadata: dict[str, Any] | None = None


class State(_Programme):
    """The public notebook. Before the first reset everything is empty."""

    model_config = ConfigDict(extra="allow")

    episode_id: str | None = None
    step_count: int = Field(default=0, ge=0)
    last_reply: dict[str, Any] | None = Field(
        default=None,
        description="The last reply to reset or step, its observation's `metadata` left out: "
        "compare step_count with your own.",
    )


_BLANK_STATE = State().model_dump()


def state_payload(state: dict[str, Any]) -> dict[str, Any]:
    """Return the wire form of a state: before the first reset every field is there, and empty."""
    return state if "task_id" in state else {**_BLANK_STATE, **state}
