"""``molforge certify``: run every check and write the certificate."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from molforge.evaluation.progress import tell
from molforge.options import counted, parser_of
from redteam.options import add_matches, add_tasks

ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0 when nothing fails, 1 when something does, 2 for wrong options."""
    options = _parser().parse_args(argv)
    try:
        from evidence.certificate import report
        from evidence.certificate.bench import Bench, Outcome, Verdict
        from evidence.certificate.checks import CHECKS
    except ImportError as why:
        sys.stderr.write(f"molforge certify needs the extra `evidence`: {why}\n")
        return 2

    if not (options.project / "openenv.yaml").is_file():
        sys.stderr.write(f"{options.project} is no checkout of an environment: it has no openenv.yaml\n")
        return 2
    names = [name for name in CHECKS if not options.only or name.startswith(tuple(options.only))]
    if not names:
        sys.stderr.write(f"no check starts with {' or '.join(options.only)}; there are {', '.join(CHECKS)}\n")
        return 2
    options.journal.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Outcome] = {}
    with Bench(
        options.project,
        programmes=options.programmes,
        planner_programmes=min(options.planner_programmes, options.programmes),
        journal=options.journal,
        processes=options.processes,
        tasks=options.tasks,
        progress=tell,
    ) as bench:
        for name in names:
            found[name] = CHECKS[name](bench)
            tell(f"{name}: {found[name].verdict}, {found[name].figure}")
        text = report.markdown(found)
        sys.stdout.write(text)
        if options.out is not None:
            from redteam.measure import save

            save(options.out / "certificate.json", report.as_json(found))
            (options.out / "certificate.md").write_text(text, encoding="utf-8")
            (options.out / "certificate.html").write_text(report.page(found, bench), encoding="utf-8")
    return 1 if any(o.verdict is Verdict.FAIL for o in found.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("molforge certify", __doc__)
    parser.add_argument("--only", nargs="+", metavar="ID", help="checks whose id starts so (default: all 46)")
    add_tasks(parser)
    parser.add_argument(
        "--programmes", type=counted, default=50, help="matches of each policy in each family"
    )
    parser.add_argument(
        "--planner-programmes", type=counted, default=4, help="of them, how many the planner plays"
    )
    parser.add_argument(
        "--project",
        type=Path,
        default=ROOT,
        metavar="FOLDER",
        help="a checkout whose files are looked at; servers and matches are this one's (default: this one)",
    )
    add_matches(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for certificate.json, .md and .html")
    return parser


if __name__ == "__main__":
    sys.exit(main())
