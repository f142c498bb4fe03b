"""Grader of the ``hop`` family: a better molecule than the lead outside the claimed series."""

from __future__ import annotations

from graders.parts import Record, grade_nominee
from graders.score import Score


def grade(episode: Record) -> Score:
    """Return the score of a finished episode; given compounds, prior art and the claimed series score 0."""
    return grade_nominee(episode)
