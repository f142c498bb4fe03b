"""Grader of the ``admet`` family: potency kept, everything else fixed at once."""

from __future__ import annotations

from graders.parts import Record, grade_nominee
from graders.score import Score


def grade(episode: Record) -> Score:
    """Return the score of a finished episode; no nominee, a given compound or prior art score 0."""
    return grade_nominee(episode)
