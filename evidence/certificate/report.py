"""The certificate as JSON, Markdown and HTML with pictures."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from evidence.certificate.bench import Bench, Outcome, Verdict
from evidence.certificate.checks import CHECKS, Check
from molforge.evaluation import provenance

_MARKS = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.NOT_HERE: "–"}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #d8dee4 }
.pass { color: #1a7f37 } .fail { color: #cf222e; font-weight: 700 } .na { color: #6e7781 }
figure { margin: 1.5rem 0 } code { background: #f3f4f6; padding: 0 .2em }
"""

Found = Mapping[str, Outcome]


def as_json(found: Found) -> dict[str, Any]:
    """Return everything as plain values."""
    return {
        **provenance.record(),
        "policy": "severity-v2 of OpenEnv 0.10.0",
        "counts": counts(found),
        "checks": [
            {
                "id": name,
                "severity": CHECKS[name].severity,
                "asks": CHECKS[name].asks,
                "run": CHECKS[name].method,
                "episodes": outcome.episodes,
                "figure": outcome.figure,
                "verdict": str(outcome.verdict),
                "data": dict(outcome.data),
            }
            for name, outcome in found.items()
        ],
    }


def counts(found: Found) -> dict[str, int]:
    """Return how many checks came to each verdict."""
    return {str(verdict): sum(o.verdict is verdict for o in found.values()) for verdict in Verdict}


def markdown(found: Found) -> str:
    """Return the report as Markdown."""
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts(found).items())
    lines = [
        "# Certificate",
        "",
        "Every id of the severity policy v2 that ships with OpenEnv 0.10.0, asked for in our own words, with",
        f"what was run and what came out. Made by `molforge certify` with {provenance.stamp()}: {told}.",
        "",
        "| id | asks for | what was run | episodes | found | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(CHECKS[name], outcome) for name, outcome in found.items()]
    return "\n".join(lines) + "\n"


def _row(check: Check, outcome: Outcome) -> str:
    cells = (f"`{check.id}`", check.asks, check.method, str(outcome.episodes or ""), outcome.figure)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + f" | {_MARKS[outcome.verdict]} |"


def page(found: Found, bench: Bench) -> str:
    """Return the report as one HTML file that loads nothing."""
    classes = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.NOT_HERE: "na"}
    rows = "".join(
        f"<tr><td><code>{name}</code></td><td>{html.escape(CHECKS[name].asks)}</td>"
        f"<td>{html.escape(CHECKS[name].method)}</td><td>{o.episodes or ''}</td>"
        f"<td>{html.escape(o.figure)}</td><td class={classes[o.verdict]}>{_MARKS[o.verdict]}</td></tr>"
        for name, o in found.items()
    )
    figures = "".join(f"<figure>{svg}</figure>" for svg in pictures(found, bench))
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts(found).items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>MolForge certificate</title>'
        f"<style>{_STYLE}</style><h1>MolForge certificate</h1><p>{html.escape(provenance.stamp())}: {told}. "
        "Ids: severity policy v2 of OpenEnv 0.10.0; words, methods and figures: ours.</p>"
        f"{figures}<table><tr><th>id<th>asks for<th>what was run<th>episodes<th>found<th></tr>{rows}</table>"
        "</html>\n"
    )


def pictures(found: Found, bench: Bench) -> list[str]:
    """Return the ladder by family and the difficulty curve as SVG; none without matplotlib or matches."""
    try:
        import matplotlib as mpl
    except ImportError:
        return []
    mpl.use("svg")
    drawn = [_ladder(bench)] if "rows" in vars(bench) else []
    curve = found.get("statistical.difficulty_separation")
    if curve is not None and curve.data:
        drawn.append(_curve(curve.data))
    return drawn


def _ladder(bench: Bench) -> str:
    from matplotlib import pyplot as plt

    from molforge.evaluation.table import Mean

    policies: Sequence[str] = ("noop", "random", "greedy", "planner", "witness")
    figure, axes = plt.subplots(figsize=(9, 3.2))
    for number, policy in enumerate(policies):
        for place, task in enumerate(bench.tasks):
            scores = [row.score for row in bench.rows if row.policy == policy and row.task == task]
            mean = Mean.of(scores)
            error = mean.error if len(scores) > 1 else 0.0
            label = policy if place == 0 else None
            x = place + (number - 2) * 0.16
            axes.bar(x, mean.value, 0.15, yerr=error, color=f"C{number}", label=label, error_kw={"lw": 1})
    axes.set_xticks(range(len(bench.tasks)), bench.tasks)
    axes.set_ylabel("score")
    axes.legend(ncols=len(policies), frameon=False, fontsize=8)
    return _svg(figure)


def _curve(data: Mapping[str, Any]) -> str:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(4.5, 3))
    axes.errorbar(data["difficulty"], data["score"], yerr=data["error"], marker="o", capsize=3)
    axes.set_xlabel("difficulty")
    axes.set_ylabel("greedy's score, all families")
    axes.set_ylim(bottom=0)
    return _svg(figure)


def _svg(figure: Any) -> str:
    from matplotlib import pyplot as plt

    out = io.StringIO()
    figure.tight_layout()
    figure.savefig(out, format="svg")
    plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]
