"""The ladder from the command line, attacks included: ``python -m redteam.ladder --help``."""

from __future__ import annotations

import sys
from pathlib import Path

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.evaluation import ladder, provenance, table
from molforge.evaluation.progress import tell
from molforge.options import parser_of
from molforge.policies import NAMES
from redteam.measure import factories

EXTRA = ("memory", "guess", "witness")


def main() -> None:
    """Play the ladder and print its table."""
    parser = parser_of("python -m redteam.ladder", __doc__)
    parser.add_argument("--tasks", default=",".join(CATALOGUE))
    parser.add_argument("--split", default="validation")
    parser.add_argument("--seeds", default="0:10", help="first:last+1")
    parser.add_argument("--policies", default=",".join([*NAMES, *EXTRA]))
    parser.add_argument("--difficulty", type=float, help="default: the catalogue's")
    parser.add_argument("--journal", type=Path, default=Path(".cache/matches.jsonl"), help="to resume from")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    first, last = map(int, options.seeds.split(":"))
    names = options.policies.split(",")
    options.journal.parent.mkdir(parents=True, exist_ok=True)
    arguments = {} if options.difficulty is None else {"difficulty": options.difficulty}
    rows = ladder.run(
        MolforgeEnvironment,
        tasks=options.tasks.split(","),
        seeds=range(first, last),
        policies=factories(names),
        split=options.split,
        arguments=arguments,
        journal=options.journal,
        processes=options.processes,
        progress=tell,
        made_with=provenance.stamp(**arguments),
    )
    sys.stdout.write(table.render(rows) + "\n")


if __name__ == "__main__":
    main()
