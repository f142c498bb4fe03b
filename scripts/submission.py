"""For scripts/validate-submission.sh: ``tasks`` runs every grader, ``lines FILE`` reads the agent lines."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

START = re.compile(r"\[START\] task=(\S+) env=(\S+) model=(\S+)$")
STEP = re.compile(r"\[STEP\] step=(\d+) action=(.*) reward=(-?\d+\.\d\d) done=(true|false) error=(.*)$")
END = re.compile(
    r"\[END\] success=(true|false) steps=(\d+) score=(\d\.\d{3}) rewards=((?:-?\d+\.\d\d)(?:,-?\d+\.\d\d)*)?$"
)
HALF_CENT = 0.005
"""Rewards are printed with two digits."""


def listed_tasks() -> dict[str, str]:
    """Return task id -> grader as openenv.yaml names them (read without a YAML library)."""
    text = (ROOT / "openenv.yaml").read_text(encoding="utf-8")
    block = text.split("\ntasks:\n", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"- id: (\S+)\n(?:    .*\n)*?    grader: (\S+)", f"{block}\n"))


def check_tasks() -> list[str]:
    """Run each grader on the recorded episodes of its task; return what is wrong."""
    wrong = []
    tasks = listed_tasks()
    if len(tasks) < 3:
        wrong.append(f"openenv.yaml lists {len(tasks)} tasks with graders; at least 3 are wanted")
    for task, grader in tasks.items():
        module, name = grader.split(":")
        grade = getattr(import_module(module), name)
        cases = json.loads((ROOT / "graders" / "cases" / f"{task}.json").read_text(encoding="utf-8"))
        scores = [grade(case["episode"]).value for case in cases]
        print(f"  {task}: {grader} gives {', '.join(f'{score:.3f}' for score in scores)}")
        if [grade(case["episode"]).value for case in cases] != scores:
            wrong.append(f"{grader} gives another score the second time")
        if not all(0.0 <= score <= 1.0 for score in scores):
            wrong.append(f"{grader} leaves [0, 1]")
        if len(set(scores)) < 2:
            wrong.append(f"{grader} gives every episode the same score")
    return wrong


def check_lines(lines: list[str]) -> list[str]:
    """Return what is wrong with the agent's output."""
    wrong: list[str] = []
    scores: dict[str, float] = {}
    task = ""
    steps: list[str] = []
    for number, line in enumerate(lines, 1):
        if start := START.match(line):
            if task:
                wrong.append(f"line {number}: [START] before the [END] of {task}")
            task, steps = start[1], []
        elif step := STEP.match(line):
            if not task or int(step[1]) != len(steps) + 1:
                wrong.append(f"line {number}: step {step[1]} out of order")
            steps.append(step[3])
        elif end := END.match(line):
            wrong += [f"line {number}: {what}" for what in _check_end(end, task, steps)]
            scores[task] = float(end[3])
            task = ""
        else:
            wrong.append(f"line {number} is none of [START], [STEP], [END]: {line[:80]}")
    if task:
        wrong.append(f"{task} has no [END]")
    if missing := set(listed_tasks()) - set(scores):
        wrong.append(f"not played: {', '.join(sorted(missing))}")
    if len(scores) > 1 and len(set(scores.values())) == 1:
        wrong.append("every task has the same score")
    print(f"  scores: {', '.join(f'{name} {score:.3f}' for name, score in scores.items())}")
    return wrong


def _check_end(end: re.Match[str], task: str, steps: list[str]) -> list[str]:
    rewards = end[4].split(",") if end[4] else []
    total, score = sum(map(float, rewards)), float(end[3])
    wrong = []
    if not task:
        wrong.append("[END] without [START]")
    if int(end[2]) != len(steps):
        wrong.append(f"steps={end[2]}, but there are {len(steps)} [STEP] lines")
    if rewards != steps:
        wrong.append("rewards are not those of the [STEP] lines")
    if not 0.0 < score < 1.0:
        wrong.append(f"score {score} is not inside (0, 1)")
    if any(abs(float(reward)) > 1.0 for reward in rewards):
        wrong.append("a reward lies outside [-1, 1]")
    if abs(total - score) > HALF_CENT * (len(rewards) + 1):
        wrong.append(f"the rewards sum to {total:.2f}, the score is {score}")
    return wrong


def main() -> int:
    """Run one check; return the exit code."""
    if sys.argv[1:2] == ["tasks"]:
        wrong = check_tasks()
    else:
        wrong = check_lines(Path(sys.argv[2]).read_text(encoding="utf-8").splitlines())
    for what in wrong:
        print(f"  wrong: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
