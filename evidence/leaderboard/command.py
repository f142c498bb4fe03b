"""Play the reference leaderboard and write its page, figures and pictures. Finished matches are kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from molforge.evaluation.progress import tell
from molforge.options import counted, counted_or_none, parser_of
from redteam.options import add_matches, add_tasks


def main(argv: Sequence[str] | None = None) -> int:
    """Play what is missing and write; 1 where the claimed order does not hold somewhere."""
    options = _parser().parse_args(argv)
    from evidence.leaderboard import page, plan
    from redteam.measure import save

    order = plan.Order(
        tasks=options.tasks,
        cap=options.cap,
        dear_cap=min(options.cap, options.dear_cap),
        curve=options.curve,
        journal=options.journal,
        processes=options.processes,
        elsewhere=not options.test_only,
    )
    order.journal.parent.mkdir(parents=True, exist_ok=True)
    board = page.Board(
        rows=plan.play(order, tell),
        difficulties=plan.play_difficulties(order, tell),
        budgets=plan.play_budgets(order, tell),
    )
    text = page.render(board, options.out / "figures" / "models.json")
    sys.stdout.write(text)
    save(options.out / "figures" / "leaderboard.json", page.as_json(board))
    (options.out / "leaderboard.md").write_text(text, encoding="utf-8")
    try:
        from evidence.leaderboard import pictures

        pictures.draw(board, options.out / "figures")
    except ImportError as why:
        tell(f"no pictures: {why} (they need the extra `evidence`)")
    return 0 if all(step["holds"] for step in page.order_of(board.rows)) else 1


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("python -m evidence.leaderboard", __doc__)
    add = parser.add_argument
    add_tasks(parser)
    add("--cap", type=counted, default=500, help="programmes of a family and split, at most")
    add("--dear-cap", type=counted, default=200, help="the same for planner, genetic, bayes and holder")
    add(
        "--curve",
        type=counted_or_none,
        default=12,
        help="programmes of a family at each point of the curves; 0: none",
    )
    add("--test-only", action="store_true", help="leave out the train and validation splits")
    add_matches(parser)
    add("--out", type=Path, default=Path("docs"), metavar="FOLDER")
    return parser


if __name__ == "__main__":
    sys.exit(main())
