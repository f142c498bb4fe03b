"""What was measured, beside what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured."""

    name: str
    value: float
    most: float | None = None
    """What is allowed at most; None: only told."""
    least: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is allowed."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def __str__(self) -> str:
        bounds = [f"<= {self.most:g}"] if self.most is not None else []
        bounds += [f">= {self.least:g}"] if self.least is not None else []
        bound = f" ({', '.join(bounds)})" if bounds else ""
        return f"{self.name} {self.value:.4g}{bound}{'' if self.is_good else ' !!'}"


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of one scenario."""

    scenario: str
    figures: list[Figure] = field(default_factory=list)
    seconds: float = 0.0
    trouble: str = ""
    """Why it could not be played to its end."""

    def note(self, name: str, value: float, *, most: float | None = None, least: float | None = None) -> None:
        """Take note of a figure."""
        self.figures.append(Figure(name=name, value=value, most=most, least=least))

    @property
    def is_good(self) -> bool:
        """Whether everything is as it must be."""
        return not self.trouble and all(figure.is_good for figure in self.figures)


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as Markdown."""
    rows = ["| scenario | | measured (allowed) | s |", "|---|---|---|---|"]
    for verdict in verdicts:
        said = "; ".join(str(figure) for figure in verdict.figures)
        said = "; ".join(part for part in (said, verdict.trouble) if part)
        mark = "good" if verdict.is_good else "BAD"
        rows.append(f"| {verdict.scenario} | {mark} | {said} | {verdict.seconds:.0f} |")
    return "\n".join(rows)
