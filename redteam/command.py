"""``molforge redteam``: attack the environment and say what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from envs import SPLITS
from molforge.evaluation.progress import tell
from molforge.options import counted_or_none, parser_of
from redteam.attacks import POLICY_ATTACKS, PROBES, Rank
from redteam.options import add_matches, add_tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0 when everything held, 1 when something is open, 2 for wrong options."""
    options = _parser().parse_args(argv)
    if options.list:
        for name, attack in POLICY_ATTACKS.items():
            _say(f"{name:32} {attack.rank:9} {attack.claim}")
        for name, probe in PROBES.items():
            _say(f"{name:32} {'server' if probe.needs_server else 'probe':9} {probe.claim}")
        return 0
    from redteam import measure, page

    policies = _policies(options.attacks)
    probes = [name for name in PROBES if not options.no_probes and name in (options.attacks or PROBES)]
    order = measure.Order(
        tasks=options.tasks,
        attacks=policies,
        programmes=options.programmes,
        planner_programmes=min(options.planner_programmes, options.programmes),
        near_programmes=options.near_programmes,
        last_programmes=options.last_programmes,
        split=options.split,
        journal=options.journal,
        processes=options.processes,
    )
    options.journal.parent.mkdir(parents=True, exist_ok=True)
    probed = measure.probe_all(probes, tell)
    rows = measure.play(order, tell) if order.programmes and policies else []
    verdicts = measure.judge(rows)
    text = page.render(verdicts, probed, rows, split=order.split)
    _say(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "redteam.md").write_text(text, encoding="utf-8")
        measure.save(options.out / "redteam.json", measure.as_json(verdicts, probed, rows))
    is_open = any(v.outcome == "open" for v in verdicts) or any(not p.finding.held for p in probed)
    return 1 if is_open else 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("molforge redteam", __doc__)
    parser.add_argument("--list", action="store_true", help="list the attacks and their claims, play nothing")
    add_tasks(parser)
    told = "policy attacks and probes (default: all of --list)"
    names = (*POLICY_ATTACKS, *PROBES)
    parser.add_argument("--attacks", nargs="+", choices=names, metavar="NAME", help=told)
    parser.add_argument("--split", choices=SPLITS, default="test", help="which programmes")
    parser.add_argument("--programmes", type=counted_or_none, default=50, help="per family; 0: probes alone")
    parser.add_argument(
        "--planner-programmes",
        type=counted_or_none,
        default=50,
        help="of them, how many the planner plays",
    )
    parser.add_argument(
        "--near-programmes",
        type=counted_or_none,
        default=200,
        help="up to here where the first leave an attack near its line, and these decide; 0: leave it there",
    )
    parser.add_argument(
        "--last-programmes",
        type=counted_or_none,
        default=500,
        help="up to here where those leave it beyond its line, and the last ones decide; 0: leave it there",
    )
    parser.add_argument("--no-probes", action="store_true", help="policy attacks alone")
    add_matches(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for redteam.md and redteam.json")
    return parser


def _policies(names: Sequence[str] | None) -> list[str]:
    order = [Rank.EMPTY, Rank.TWIST, Rank.SKILLED, Rank.INFORMED]
    chosen = [name for name in POLICY_ATTACKS if name in (names or POLICY_ATTACKS)]
    return sorted(chosen, key=lambda name: order.index(POLICY_ATTACKS[name].rank))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
