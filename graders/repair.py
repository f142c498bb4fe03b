"""Grader of the ``repair`` family: one liability mended, the potency kept."""

from __future__ import annotations

from graders.parts import Record, grade_nominee
from graders.score import Score


def grade(episode: Record) -> Score:
    """Return the score of a finished episode; no nominee, a given compound or prior art score 0."""
    return grade_nominee(episode)
