"""The tools of /mcp: a programme as a model with function calling plays it.

Every tool but ``brief`` and ``notebook`` is one action. Names that OpenEnv reserves (reset, step, state,
close) are not used: ``brief`` opens a programme, ``notebook`` shows the state, ``close_programme`` stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import molforge
from app.misfits import as_sentence, describe
from app.service import Service
from app.sessions import Session
from app.wire import ActionMessage, Name, PredictionMessage, Seed, Smiles
from envs import CATALOGUE, SPLITS
from molforge.actions import MAX_COMPOUNDS, MAX_REPLICATES, MAX_STRUCTURES
from molforge.contract import Phase, Step
from molforge.errors import CallerError, EpisodeOver, NotReset

_ARGUMENTS = ConfigDict(extra="forbid", frozen=True)
Id = Annotated[Smiles, Field(description="Id of a registered compound, for instance M1.")]


class BriefArguments(BaseModel):
    """Arguments of brief."""

    model_config = _ARGUMENTS

    task_id: Literal[tuple(CATALOGUE)] | None = Field(default=None, description="Which family.")  # type: ignore[valid-type]
    seed: Seed | None = Field(default=None, description="Which programme of the split.")
    split: Literal[SPLITS] | None = Field(default=None, description="Default: train.")  # type: ignore[valid-type]
    difficulty: float | None = Field(default=None, ge=0, le=1, description="Default: 0.76.")


class SuggestArguments(BaseModel):
    """Arguments of suggest."""

    model_config = _ARGUMENTS

    compound: Id
    transformation: Name | None = Field(default=None, description="One kind of edit by name; default: any.")
    n: int = Field(default=MAX_STRUCTURES, ge=1, le=MAX_STRUCTURES, description="How many.")


class DesignArguments(BaseModel):
    """Arguments of design."""

    model_config = _ARGUMENTS

    smiles: list[Smiles] = Field(
        min_length=1,
        max_length=MAX_STRUCTURES,
        description="SMILES, 12 to 50 heavy atoms each.",
    )
    rationale: str | None = Field(default=None, max_length=4000, description="Why these; kept, not graded.")


class AssayArguments(BaseModel):
    """Arguments of assay."""

    model_config = _ARGUMENTS

    compounds: list[Smiles] = Field(
        min_length=1, max_length=MAX_COMPOUNDS, description="Ids (M1) or SMILES; SMILES are designed first."
    )
    assays: list[Name] = Field(min_length=1, max_length=12, description="Names from the brief's menu.")
    replicates: int = Field(
        default=1, ge=1, le=MAX_REPLICATES, description="Readings of each compound by each assay."
    )


class NominateArguments(BaseModel):
    """Arguments of nominate."""

    model_config = _ARGUMENTS

    compound: Id
    predicted: dict[Name, PredictionMessage] = Field(
        default_factory=dict,
        max_length=16,
        description="Objective name to predicted value with the ends of its central 90 % interval.",
    )


class CloseArguments(BaseModel):
    """Arguments of close_programme."""

    model_config = _ARGUMENTS

    reason: str = Field(default="", max_length=500, description="Why no compound is nominated.")


class NotebookArguments(BaseModel):
    """notebook takes none."""

    model_config = _ARGUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    action_type: str | None = None
    """The action that it is; None: it is none."""
    is_read_only: bool = False
    is_final: bool = False
    """Ends the programme."""

    def as_message(self) -> dict[str, Any]:
        """Return the entry of tools/list."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.arguments.model_json_schema(),
            "outputSchema": OUTPUT_SCHEMA,
            "annotations": {
                "readOnlyHint": self.is_read_only,
                "destructiveHint": self.is_final,
                "idempotentHint": self.is_read_only,
                "openWorldHint": False,
            },
        }


SERVER_INFO = {"name": "molforge", "title": "MolForge", "version": molforge.__version__}
INSTRUCTIONS = (
    "A medicinal-chemistry laboratory. Call brief first and read it. Then alternate design, assay and "
    "thought until a compound meets the profile, and nominate it with 90 % intervals; budget and actions "
    "are limited, readings are noisy, and suggest helps where writing SMILES is hard."
)
OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reward": {
            "type": ["number", "null"],
            "description": "What it paid; null: it was no action.",
        },
        "done": {"type": "boolean", "description": "Whether the programme has ended."},
        "observation": {"type": "object", "description": "What changed, or the whole notebook."},
    },
    "required": ["reward", "done", "observation"],
}
_TOOLS = (
    Tool(
        name="brief",
        title="Read the brief",
        description=(
            "Start here. Returns the target product profile, the assay menu with prices, the budget, the "
            "rules and the compounds in hand. While a programme runs: of that one, without arguments. "
            "Otherwise opens one, that of the arguments if there are any. Costs nothing."
        ),
        arguments=BriefArguments,
    ),
    Tool(
        name="suggest",
        title="Suggest analogues",
        description=(
            "Proposes structures one medicinal-chemistry edit away from a compound in hand. They are neither "
            "registered nor graded: pass the SMILES you like to design or assay. Uses one allowed action."
        ),
        arguments=SuggestArguments,
        action_type="suggest",
    ),
    Tool(
        name="design",
        title="Design compounds",
        description=(
            "Registers up to 8 new structures and returns their ids, computed properties, alerts and price "
            "of making, or which rule refused them and why. Nothing is bought. Uses one allowed action."
        ),
        arguments=DesignArguments,
        action_type="design",
    ),
    Tool(
        name="assay",
        title="Make and measure",
        description=(
            "Makes what is not made yet (it costs credits and can fail), then measures every compound in "
            "every named assay. Readings are noisy. New SMILES may stand among the compounds, so a whole "
            "round of design, synthesis and measurement fits in one call. Uses one action and credits."
        ),
        arguments=AssayArguments,
        action_type="assay",
    ),
    Tool(
        name="nominate",
        title="Nominate the candidate",
        description=(
            "Ends the programme with one made compound as candidate; its true values are scored. Give a 90 % "
            "interval for every objective of the brief: honest intervals earn part of the score."
        ),
        arguments=NominateArguments,
        action_type="nominate",
        is_final=True,
    ),
    Tool(
        name="close_programme",
        title="Close the programme",
        description="Ends the programme without a candidate: right only if no compound can meet the profile.",
        arguments=CloseArguments,
        action_type="stop",
        is_final=True,
    ),
    Tool(
        name="notebook",
        title="Read the notebook",
        description="Returns all that is known: brief, compounds, readings, credits and actions left.",
        arguments=NotebookArguments,
        is_read_only=True,
    ),
)
TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in _TOOLS}


class UnknownTool(CallerError):
    """There is no tool of that name."""

    code = "UNKNOWN_TOOL"

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown tool: {name[:80]}; there are {', '.join(TOOLS)}")


class BadToolArguments(CallerError):
    """Arguments that do not fit the tool's schema; nothing happened."""

    code = "BAD_ARGUMENTS"


class NoProgramme(CallerError):
    """There is nothing to act on; the message says what to call."""

    code = NotReset.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a tool call gave."""

    text: str
    observation: dict[str, Any]
    reward: float | None
    done: bool
    is_error: bool = False
    """The action could not be carried out; the text says why."""

    def as_value(self) -> dict[str, Any]:
        """Return what programs read: fits ``OUTPUT_SCHEMA``."""
        return {"reward": self.reward, "done": self.done, "observation": self.observation}


@cache
def listed() -> tuple[dict[str, Any], ...]:
    """Return the entries of tools/list: the same objects every time, not to be changed."""
    return tuple(tool.as_message() for tool in _TOOLS)


def check(name: str, arguments: Any) -> tuple[Tool, BaseModel]:
    """Return the tool and its parsed arguments; raise ``UnknownTool`` or ``BadToolArguments``."""
    tool = TOOLS.get(name)
    if tool is None:
        raise UnknownTool(name)
    given = {} if arguments is None else arguments
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if value is not None}
    try:
        return tool, tool.arguments.model_validate(given)
    except ValidationError as error:
        raise _misfit(name, error) from None


def _misfit(name: str, error: ValidationError) -> BadToolArguments:
    return BadToolArguments(f"{name}: {'; '.join(map(as_sentence, describe(error)))}")


async def call(tool: Tool, arguments: BaseModel, *, service: Service, session: Session) -> Outcome:
    """Carry out a tool call in a session; raise ``NoProgramme``, ``BadArgument`` or a server error."""
    given = arguments.model_dump(exclude_defaults=True)
    if tool.name == "brief":
        return await _brief(given, service, session)
    if tool.name == "notebook":
        return _noted(await service.state(session))
    try:
        message = ActionMessage.model_validate({"action_type": tool.action_type, **given})
    except ValidationError as error:  # what no tool's own schema says
        raise _misfit(tool.name, error) from None
    try:
        return _stepped(await service.step(session, message.to_action()))
    except NotReset:
        raise NoProgramme("no programme is open: call brief first") from None
    except EpisodeOver:
        raise NoProgramme(_ended(session)) from None


async def _brief(given: dict[str, Any], service: Service, session: Session) -> Outcome:
    """Show the running programme or open one: never a second in one rollout, whose rewards would add up."""
    state = await service.state(session)
    if state.get("phase") == Phase.RUNNING:
        if given:
            raise BadToolArguments(
                "brief: a programme is running, which brief without arguments shows and nominate or "
                "close_programme ends; only then can another be opened"
            )
        return _noted(state)
    if session.is_rollout:
        raise NoProgramme(_ended(session))
    return _stepped(await service.reset(session, given, by_tool=True), is_action=False)


def _ended(session: Session) -> str:
    further = (
        "only reset opens another in this session" if session.is_rollout else "call brief to open another"
    )
    return f"this programme has ended: {further}"


def _stepped(step: Step, *, is_action: bool = True) -> Outcome:
    observation = dict(step.observation)
    return Outcome(
        text=str(observation.pop("text", "")),
        observation=observation,
        reward=step.reward if is_action else None,
        done=step.done,
        is_error=observation.get("last_action_error") is not None,
    )


def _noted(state: dict[str, Any]) -> Outcome:
    if "brief" not in state:
        raise NoProgramme("no programme is open: call brief first")
    observation = {name: value for name, value in state.items() if name != "last_reply"}
    return Outcome(
        text=_notebook_text(observation),
        observation=observation,
        reward=None,
        done=state.get("phase") != Phase.RUNNING,
    )


def _notebook_text(state: Mapping[str, Any]) -> str:
    brief = state["brief"]
    by_compound: dict[str, list[str]] = {}
    for reading in state["readings"]:
        told = f"{reading['assay']} {reading['qualifier']}{reading['value']:g}"
        by_compound.setdefault(reading["compound"], []).append(told)
    lines = [brief["title"], "", "Profile:"]
    lines += [
        f"- {o['name']} [{o['unit']}] {o['kind']} {o['limits']}, weight {o['weight']:g}, read by "
        f"{', '.join(o['assays']) or 'computation'}"
        for o in brief["objectives"]
    ]
    lines += ["", "Assays (credits, se):"]
    lines += [f"- {a['assay']}: {a['price']:g}, se {a['se']:.2f} {a['unit']}" for a in brief["menu"]]
    lines += ["", *(f"* {rule}" for rule in brief["rules"]), "", "Compounds:"]
    lines += [
        f"{c['id']} {c['smiles']} ({'made' if c['made'] else format(c['make_price'], 'g') + ' to make'}): "
        + (", ".join(by_compound.get(c["id"], ())) or "no readings")
        for c in state["compounds"]
    ]
    left = f"Budget left {state['budget_left']:g} credits, {state['steps_left']} actions left."
    lines += ["", left if state["score"] is None else f"The programme has ended. Score {state['score']:.3f}."]
    return "\n".join(lines)
