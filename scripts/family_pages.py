"""Fill the examples of docs/families/*.md: the first programme of a family, played by the reference planner.

Run it again after a change of the game, the worlds or the planner.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.policies import make

PAGES = Path(__file__).parent.parent / "docs" / "families"
BEGIN, END = "<!-- transcript -->", "<!-- end -->"
WIDTH, SHOWN = 150, 8
"""Characters of a line, and lines of a reply, that an example shows."""


def main() -> None:
    """Play one programme of every family and write it into its page."""
    for task_id in CATALOGUE:
        page = PAGES / f"{task_id}.md"
        text = page.read_text(encoding="utf-8")
        head, _, rest = text.partition(BEGIN)
        _, _, tail = rest.partition(END)
        page.write_text(f"{head}{BEGIN}\n{transcript(task_id)}{END}{tail}", encoding="utf-8")


def transcript(task_id: str) -> str:
    """Return one programme of the planner as a block of text."""
    environment = MolforgeEnvironment()
    policy = make("planner", seed=0)
    step = environment.reset({"task_id": task_id, "seed": 0})
    policy.begin(step.observation)
    lines = [f"`reset(task_id={task_id!r}, seed=0)`", "", "```text", *_short(step.observation["text"], 40)]
    while not step.done:
        action = policy.act(step.observation)
        step = environment.step(action)
        message = {k: v for k, v in action.as_message().items() if k != "predicted"}
        lines += ["", _cut(f"> {json.dumps(message)}")]
        lines += [*_short(step.observation["text"], SHOWN), f"reward {step.reward:+.3f}"]
    return "\n".join([*lines, "```", ""])


def _short(text: str, most: int) -> list[str]:
    lines = [_cut(line) for line in text.splitlines()]
    return lines if len(lines) <= most else [*lines[: most - 2], "...", lines[-1]]


def _cut(line: str) -> str:
    line = re.sub(r"\s+", " ", line)
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


if __name__ == "__main__":
    main()
