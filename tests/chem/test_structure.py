"""One door for structures; every drawing of a compound is the same compound."""

import pickle
import random

import numpy as np
import pytest
from rdkit import Chem

from molforge.chem.structure import Structure, framework, parse, similarity
from molforge.errors import RefusedStructure
from tests.chem.drugs import DRUGS

_AMINE = Chem.MolFromSmarts("[NX3;!$(N-[C,S]=[O,N,S]);!$(N-a);!$(N-[!#6]);!$(N-C=C)]")
_AROMATIC_BASE = Chem.MolFromSmarts("[nX2;r6]")
_ACID = Chem.MolFromSmarts("[OX2H]-C=O")


def same(one: Structure, other: Structure) -> bool:
    return one == other and np.array_equal(one.tokens, other.tokens)


def charged(smiles: str) -> list[str]:
    """Return drawings with one proton more or fewer."""
    mol = Chem.MolFromSmiles(smiles)
    drawings = []
    for pattern, charge in ((_AMINE, 1), (_AROMATIC_BASE, 1), (_ACID, -1)):
        for index in (match[0] for match in mol.GetSubstructMatches(pattern)):
            copy = Chem.RWMol(mol)
            atom = copy.GetAtomWithIdx(index)
            atom.SetFormalCharge(charge)
            atom.SetNumExplicitHs(max(0, mol.GetAtomWithIdx(index).GetTotalNumHs() + charge))
            atom.SetNoImplicit(True)
            Chem.SanitizeMol(copy)
            drawings.append(Chem.MolToSmiles(copy))
    return drawings


@pytest.mark.parametrize("smiles", DRUGS)
def test_atom_order_changes_nothing(smiles: str) -> None:
    structure = parse(smiles)

    for drawing in Chem.MolToRandomSmilesVect(structure.mol, 8, randomSeed=7):
        assert same(parse(drawing), structure), drawing


@pytest.mark.parametrize("smiles", DRUGS)
def test_protonation_changes_nothing(smiles: str) -> None:
    structure = parse(smiles)

    for drawing in charged(smiles):
        assert same(parse(drawing), structure), drawing
        assert "+" not in parse(drawing).smiles or "+" in structure.smiles


@pytest.mark.parametrize("smiles", DRUGS)
def test_kekule_form_changes_nothing(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)

    assert parse(Chem.MolToSmiles(mol)).smiles == parse(smiles).smiles


@pytest.mark.parametrize("smiles", DRUGS)
def test_canonical_smiles_is_a_fixed_point(smiles: str) -> None:
    structure = parse(smiles)

    again = parse(structure.smiles)

    assert again.smiles == structure.smiles
    assert Chem.MolToSmiles(again.mol, canonical=False) == Chem.MolToSmiles(structure.mol, canonical=False)
    assert same(again, structure)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Cc1cnc[nH]1", "Cc1c[nH]cn1", id="imidazole"),
        pytest.param("Cc1cc(C)n[nH]1", "Cc1cc(C)[nH]n1", id="pyrazole-symmetric"),
        pytest.param("Cc1ccn[nH]1", "Cc1cc[nH]n1", id="pyrazole"),
        pytest.param("Cc1c[nH]nn1", "Cc1cn[nH]n1", id="triazole-1H-2H"),
        pytest.param("Cc1nnc[nH]1", "Cc1n[nH]cn1", id="124-triazole"),
        pytest.param("Cc1nnn[nH]1", "Cc1nn[nH]n1", id="tetrazole"),
        pytest.param("Cc1nn[n-]n1", "Cc1nn[nH]n1", id="tetrazolate"),
        pytest.param("Oc1ccccn1", "O=c1cccc[nH]1", id="pyridone"),
        pytest.param("Oc1ncnc2ccccc12", "O=c1[nH]cnc2ccccc12", id="quinazolinone"),
        pytest.param("Sc1ccccn1", "S=c1cccc[nH]1", id="thiopyridone"),
        pytest.param("CN=C(N)c1ccccc1", "CNC(=N)c1ccccc1", id="amidine"),
        pytest.param("C[NH+]=C(N)c1ccccc1", "CNC(=N)c1ccccc1", id="amidinium"),
        pytest.param("CN=C(N)NCC", "CNC(=N)NCC", id="guanidine"),
        pytest.param("CNC(=[NH2+])NCC", "CNC(N)=NCC", id="guanidinium"),
        pytest.param("NCCC(=O)O", "[NH3+]CCC(=O)[O-]", id="zwitterion"),
        pytest.param("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)O", id="betaine"),
        pytest.param("CN(=O)=O", "C[N+](=O)[O-]", id="nitro"),
        pytest.param("CS(C)=O", "C[S+](C)[O-]", id="sulphoxide"),
        pytest.param("CC/C=C/C", "CC/C=C\\C", id="double-bond-geometry"),
        pytest.param("[H]C([H])([H])CO", "CCO", id="explicit-hydrogens"),
        pytest.param("C[C@H]1CC[N@H+](C)C1", "C[C@H]1CC[N@@H+](C)C1", id="nitrogen-inverts"),
    ],
)
def test_drawings_of_one_compound_are_one(one: str, other: str) -> None:
    assert same(parse(one), parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", id="enantiomers"),
        pytest.param("C[C@H](N)c1ccccc1", "CC(N)c1ccccc1", id="stereo-left-open"),
        pytest.param("CC[S@](C)=O", "CC[S@@](C)=O", id="sulphoxide-enantiomers"),
        pytest.param("C[C@H]1CC[C@@H](O)CC1", "C[C@H]1CC[C@H](O)CC1", id="cis-trans-ring"),
        pytest.param("Cc1ccccn1", "Cc1cccnc1", id="regioisomers"),
        pytest.param("CC(=O)CC", "CC(O)=CC", id="keto-enol-moves-a-carbon-hydrogen"),
        pytest.param("C1CCCCC1", "c1ccccc1", id="saturation"),
        pytest.param("CCN", "CCO", id="elements"),
        pytest.param("CC#N", "C[N+]#[C-]", id="isonitrile"),
        pytest.param("NNc1ccccc1", "N=Nc1ccccc1", id="hydrogens-on-nitrogen-counted"),
    ],
)
def test_different_compounds_differ(one: str, other: str) -> None:
    assert parse(one) != parse(other)


@pytest.mark.parametrize(
    ("smiles", "gate", "words"),
    [
        pytest.param("", "length", "empty", id="empty"),
        pytest.param("C" * 251, "length", "251 characters", id="long"),
        pytest.param("CC N", "characters", "position 3", id="space"),
        pytest.param("CC\nN", "characters", "position 3", id="newline"),
        pytest.param("Cé", "characters", "position 2", id="non-ascii"),
        pytest.param("C*", "characters", "wildcard", id="wildcard"),
        pytest.param("[CH3:1]C", "characters", "atom maps", id="atom-map"),
        pytest.param("C$C", "characters", "quadruple", id="quadruple"),
        pytest.param("CC>>CO", "characters", "reaction", id="reaction"),
        pytest.param("CC |c:1|", "characters", "position 3", id="cxsmiles"),
        pytest.param("CCN.Cl", "fragments", "without salt", id="salt"),
        pytest.param("CC(C", "syntax", "not closed", id="parenthesis"),
        pytest.param("CC)C", "syntax", "position 3", id="closing-parenthesis"),
        pytest.param("[nH]CC)C", "syntax", "position 7", id="position-counts-brackets"),
        pytest.param("C1CCCC", "syntax", "ring bond 1", id="open-ring"),
        pytest.param("CC[NH", "syntax", "bracket", id="bracket"),
        pytest.param("CCX", "syntax", "CCX", id="no-element"),
        pytest.param("[H][H]", "size", "0 heavy atoms", id="no-heavy-atom"),
        pytest.param("C" * 51, "size", "51 heavy atoms", id="51-atoms"),
        pytest.param(
            "S12S34S56S117S338S559S11%10S2323S4545S6116S7227S8448S9119S%1022S343S511S622S73S81S92",
            "rings",
            "30 rings",
            id="dense",
        ),
        pytest.param("C[Si](C)(C)C", "element", "atom 1 (Si)", id="silicon"),
        pytest.param("[13CH3]C", "isotope", "atom 0 (C)", id="isotope"),
        pytest.param("CC(C)(C)(C)C", "valence", "atom 1 (C) has 5 bonds", id="pentavalent-carbon"),
        pytest.param("CO(C)C", "valence", "atom 1 (O) has 3 bonds", id="trivalent-oxygen"),
        pytest.param("c1cccc1", "aromaticity", "alternating", id="no-kekule-form"),
        pytest.param("c1ccnc1", "aromaticity", "[nH]", id="pyrrole-without-hydrogen"),
        pytest.param("Cc", "aromaticity", "atom 1 (C)", id="aromatic-outside-ring"),
        pytest.param("C[CH]C", "radical", "atom 1 (C)", id="radical"),
    ],
)
def test_a_refusal_says_which_gate_and_why(smiles: str, gate: str, words: str) -> None:
    with pytest.raises(RefusedStructure) as refused:
        parse(smiles)

    assert refused.value.gate == gate
    assert words in refused.value.reason
    assert "\n" not in refused.value.reason


def test_the_refused_atom_is_counted_in_the_string_as_given() -> None:
    with pytest.raises(RefusedStructure) as refused:
        parse("OCC(C)(C)(C)C")

    assert refused.value.atom == 2


def test_refusals_leave_standard_error_empty(capfd: pytest.CaptureFixture[str]) -> None:
    for smiles in ("CC(C)(C)(C)C", "c1cccc1", "C1CC", "[Xx]"):
        with pytest.raises(RefusedStructure):
            parse(smiles)

    assert capfd.readouterr().err == ""


def test_mutated_strings_are_structures_or_refusals() -> None:
    rng = random.Random(5)
    alphabet = "CNOcnoSF()[]=#123@H+-%/\\lBr"
    parsed = 0
    for _ in range(3000):
        text = list(rng.choice(DRUGS))
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 2)] = rng.choices(alphabet, k=rng.randint(0, 2))
        try:
            structure = parse("".join(text))
        except RefusedStructure:
            continue
        parsed += 1
        assert parse(structure.smiles) == structure
    assert parsed > 200


def test_tokens_are_sorted_distinct_and_read_only() -> None:
    tokens = parse(DRUGS[5]).tokens

    assert tokens.dtype == np.uint64
    assert (np.diff(tokens.astype(object)) > 0).all()
    with pytest.raises(ValueError, match="read-only"):
        tokens[0] = 0


def test_a_structure_survives_pickling() -> None:
    structure = parse(DRUGS[6])

    copy = pickle.loads(pickle.dumps(structure))

    assert same(copy, structure)
    assert copy.smiles == structure.smiles


def test_similarity_is_one_for_itself_symmetric_and_between_zero_and_one() -> None:
    structures = [parse(smiles) for smiles in DRUGS[:12]]

    for one in structures:
        assert similarity(one, one) == 1.0
        for other in structures:
            assert 0.0 <= similarity(one, other) == similarity(other, one) <= 1.0


def test_similarity_counts_copies_as_minmax() -> None:
    # hexane's features are butane's and more copies of two of them
    assert 0 < similarity(parse("CCCC"), parse("CCCCCCCC")) < 1


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        pytest.param("CCCCO", "", id="acyclic"),
        pytest.param("Cc1ccc(C(=O)O)cc1", "C1CCCCC1", id="side-chains-go"),
        pytest.param("O=C(Nc1ccccn1)c1ccco1", "C1CCC(CCC2CCCC2)CC1", id="linker-stays-carbonyl-goes"),
        pytest.param("O=C1CCCN1", "C1CCCC1", id="exocyclic-double-bond-goes"),
    ],
)
def test_framework_is_rings_and_linkers_of_carbon(smiles: str, expected: str) -> None:
    assert framework(parse(smiles)) == expected
