"""Searches with more freedom than any agent has: gates and weights hold them."""

from __future__ import annotations

from pathlib import Path

import pytest

from molforge.landscapes.catalogue import TARGETS
from redteam.gate_rates import rates
from redteam.optimisers import gated, ungated

BEYOND = 2.5
"""How far above the highest measured value a world's best may lie."""


def test_rates_count_what_each_gate_refuses() -> None:
    found = rates(["CC(=O)Oc1ccccc1C(=O)O", "CCO", "C" * 60, "not a structure"])

    assert found.read == 0.5
    assert found.passing == 0.25
    assert found.by_gate["size"] == 0.5
    assert found.by_gate["tpsa"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("target", ["fxa", "mpro", "jak2"])
def test_what_an_ungated_search_finds_may_not_be_made(target: str) -> None:
    found = ungated(target)

    assert found.makeable() == 0
    assert found.top > 6.0, "the search was too weak to tell anything"


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_search_on_the_true_value_stays_in_the_range_of_real_activities(target: str, root: Path) -> None:
    rows = (root / "docs" / "gates.md").read_text().splitlines()
    highest = next(float(row.split("|")[3]) for row in rows if row.startswith(f"| `{target}` |"))

    found = gated(target, b"a world", evaluations=2000)

    assert found.makeable() == len(found.best) == 20
    assert found.top <= highest + BEYOND
