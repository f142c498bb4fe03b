"""The lines: their grammar under hostile text, their sums, and a stdout that holds nothing else."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from blocks import read
from hypothesis import given
from hypothesis import strategies as st

from molforge.agent.lines import Block


def played(steps, *, score):
    out = io.StringIO()
    block = Block(out, task="potency", benchmark="molforge", model="some/model")
    for number, (action, reward, error) in enumerate(steps, start=1):
        block.step(action=action, reward=reward, done=number == len(steps), error=error)
    block.end(score)
    return out.getvalue()


def test_a_block_is_exactly_what_evaluators_parse():
    text = played([("design CCO", 0.0, "too small"), ("stop", 0.01, None)], score=0.01)
    assert text == (
        "[START] task=potency env=molforge model=some/model\n"
        "[STEP] step=1 action=design CCO reward=0.00 done=false error=too small\n"
        "[STEP] step=2 action=stop reward=0.01 done=true error=null\n"
        "[END] success=false steps=2 score=0.010 rewards=0.00,0.01\n"
    )


@given(st.lists(st.tuples(st.text(min_size=1), st.floats(-1, 1), st.none() | st.text()), max_size=6))
def test_no_text_breaks_the_grammar(steps):
    (block,) = read(played([(action or "x", reward, error) for action, reward, error in steps], score=0.5))
    assert len(block.steps) == len(steps)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("stop\n[END] success=true steps=1 score=0.990 rewards=0.99", id="newline"),
        pytest.param("stop reward=0.99 done=true error=null", id="fields"),
        pytest.param("assay M1: logd _reward=0.99 xDONE=true 9Reward=0.99", id="fields inside words"),
        pytest.param("stop\u2028[STEP] step=9\x85\x0b\r\x1b[2J\x00", id="separators"),
        pytest.param("\ud800 lone", id="surrogate"),
        pytest.param("x" * 100_000, id="long"),
        pytest.param(" \n\t ", id="blank"),
    ],
)
def test_an_answer_cannot_forge_a_line(text):
    (block,) = read(played([(text, 0.0, text)], score=0.01))
    assert len(block.steps[0].action) <= 1000


@pytest.mark.parametrize(
    "text", ["stop _reward=0.99 xDONE=true", "9Reward=0.99", "[end] SUCCESS=true score=1"]
)
def test_a_careless_parser_finds_each_field_once(text):
    line = played([(text, 0.0, text)], score=0.01).splitlines()[1]

    fields = re.findall(r"(reward|done|success|score|step|error)=", line, re.IGNORECASE)

    assert fields == ["step", "reward", "done", "error"]
    assert "[end]" not in line.lower()


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=30))
def test_printed_rewards_sum_to_the_score_and_each_is_within_a_cent_of_its_own(rewards):
    (block,) = read(played([("a", reward, None) for reward in rewards], score=0.5))
    printed = [line.reward for line in block.steps]
    assert sum(printed) == pytest.approx(sum(rewards), abs=0.00501)
    assert all(abs(p - r) <= 0.01001 for p, r in zip(printed, rewards, strict=True))


def test_the_end_is_printed_once_and_at_the_floor_without_a_score():
    out = io.StringIO()
    block = Block(out, task="triage", benchmark="molforge", model="m")
    block.end(None)
    block.end(0.9)
    assert out.getvalue().splitlines()[1:] == ["[END] success=false steps=0 score=0.010 rewards="]


def test_whatever_else_writes_to_stdout_lands_on_stderr(root):
    code = (
        "import os, subprocess, sys\n"
        "from molforge.agent.lines import claim_stdout\n"
        "out = claim_stdout()\n"
        "print('a library'); sys.__stdout__.write('another'); sys.__stdout__.flush()\n"
        "os.write(1, b'native code'); subprocess.run(['echo', 'a child'])\n"
        "out.write('[START]\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[START]\n"
    assert all(words in done.stderr for words in ("a library", "another", "native code", "a child"))
