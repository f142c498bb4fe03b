"""Properties of the one door for structures, searched by Hypothesis: drawings, round trips, hostile text."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molforge.chem import gates
from molforge.chem.edits import mutate
from molforge.chem.structure import Structure, parse, similarity
from molforge.errors import RefusedStructure
from tests.chem.drugs import DRUGS

LIMIT_SECONDS = 0.1
ALPHABET = "CNOcnosSFPBIl()[]=#123456789@H+-%/\\.*:$~>|{}^ é\0"
SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def structures(draw: st.DrawFn) -> Structure:
    """A drug, or a few random edits away from one."""
    structure = parse(draw(st.sampled_from(DRUGS)))
    rng = random.Random(draw(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        structure = mutate(structure, rng) or structure
    return structure


def same(one: Structure, other: Structure) -> bool:
    return one == other and np.array_equal(one.tokens, other.tokens)


def answered(text: str) -> Structure | RefusedStructure:
    """Return the answer to a string, which must come in time (CPU time: the machine may be busy)."""
    began = time.process_time()
    try:
        answer: Structure | RefusedStructure = parse(text)
        gates.check(answer)  # type: ignore[arg-type]
    except RefusedStructure as refused:
        answer = refused
    assert time.process_time() - began < LIMIT_SECONDS, text[:300]
    return answer


def refused_for(text: str, gate: str) -> RefusedStructure:
    answer = answered(text)
    assert isinstance(answer, RefusedStructure), text
    assert answer.gate == gate, (text, answer.reason)
    assert len(answer.reason) > 10
    assert answer.reason.isprintable()
    return answer


@pytest.fixture(scope="module", autouse=True)
def _tables() -> None:
    """Tables are loaded once a process, not once a string."""
    gates.is_makeable(parse(DRUGS[5]))


@given(structures())
def test_what_is_written_reads_back_as_itself(structure: Structure) -> None:
    again = parse(structure.smiles)

    assert again.smiles == structure.smiles
    assert same(again, structure)
    assert similarity(again, structure) == 1.0


@given(structures(), SEEDS)
def test_atom_order_changes_nothing(structure: Structure, seed: int) -> None:
    (drawing,) = Chem.MolToRandomSmilesVect(structure.mol, 1, randomSeed=seed)
    other = parse(drawing)

    assert same(other, structure)
    assert gates.is_makeable(other) == gates.is_makeable(structure)


@given(structures())
def test_kekule_form_and_explicit_hydrogens_change_nothing(structure: Structure) -> None:
    kekule = Chem.Mol(structure.mol)
    Chem.Kekulize(kekule, clearAromaticFlags=True)

    assert same(parse(Chem.MolToSmiles(kekule)), structure)
    drawing = Chem.MolToSmiles(structure.mol, allHsExplicit=True)
    assume(len(drawing) <= 250)
    assert same(parse(drawing), structure)


@given(structures(), st.data())
def test_a_proton_more_or_fewer_changes_nothing(structure: Structure, data: st.DataObject) -> None:
    basic = structure.mol.GetSubstructMatches(Chem.MolFromSmarts("[NX3;+0;!$(N-[*]=[O,N,S]);!$(N-a)]"))
    acid = structure.mol.GetSubstructMatches(Chem.MolFromSmarts("[OX2H;$(O-[C,S]=O)]"))
    sites = [(atom, 1) for (atom,) in basic] + [(atom, -1) for (atom,) in acid]
    assume(sites)
    index, charge = data.draw(st.sampled_from(sites))
    copy = Chem.RWMol(structure.mol)
    atom = copy.GetAtomWithIdx(index)
    atom.SetFormalCharge(charge)
    atom.SetNumExplicitHs(atom.GetTotalNumHs() + charge)
    atom.SetNoImplicit(True)
    Chem.SanitizeMol(copy)

    drawn = parse(Chem.MolToSmiles(copy))

    assert same(drawn, structure)
    assert drawn.smiles == structure.smiles


@settings(max_examples=25)
@given(structures())
def test_tautomers_with_the_same_hydrogens_on_carbon_are_one_compound(structure: Structure) -> None:
    """RDKit's enumeration is the yardstick: slow, so here and not in the step loop."""
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(12)
    enumerator.SetRemoveSp3Stereo(False)

    def on_carbon(mol: Chem.Mol) -> list[int]:
        return [atom.GetTotalNumHs() if atom.GetAtomicNum() == 6 else -1 for atom in mol.GetAtoms()]

    drawn = on_carbon(structure.mol)
    for tautomer in enumerator.Enumerate(structure.mol):
        if on_carbon(tautomer) == drawn:
            assert same(parse(Chem.MolToSmiles(tautomer)), structure), Chem.MolToSmiles(tautomer)


@given(structures(), st.data())
def test_isotopes_are_refused_and_named(structure: Structure, data: st.DataObject) -> None:
    copy = Chem.RWMol(structure.mol)
    index = data.draw(st.integers(0, copy.GetNumAtoms() - 1))
    copy.GetAtomWithIdx(index).SetIsotope(data.draw(st.integers(1, 250)))
    drawing = Chem.MolToSmiles(copy, canonical=False)
    assume(len(drawing) <= 250)

    refused = refused_for(drawing, "isotope")

    assert refused.atom is not None
    assert "mass number" in refused.reason


@given(structures(), st.data())
def test_atom_maps_are_refused(structure: Structure, data: st.DataObject) -> None:
    copy = Chem.RWMol(structure.mol)
    index = data.draw(st.integers(0, copy.GetNumAtoms() - 1))
    copy.GetAtomWithIdx(index).SetAtomMapNum(data.draw(st.integers(1, 999)))
    drawing = Chem.MolToSmiles(copy)
    assume(len(drawing) <= 250)

    assert "atom maps" in refused_for(drawing, "characters").reason


@given(
    structures(), st.sampled_from(["Cl", "[Na+]", "O=C(O)C(F)(F)F", "O", "C", "OS(C)(=O)=O"]), st.booleans()
)
def test_salts_and_solvates_are_refused(structure: Structure, salt: str, first: bool) -> None:
    parts = (salt, structure.smiles) if first else (structure.smiles, salt)
    assume(len(structure.smiles) < 200)

    assert "without salt" in refused_for(".".join(parts), "fragments").reason


@given(structures(), st.sampled_from([" |o1:1|", " |$a;b$|", "|c:1|", " name", "\tname", "\n"]))
def test_cxsmiles_and_names_behind_a_string_are_refused(structure: Structure, tail: str) -> None:
    assume(len(structure.smiles) < 230)

    refused_for(structure.smiles + tail, "characters")


@settings(max_examples=300)
@given(st.text(alphabet=ALPHABET, max_size=300))
def test_any_text_is_answered_in_time(text: str) -> None:
    answered(text)


@settings(max_examples=300)
@given(
    st.sampled_from(DRUGS),
    st.lists(st.tuples(st.integers(0, 300), st.text(ALPHABET, max_size=3)), max_size=6),
)
def test_damaged_structures_are_structures_or_refusals(smiles: str, damage: list[tuple[int, str]]) -> None:
    for place, text in damage:
        place %= len(smiles) or 1
        smiles = smiles[:place] + text + smiles[place + len(text) % 2 :]

    answer = answered(smiles)

    if isinstance(answer, Structure):
        assert same(parse(answer.smiles), answer)
    else:
        assert answer.gate in gates.GATES


@settings(max_examples=150)
@given(
    st.sampled_from(["C", "c1ccccc1", "C1CC1", "C(C)", "[NH2+]", "[C@H](O)", "C%10C%11", "P", "[nH]c", "B1"]),
    st.integers(1, 3000),
    st.sampled_from(["", "1", ")", "%10", "%11", "]", "=O", "#N"]),
)
def test_repeated_parts_are_answered_in_time(part: str, times: int, tail: str) -> None:
    answered(part * times + tail)
    answered(part * min(times, 250 // len(part)) + tail)
