"""The common tautomers get one drawing; it is the same compound and never one that the gates refuse."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molforge.chem import gates
from molforge.chem.edits import mutate
from molforge.chem.structure import parse
from molforge.chem.tautomers import preferred
from molforge.errors import RefusedStructure
from molforge.landscapes.pool import Pool
from tests.chem.drugs import DRUGS


@pytest.mark.parametrize(
    ("drawings", "expected"),
    [
        pytest.param(["CC(=O)NCc1ccccc1", "CC(O)=NCc1ccccc1"], 0, id="amide"),
        pytest.param(["CC(=S)Nc1ccccc1", "CC(S)=Nc1ccccc1"], 0, id="thioamide"),
        pytest.param(["O=c1cccc[nH]1", "Oc1ccccn1"], 0, id="pyridone"),
        pytest.param(["O=c1cc(C)nc[nH]1", "Oc1cc(C)ncn1"], 0, id="pyrimidinone"),
        pytest.param(["O=c1[nH]cnc2ccccc12", "Oc1ncnc2ccccc12"], 0, id="quinazolinone"),
        pytest.param(["N=C(N)NCCc1ccccc1", "NC(N)=NCCc1ccccc1"], 0, id="guanidine"),
        pytest.param(["CNC(=N)c1ccccc1", "CN=C(N)c1ccccc1"], 0, id="amidine"),
        pytest.param(["Cc1cc[nH]n1", "Cc1ccn[nH]1"], None, id="pyrazole"),
        pytest.param(["Cc1c[nH]cn1", "Cc1cnc[nH]1"], None, id="imidazole"),
        pytest.param(["Cc1ccc2[nH]cnc2c1", "Cc1ccc2nc[nH]c2c1"], None, id="benzimidazole"),
        pytest.param(["Cc1nnn[nH]1", "Cc1nn[nH]n1"], 0, id="tetrazole"),
        pytest.param(["Cc1c[nH]nn1", "Cc1cnn[nH]1", "Cc1cn[nH]n1"], None, id="triazole"),
        pytest.param(["c1ccc2[nH]ncc2c1", "c1ccc2n[nH]cc2c1"], 0, id="indazole"),
        pytest.param(["c1cnc2[nH]ccc2c1", "c1c[nH]c2nccc-2c1"], 0, id="azaindole"),
        pytest.param(["CC(=O)N=C(N)N", "CC(=O)NC(=N)N"], 1, id="acylguanidine"),
    ],
)
def test_drawings_of_one_compound_become_one(drawings: list[str], expected: int | None) -> None:
    found = {preferred(parse(drawing)).smiles for drawing in drawings}

    assert len(found) == 1
    if expected is not None:
        assert found == {parse(drawings[expected]).smiles}


@pytest.mark.parametrize(
    "smiles",
    [
        pytest.param("NC(=NO)c1ccccc1", id="amidoxime"),
        pytest.param("Oc1ccon1", id="hydroxyisoxazole"),
        pytest.param("Oc1cccnc1", id="3-hydroxypyridine"),
        pytest.param("NC1=NCc2ccccc12", id="ring-amidine"),
        pytest.param("Nc1ccccn1", id="aminopyridine"),
        pytest.param("CNC=NC", id="formamidine"),
        pytest.param("CC(=O)CC", id="ketone"),
    ],
)
def test_what_chemists_draw_so_stays(smiles: str) -> None:
    structure = parse(smiles)

    assert preferred(structure) is structure


@settings(max_examples=40)
@given(st.sampled_from(DRUGS), st.integers(0, 2**31 - 1), st.integers(0, 3))
def test_preferred_is_the_same_compound_in_any_order_and_a_fixed_point(
    smiles: str, seed: int, edits: int
) -> None:
    rng = random.Random(seed)
    structure = parse(smiles)
    for _ in range(edits):
        structure = mutate(structure, rng) or structure

    found = preferred(structure)

    assert found == structure
    assert preferred(found) is found
    (shuffled,) = Chem.MolToRandomSmilesVect(structure.mol, 1, randomSeed=seed)
    assert preferred(parse(shuffled)).smiles == found.smiles


def test_few_designs_keep_several_drawings_that_may_be_made() -> None:
    """RDKit's enumeration is the yardstick. Without ``preferred`` one design in six has several."""
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(20)
    plain = settled = 0
    chosen = random.Random(1).sample(Pool.load("fxa").smiles, 60)
    for smiles in chosen:
        structure = parse(smiles)
        drawn, registered = set(), set()
        for tautomer in enumerator.Enumerate(structure.mol):
            try:
                other = parse(Chem.MolToSmiles(tautomer))
            except RefusedStructure:
                continue
            if other == structure and gates.is_makeable(other):
                drawn.add(other.smiles)
                registered.add(gates.admit(other).smiles)
        plain += len(drawn) > 1
        settled += len(registered) > 1

    assert plain >= 6
    assert settled <= 2


def test_a_design_of_the_pool_is_admitted_in_a_drawing_that_may_be_made() -> None:
    for smiles in Pool.load("h3").smiles[::19]:
        structure = parse(smiles)
        admitted = gates.admit(structure)
        assert admitted == structure
        gates.check(admitted)


def test_what_is_refused_in_both_drawings_is_refused() -> None:
    assert gates.admitted(parse("CC(O)=NCC")) is None
    with pytest.raises(RefusedStructure, match="heavy atoms"):
        gates.admit(parse("CC(O)=NCC"))


def test_it_costs_little() -> None:
    structures = [parse(smiles) for smiles in Pool.load("thrombin").smiles[:200]]
    began = time.process_time()
    for structure in structures:
        preferred(structure)
    moved = time.process_time() - began
    began = time.process_time()
    for structure in structures:
        parse(structure.smiles)

    assert moved < time.process_time() - began
