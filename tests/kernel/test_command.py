"""What a model may write, and what it is told where it wrote nothing useful."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType, Prediction
from molforge.command import parse_command
from molforge.errors import AgentError

ASSAYS = ("potency", "potency_confirm", "logd", "solubility", "off_target", "prior_art")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("suggest M1", Action(action_type=ActionType.SUGGEST, compound="M1"), id="suggest"),
        pytest.param(
            "suggest M2 [fluorine_scan]",
            Action(action_type=ActionType.SUGGEST, compound="M2", transformation="fluorine_scan"),
            id="suggest-transformation",
        ),
        pytest.param(
            "design CCO; CCN", Action(action_type=ActionType.DESIGN, smiles=("CCO", "CCN")), id="design"
        ),
        pytest.param(
            "assay(M3, potency x2)",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency",), replicates=2),
            id="assay-call",
        ),
        pytest.param(
            "assay M3, m4: potency, logd",
            Action(action_type=ActionType.ASSAY, compounds=("M3", "M4"), assays=("potency", "logd")),
            id="assay-two-compounds",
        ),
        pytest.param(
            "assay c1ccc(C(=O)N(C)C)cc1; CC(C)N: potency, solubility x 3",
            Action(
                action_type=ActionType.ASSAY,
                smiles=("c1ccc(C(=O)N(C)C)cc1", "CC(C)N"),
                assays=("potency", "solubility"),
                replicates=3,
            ),
            id="assay-structures",
        ),
        pytest.param(
            "assay M3: potency x2, logd x2",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency", "logd"), replicates=2),
            id="assay-counts-alike",
        ),
        pytest.param(
            "assay M3 with potency and logd, x4",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency", "logd"), replicates=4),
            id="assay-in-words",
        ),
        pytest.param(
            "assay M3, M4: **potency**, logd (x2).",
            Action(
                action_type=ActionType.ASSAY,
                compounds=("M3", "M4"),
                assays=("potency", "logd"),
                replicates=2,
            ),
            id="assay-as-a-sentence",
        ),
        pytest.param(
            "assay [nH]1cccc1C(=O)N, [M3]: potency",
            Action(
                action_type=ActionType.ASSAY,
                compounds=("M3",),
                smiles=("[nH]1cccc1C(=O)N",),
                assays=("potency",),
            ),
            id="assay-brackets",
        ),
        pytest.param(
            "assay potency: M3, CCO",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), smiles=("CCO",), assays=("potency",)),
            id="assay-first",
        ),
        pytest.param(
            "stop\n\nStop here: nothing was better.",
            Action(action_type=ActionType.STOP, reason="here: nothing was better."),
            id="stop-twice",
        ),
        pytest.param(
            "assay x2 M3: potency & logd",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency", "logd"), replicates=2),
            id="assay-count-first",
        ),
        pytest.param(
            "assay M3: x2 potency",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency",), replicates=2),
            id="assay-count-behind-the-colon",
        ),
        pytest.param(
            "assay M3: potency + logd, x2 each",
            Action(action_type=ActionType.ASSAY, compounds=("M3",), assays=("potency", "logd"), replicates=2),
            id="assay-each",
        ),
        pytest.param(
            "Assay budget is gone and potency never rose above 6.\nSuggest M1 offers nothing new.\n"
            "Nominate nothing.\nDesign space is exhausted.\nstop the series is dead",
            Action(action_type=ActionType.STOP, reason="the series is dead"),
            id="stop-after-sentences",
        ),
        pytest.param(
            "Design considerations aside: it is over.\nSuggest that we end it.\nstop the series is dead",
            Action(action_type=ActionType.STOP, reason="the series is dead"),
            id="stop-after-prose",
        ),
        pytest.param(
            "nominate M3 potency=8.1[7.5,8.7] logd=-2.1[-2.5, -1.8]",
            Action(
                action_type=ActionType.NOMINATE,
                compound="M3",
                predicted={
                    "potency": Prediction(value=8.1, low=7.5, high=8.7),
                    "logd": Prediction(value=-2.1, low=-2.5, high=-1.8),
                },
            ),
            id="nominate-intervals",
        ),
        pytest.param(
            "Let me think. I will design something.\n\nAction: **nominate M7**",
            Action(action_type=ActionType.NOMINATE, compound="M7"),
            id="prose-before",
        ),
        pytest.param(
            '```json\n{"action_type": "design", "smiles": ["CCO"]}\n```',
            Action(action_type=ActionType.DESIGN, smiles=("CCO",)),
            id="fenced-json",
        ),
        pytest.param(
            'I choose {"action": {"action_type": "assay", "compounds": ["M1"], "assays": ["logd"]}}.',
            Action(action_type=ActionType.ASSAY, compounds=("M1",), assays=("logd",)),
            id="json-in-prose",
        ),
        pytest.param(
            "stop: the series is dead",
            Action(action_type=ActionType.STOP, reason="the series is dead"),
            id="stop",
        ),
    ],
)
def test_command_is_read_as_the_action_it_means(text: str, expected: Action) -> None:
    assert parse_command(text, assays=ASSAYS) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "empty command", id="empty"),
        pytest.param("   \n", "empty command", id="blank"),
        pytest.param("I am not sure what to do.", "no action found", id="prose-only"),
        pytest.param('{"action_type": "desing", "smiles": ["C"]}', "unknown action_type", id="misspelt-verb"),
        pytest.param(
            '{"action_type": "design", "smile": ["C"]}', "did you mean 'smiles'", id="misspelt-field"
        ),
        pytest.param("assay M1: hergg", "no assay of the menu named", id="unknown-assay"),
        pytest.param("assay M1: potency, herg", "no assay herg; allowed: potency", id="one-unknown-assay"),
        pytest.param("assay potency, lodg: M1", "no assay lodg; did you mean 'logd'", id="misspelt-assay"),
        pytest.param("assay M1: potency x2, logd", "one count holds for all", id="count-of-one-assay"),
        pytest.param("assay M1: potency x1, logd x8", "one count holds for all", id="different-counts"),
        pytest.param(
            "assay M2: logd\n\nStop here and wait for the result.", "asks for assay", id="prose-like-a-stop"
        ),
        pytest.param("suggest M1\nstop", "asks for suggest", id="stop-beside-another"),
        pytest.param("design c1ccccc1CCO\nStop, wait.", "asks for design", id="stop-beside-structures"),
        pytest.param("design CCO; Cc1ccncc1\nstop", "asks for design", id="stop-beside-two-structures"),
        pytest.param("design CCO\nstop", "asks for design", id="stop-beside-a-short-one"),
        pytest.param("assay CCO: logd\nstop", "asks for assay", id="stop-beside-a-made-structure"),
        pytest.param(
            "nominate M7 potency=8.1\nstop", "asks for nominate", id="stop-beside-half-a-nomination"
        ),
        pytest.param(
            "assay M2: potency x2, logd\nstop if it fails", "asks for assay", id="stop-beside-what-is-refused"
        ),
        pytest.param("assay M2: potency x2, logd, x3", "one count holds for all", id="two-counts"),
        pytest.param("stop? no wait", "no action found", id="question"),
        pytest.param('{"action_type": "assay", "replicates": "two"}', "whole number", id="word-for-number"),
        pytest.param("{" * 5000, "no action found", id="deep-braces"),
    ],
)
def test_text_without_an_action_is_told_why(text: str, told: str) -> None:
    with pytest.raises(AgentError, match=told):
        parse_command(text, assays=ASSAYS)


@given(st.text(max_size=300))
def test_any_text_is_an_action_or_an_agent_error(text: str) -> None:
    try:
        action = parse_command(text, assays=ASSAYS)
    except AgentError:
        return
    assert isinstance(action.action_type, ActionType)


def test_wire_form_of_an_action_parses_back_to_it() -> None:
    action = Action(
        action_type=ActionType.NOMINATE,
        compound="M4",
        predicted={"potency": Prediction(value=8.0, low=7.5, high=8.5)},
    )

    assert parse_command(json.dumps(action.as_message()), assays=ASSAYS) == action


@pytest.mark.parametrize(
    "text",
    [
        " " * 7999 + "x",
        "suggest\n" + " " * 7990 + "x",
        "`" * 8000,
        "{" * 8000,
        '{"a":' * 1600,
        "nominate M1 " + "a" * 7900,
        "nominate M1 " + "a=1[" * 1900,
        "nominate M1 a=" + "1" * 7900,
        "assay M1: " + " " * 7900 + "y",
        "assay M1 " + "x1" * 3900,
        "action" + " :" * 3900,
        "assay M1: potency x" + "1" * 5000,
        "assay M1: potency " + "x" + "1" * 5000,
        "nominate a=1[1,2]\n" * 440,
        "design a b\n" * 720 + "stop",
        "nominate M a=1[1,2]\n" * 390 + "stop",
        "nominate M1 potency=" + "1" * 5000 + "[1,2]",
    ],
    ids=lambda text: repr(text[:16]),
)
def test_text_of_any_kind_is_read_at_once(text: str) -> None:
    began = time.process_time()
    with suppress(AgentError):
        parse_command(text, assays=ASSAYS)
    assert time.process_time() - began < 0.1


def test_text_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(AgentError, match="8001 characters; at most 8000"):
        parse_command("x" * 8001, assays=ASSAYS)


def test_a_number_too_large_for_a_float_is_refused() -> None:
    predicted = {"potency": {"value": 10**400, "low": 1, "high": 2}}
    text = json.dumps({"action": "nominate", "compound": "M1", "predicted": predicted})

    with pytest.raises(AgentError, match="all numbers"):
        parse_command(text, assays=("potency",))


@pytest.mark.parametrize(
    "text",
    [
        "potency=nan[1,2]", "potency=7", "logd=2[1,3] potency=8 +- 1", "(D=.9)", "logd7.4=2[1,3]",
        "potency: 8.1[7.5,8.7]", "potency 8.1 [7.5, 8.7]", "potency≈8.1[7,9]", '{"potency": [7.5, 8.1, 8.7]}',
    ],
)  # fmt: skip
def test_a_prediction_that_cannot_be_read_does_not_nominate_without_it(text: str) -> None:
    with pytest.raises(AgentError, match=r"it is NAME=VALUE\[LOW,HIGH\]"):
        parse_command(f"nominate M1 {text}", assays=())


@pytest.mark.parametrize("task", CATALOGUE)
def test_every_objective_can_be_predicted_in_a_command(task: str) -> None:
    environment = MolforgeEnvironment()
    names: set[str] = set()
    for seed in range(4):
        environment.reset({"task_id": task, "seed": seed})
        programme = environment.episode.programme
        names |= {o.name for stage in (programme.stage, programme.judged) for o in stage.profile.objectives}
    expected = {name: Prediction(value=5.0, low=-4.0, high=6.5) for name in names}
    written = [f"{name}=5[-4, 6.5]" for name in names]

    assert parse_command(f"nominate M1 {' '.join(written)}", assays=()).predicted == expected
    assert parse_command("\n".join(["nominate M1", *written, "done"]), assays=()).predicted == expected


@pytest.mark.parametrize("text", ["**nominate M3** now", "nominate `M3`, it meets all (0.9)", "nominate M3"])
def test_decoration_does_not_change_the_nominee(text: str) -> None:
    assert parse_command(text, assays=()) == Action(action_type=ActionType.NOMINATE, compound="M3")


def test_a_structure_is_no_prediction() -> None:
    assert parse_command("nominate CC=O", assays=()).compound == "CC=O"
