"""The table of named edits does what it says; suggestions are makeable, new and reproducible."""

import random

import pytest

from molforge.chem import gates
from molforge.chem.structure import parse
from molforge.chem.transformations import TRANSFORMATIONS, products, suggest
from molforge.errors import AgentError
from tests.chem.drugs import DRUGS

LEADS = [
    structure for structure in map(parse, DRUGS) if gates.is_makeable(structure) and "C" in structure.smiles
]


def test_there_are_at_least_sixty_each_with_a_description() -> None:
    assert len(TRANSFORMATIONS) >= 60
    for name, transformation in TRANSFORMATIONS.items():
        assert name == transformation.name
        assert name.replace("_", "").isalnum()
        assert 15 <= len(transformation.description) <= 100


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_the_worked_example_comes_out(name: str) -> None:
    transformation = TRANSFORMATIONS[name]

    made = products(parse(transformation.before), transformation)

    assert parse(transformation.after) in made


@pytest.mark.parametrize("lead", LEADS[::4], ids=lambda lead: str(lead.smiles))
def test_suggestions_are_makeable_distinct_and_new(lead: object) -> None:
    suggested = suggest(lead, transformation=None, n=8, rng=random.Random(3))  # type: ignore[arg-type]

    structures = [parse(suggestion.smiles) for suggestion in suggested]
    assert len(set(structures)) == len(structures) == 8
    assert lead not in structures
    assert all(gates.is_makeable(structure) for structure in structures)
    assert all(suggestion.transformation in TRANSFORMATIONS for suggestion in suggested)
    assert len({suggestion.transformation for suggestion in suggested}) >= 6


def test_the_same_seed_suggests_the_same() -> None:
    lead = LEADS[7]

    once = suggest(lead, transformation=None, n=8, rng=random.Random(11))
    again = suggest(lead, transformation=None, n=8, rng=random.Random(11))
    other = suggest(lead, transformation=None, n=8, rng=random.Random(12))

    assert once == again
    assert once != other


def test_a_named_transformation_is_the_only_one_used() -> None:
    lead = parse("COc1ccc(CCN2CCN(c3ccccc3Cl)CC2)cc1")

    suggested = suggest(lead, transformation="fluorine_scan", n=8, rng=random.Random(1))

    assert 2 <= len(suggested) <= 8
    assert {suggestion.transformation for suggestion in suggested} == {"fluorine_scan"}
    assert all("F" in suggestion.smiles for suggestion in suggested)


def test_an_edit_that_does_not_apply_suggests_nothing() -> None:
    lead = parse("COc1ccc(CCN2CCN(c3ccccc3Cl)CC2)cc1")

    assert suggest(lead, transformation="acid_to_tetrazole", n=8, rng=random.Random(1)) == []
    assert suggest(lead, transformation=None, n=0, rng=random.Random(1)) == []


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(AgentError, match="did you mean 'fluorine_scan'"):
        suggest(LEADS[0], transformation="flourine_scan", n=1, rng=random.Random(1))
