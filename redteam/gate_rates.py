"""What the gates let pass, gate by gate: ``python -m redteam.gate_rates CSV_DIR --out docs/gates.md``.

Gates are worth something when they stop nonsense and let chemistry pass: for the best fifth of each target's
measured compounds, for approved drugs and for purchasable ones this prints the share that each gate passes.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molforge.chem.gates import MAKING_GATES, refusals
from molforge.chem.reference import largest_component
from molforge.chem.structure import parse
from molforge.errors import RefusedStructure
from molforge.landscapes.catalogue import MODELS, Kind
from molforge.landscapes.training.sources import DECOY_FILE, SOURCES, measured_texts, purchasable

BEST = 0.2
SAMPLE = 1000
_SEED = 3
_DRUGS = "ref/chembl_drugs.smi"


@dataclass(frozen=True, slots=True)
class Rates:
    """How a set of compounds fares."""

    passing: float
    """Share that every gate lets pass."""
    read: float
    """Share that can be read as one compound of at most 50 heavy atoms."""
    by_gate: dict[str, float]
    """Share of those read that each gate, asked alone, lets pass."""


@dataclass(frozen=True, slots=True)
class CompoundSet:
    """Structures as their table writes them."""

    texts: list[str]
    highest: float | None = None
    """The highest value measured for any of them."""


def rates(texts: Sequence[str]) -> Rates:
    """Put structures through every gate."""
    refused: Counter[str] = Counter()
    read = passing = 0
    for text in texts:
        try:
            structure = parse(text)
        except RefusedStructure:
            continue
        read += 1
        found = refusals(structure)
        passing += not found
        refused.update(found)
    by_gate = {gate: 1 - refused[gate] / max(read, 1) for gate in MAKING_GATES}
    return Rates(passing / len(texts), read / len(texts), by_gate)


def best_actives(csv_dir: Path, target: str) -> CompoundSet:
    """Return the best fifth of a target's measured compounds."""
    source = SOURCES[target]
    found = sorted(measured_texts(csv_dir, source), key=lambda pair: -pair[1])
    return CompoundSet([text for text, _ in found[: round(BEST * len(found))]], found[0][1])


def sets(csv_dir: Path) -> dict[str, CompoundSet]:
    """Return every set of the table."""
    drugs = [largest_component(line) for line in (csv_dir / _DRUGS).read_text().splitlines()]
    zinc = random.Random(_SEED).sample(purchasable(csv_dir / DECOY_FILE), SAMPLE)
    targets = [name for name, record in MODELS.items() if record.kind is Kind.POTENCY]
    actives = {f"`{target}`": best_actives(csv_dir, target) for target in targets}
    return {**actives, "approved drugs": CompoundSet(drugs), "ZINC sample": CompoundSet(zinc)}


def table(found: dict[str, tuple[CompoundSet, Rates]]) -> str:
    """Return the table in markdown."""
    head = ["set", "compounds", "highest", "pass all", "read", *MAKING_GATES]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, (compounds, each) in found.items():
        highest = "" if compounds.highest is None else f"{compounds.highest:.2f}"
        shares = " | ".join(f"{x:.2f}" for x in (each.passing, each.read, *each.by_gate.values()))
        lines.append(f"| {name} | {len(compounds.texts):,} | {highest} | {shares} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and put it into a page where one is named."""
    parser = argparse.ArgumentParser(prog="python -m redteam.gate_rates", description=__doc__)
    parser.add_argument("csv_dir", type=Path, help="folder with the measured data")
    parser.add_argument("--out", type=Path, help="page whose table is replaced")
    options = parser.parse_args()
    found = {}
    for name, compounds in sets(options.csv_dir).items():
        found[name] = compounds, rates(compounds.texts)
        sys.stderr.write(f"{name}: {found[name][1].passing:.2f} of {len(compounds.texts)} pass\n")
    text = table(found)
    sys.stdout.write(text)
    if options.out is not None:
        page = options.out.read_text(encoding="utf-8")
        start = page.index("| set |")
        rest = page[start:].partition("\n\n")[2]
        options.out.write_text(page[:start] + text + "\n" + rest, encoding="utf-8")


if __name__ == "__main__":
    main()
