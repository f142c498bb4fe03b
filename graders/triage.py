"""Grader of the ``triage`` family: the best of a given set, against the set's mean."""

from __future__ import annotations

from graders.parts import Record, grade_nominee
from graders.score import Score


def grade(episode: Record) -> Score:
    """Return the score of a finished episode; every nominee is one of the given compounds here."""
    nominee = episode["nominee"]
    chosen = None if nominee is None else {**nominee, "given": False}
    return grade_nominee({**episode, "nominee": chosen})
