"""Blind edits: valid, another compound, and the same again for the same seed."""

import random

import pytest

from molforge.chem import edits
from molforge.chem.edits import crossover, mutate
from molforge.chem.structure import parse
from tests.chem.drugs import DRUGS

STRUCTURES = [parse(smiles) for smiles in DRUGS]


def test_mutants_are_other_valid_compounds_within_the_size() -> None:
    rng = random.Random(1)
    made = 0

    for structure in STRUCTURES:
        for _ in range(4):
            mutant = mutate(structure, rng, max_heavy_atoms=40)
            if mutant is not None:
                made += 1
                assert mutant != structure
                assert mutant.mol.GetNumHeavyAtoms() <= 40
                assert parse(mutant.smiles) == mutant
    assert made > 0.95 * 4 * len(STRUCTURES)


def test_crosses_are_other_valid_compounds_within_the_size() -> None:
    rng = random.Random(2)
    made = 0

    for mother in STRUCTURES:
        father = rng.choice(STRUCTURES)
        child = crossover(mother, father, rng, max_heavy_atoms=45)
        if child is not None:
            made += 1
            assert child not in (mother, father)
            assert child.mol.GetNumHeavyAtoms() <= 45
    assert made > 0.7 * len(STRUCTURES)


def test_the_same_seed_gives_the_same_walk() -> None:
    def walk(seed: int) -> list[str]:
        rng, structure, path = random.Random(seed), STRUCTURES[30], []
        for _ in range(15):
            structure = mutate(structure, rng) or structure
            structure = crossover(structure, STRUCTURES[31], rng) or structure
            path.append(structure.smiles)
        return path

    assert walk(5) == walk(5)
    assert walk(5) != walk(6)


def test_an_edit_leaves_its_parent_alone() -> None:
    structure = parse(DRUGS[26])
    before = structure.mol.ToBinary()

    for seed in range(30):
        mutate(structure, random.Random(seed))

    assert structure.mol.ToBinary() == before


def test_atoms_without_a_bond_to_cut_give_no_cross() -> None:
    assert crossover(parse("c1ccccc1"), parse("C1CCNCC1"), random.Random(0)) is None


@pytest.mark.parametrize("move", edits._MOVES, ids=lambda move: move.__name__)
def test_every_kind_of_edit_makes_valid_products(move: object) -> None:
    rng = random.Random(9)
    products = []

    for structure in STRUCTURES:
        draft = edits._Draft(structure.mol, edits._editable(structure.mol), rng)
        if move(draft):  # type: ignore[operator]
            products.append(edits._written(draft.copy) if edits._sanitised(draft.copy, 60) else None)

    valid = [product for product in products if product is not None]
    assert len(products) > 10
    assert len(valid) > 0.8 * len(products)
