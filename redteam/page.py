"""The red team's page: what was tried, what it earned, and what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence

from envs import CATALOGUE
from molforge.evaluation import provenance
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean
from redteam.attacks import POLICY_ATTACKS, Rank
from redteam.measure import BEYOND, REFERENCES, UNJUDGED, Probed, Verdict

_RANKS = {
    Rank.INFORMED: "Informed players",
    Rank.SKILLED: "Skilled guesses",
    Rank.TWIST: "Bent policies",
    Rank.EMPTY: "Empty policies",
}
_MEANING = {
    Rank.INFORMED: """\
They pay the whole price and know more than an agent may, or take more than one attempt. Published, not
judged: `holder` is the leaderboard's *planner with the true prior*; against `twice` and `many_noises` a
ranking counts the first attempt at a seed only.""",
    Rank.SKILLED: """\
They hold the whole package, compute for free, and buy nothing or next to nothing before they decide.
Held: more than two standard errors below the planner; `near`: below it, by less.""",
    Rank.TWIST: "An honest policy with one thing bent. Held: not above that policy by two standard errors.",
    Rank.EMPTY: "Nothing they do depends on what they read. Held: not above random by two standard errors.",
}


def render(verdicts: Sequence[Verdict], probed: Sequence[Probed], rows: Sequence[Row], *, split: str) -> str:
    """Return the page as Markdown; the figures that hurt come first."""
    lines = [
        "# Red team",
        "",
        f"Made by `molforge redteam` with {provenance.stamp()} on `{split}` (default difficulty,",
        "public secret), mean score ± standard error, programmes in brackets. Gaps are paired by programme.",
        "Where the first ones leave an attack less than two standard errors before its line, or beyond it,",
        "fresh ones alone decide, and where these leave it beyond its line, further fresh ones alone:",
        "of a hundred gaps some are wide by luck, and luck does not last.",
        "",
        *_references(rows),
        *_open(verdicts, probed),
    ]
    for rank in Rank.INFORMED, Rank.SKILLED, Rank.TWIST, Rank.EMPTY:
        of_rank = [v for v in verdicts if POLICY_ATTACKS[v.attack].rank is rank]
        if of_rank:
            lines += [f"## {_RANKS[rank]}", "", _MEANING[rank], "", *_table(of_rank), ""]
    if probed:
        lines += ["## Probes", "", "| probe | it would be bad if | found | |", "|---|---|---|---|"]
        lines += [
            f"| `{p.probe.name}` | {p.probe.claim} | {p.finding.detail.replace('|', '/')} | "
            f"{'held' if p.finding.held else '**open**'} |"
            for p in probed
        ]
        lines.append("")
    return "\n".join(lines)


def _references(rows: Sequence[Row]) -> list[str]:
    lines = ["| family | " + " | ".join(REFERENCES) + " |", "|---|" + "---|" * len(REFERENCES)]
    for task in CATALOGUE:
        cells = []
        for policy in REFERENCES:
            scores = [row.score for row in rows if row.task == task and row.policy == policy]
            cells.append(_cell(Mean.of(scores)) if scores else "")
        if any(cells):
            lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _open(verdicts: Sequence[Verdict], probed: Sequence[Probed]) -> list[str]:
    bad = [f"`{v.attack}` in {v.task} ({v.outcome})" for v in verdicts if v.outcome in BEYOND]
    bad += [f"probe `{p.probe.name}`" for p in probed if not p.finding.held]
    text = ", ".join(bad) if bad else "none"
    unjudged = sum(verdict.outcome in UNJUDGED for verdict in verdicts)
    rest = f" Not judged, for want of programmes: {unjudged} of {len(verdicts)}." if unjudged else ""
    return [f"Open or near the line: {text}.{rest}", ""]


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    lines = [
        "| attack | believes that | family | score | return | gap | in errors | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    order = {name: number for number, name in enumerate(POLICY_ATTACKS)}
    for v in sorted(verdicts, key=lambda v: (order[v.attack], list(CATALOGUE).index(v.task))):
        gap = (
            "" if v.gap is None else f"{v.gap.value:+.3f} ± {v.gap.error:.3f} to {v.against} ({v.gap.count})"
        )
        errors = "" if v.gap is None or not v.gap.error else f"{v.gap.value / v.gap.error:+.1f}"
        outcome = f"**{v.outcome}**" if v.outcome == "open" else v.outcome
        lines.append(
            f"| `{v.attack}` | {POLICY_ATTACKS[v.attack].claim} | {v.task} | {_cell(v.score)} "
            f"| {v.returned.value:.3f} | {gap} | {errors} | {outcome} |"
        )
    return lines


def _cell(mean: Mean) -> str:
    error = f" ± {mean.error:.3f}" if math.isfinite(mean.error) else ""
    return f"{mean.value:.3f}{error} ({mean.count})"
