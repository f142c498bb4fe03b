"""Reads the mandated lines back, refusing whatever is not exactly in their grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

START = re.compile(r"\[START\] task=(\S+) env=(\S+) model=(\S+)")
STEP = re.compile(r"\[STEP\] step=(\d+) action=(.+) reward=(-?\d+\.\d\d) done=(true|false) error=(.+)")
END = re.compile(
    r"\[END\] success=(true|false) steps=(\d+) score=(\d\.\d{3}) rewards=((?:-?\d+\.\d\d)?(?:,-?\d+\.\d\d)*)"
)


@dataclass
class Line:
    """One step."""

    action: str
    reward: float
    done: bool
    error: str | None


@dataclass
class Played:
    """One block."""

    task: str
    env: str
    model: str
    steps: list[Line] = field(default_factory=list)
    score: float | None = None
    success: bool | None = None


def read(text: str) -> list[Played]:
    """Return the blocks; raise ``AssertionError`` at the first line that should not be there."""
    blocks: list[Played] = []
    assert text == "" or text.endswith("\n")
    for line in text.splitlines():
        is_open = bool(blocks) and blocks[-1].score is None
        if found := START.fullmatch(line):
            assert not is_open, "a block began inside another"
            blocks.append(Played(*found.groups()))
        elif found := STEP.fullmatch(line):
            assert is_open
            number, action, reward, done, error = found.groups()
            assert not any(f" {key}=" in action + error for key in ("reward", "done", "error"))
            blocks[-1].steps.append(
                Line(action, float(reward), done == "true", None if error == "null" else error)
            )
            assert int(number) == len(blocks[-1].steps)
        else:
            found = END.fullmatch(line)
            assert found is not None, f"not in the grammar: {line!r}"
            assert is_open
            _close(blocks[-1], *found.groups())
    assert not blocks or blocks[-1].score is not None, "a block was never closed"
    return blocks


def _close(block: Played, success: str, steps: str, score: str, rewards: str) -> None:
    block.success, block.score = success == "true", float(score)
    assert int(steps) == len(block.steps)
    assert [f"{line.reward:.2f}" for line in block.steps] == (rewards.split(",") if rewards else [])
    assert block.success == (block.score >= 0.1)
    assert [line.done for line in block.steps[:-1]] == [False] * (len(block.steps) - 1)
