"""The lines that evaluators parse, one block a task, and a stdout that holds nothing else.

::

    [START] task=<id> env=<benchmark> model=<name>
    [STEP] step=<n> action=<one line> reward=<0.00> done=<true|false> error=<msg|null>
    [END] success=<true|false> steps=<n> score=<0.000> rewards=<r1,r2,...>
"""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

SUCCESS_SCORE = 0.1
"""Score from which a task counts as solved, as in the official sample."""
FLOOR = 0.01
"""Score of a block whose programme never reported one (the connection died, for instance)."""
_ACTION_LENGTH = 1000
_ERROR_LENGTH = 300
_BLANK = '""'
"""What stands for an action without a printable character: the field is never empty."""
_KEY = re.compile(
    r"(task|env|model|step|action|reward|done|error|success|steps|score|rewards) ?=", re.IGNORECASE
)
"""Inside longer words too, and before a blank: not every parser asks for a word's beginning or end."""
_TAG = re.compile(r"\[ ?(START|STEP|END) ?\]", re.IGNORECASE)


def claim_stdout() -> TextIO:
    """Take stdout for the lines alone: whatever else writes there, child processes too, goes to stderr."""
    sys.stdout.flush()
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    try:
        os.dup2(2, 1)
    except OSError:  # no stderr at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = sys.stderr
    return lines


def flatten(text: str, *, length: int) -> str:
    """Return text as one printable line that cannot be mistaken for fields of the grammar."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = _TAG.sub(r"(\1)", _KEY.sub(r"\1:", line))
    return line if len(line) <= length else line[: length - 3] + "..."


class Block:
    """The lines of one task; ``end`` may be called twice and prints once."""

    def __init__(self, out: TextIO, *, task: str, benchmark: str, model: str) -> None:
        self._out = out
        self._cents: list[int] = []
        self._total = 0.0
        self._is_open = True
        names = (_word(task), _word(benchmark), _word(model))
        self._print("[START] task={} env={} model={}".format(*names))

    def step(self, *, action: str, reward: float, done: bool, error: str | None) -> None:
        """Print one step.

        Rewards are rounded with the remainder carried on, so that those of a block sum to its score.
        """
        self._total += reward
        self._cents.append(round(100 * self._total) - sum(self._cents))
        self._print(
            f"[STEP] step={len(self._cents)} action={flatten(action, length=_ACTION_LENGTH) or _BLANK} "
            f"reward={self._cents[-1] / 100:.2f} done={str(done).lower()} "
            f"error={flatten(error or '', length=_ERROR_LENGTH) or 'null'}"
        )

    def end(self, score: float | None) -> None:
        """Print the last line; None is a programme that never reported a score."""
        if not self._is_open:
            return
        self._is_open = False
        score = FLOOR if score is None else score
        rewards = ",".join(f"{cents / 100:.2f}" for cents in self._cents)
        self._print(
            f"[END] success={str(score >= SUCCESS_SCORE).lower()} steps={len(self._cents)} "
            f"score={score:.3f} rewards={rewards}"
        )

    def _print(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


def _word(text: str) -> str:
    return flatten(text, length=200).replace(" ", "_") or "unknown"
