"""What may be made: every gate refuses what it is for, says why, and lets medicinal chemistry through."""

import re

import pytest
from rdkit import Chem

from molforge.chem import gates
from molforge.chem.instability import UNSTABLE, find
from molforge.chem.structure import parse
from molforge.errors import RefusedStructure
from tests.chem.drugs import DRUGS

MAKEABLE = "COc1ccc(CCN2CCN(c3ccccc3Cl)CC2)cc1"


def refusal(smiles: str) -> RefusedStructure:
    with pytest.raises(RefusedStructure) as refused:
        gates.check(parse(smiles))
    return refused.value


@pytest.mark.parametrize(
    ("gate", "smiles", "words"),
    [
        pytest.param("size", "CC(=O)Nc1ccccc1", "10 heavy atoms; 12 to 50", id="too-small"),
        pytest.param("charge", "C[N+](C)(C)CCOCC[N+](C)(C)Cc1ccccc1", "net charge +2", id="dication"),
        pytest.param("rings", "c1ccc2cc3cc4cc5cc6ccccc6cc5cc4cc3cc2c1CC1CCC1C1CC1", "rings", id="rings"),
        pytest.param("rings", "C1CCCCCCCCCCC1c1ccccc1", "a ring of 12 atoms", id="macrocycle"),
        pytest.param("rings", "C1CC1c1cc(C2CC2)cc(C2CCC2)c1", "three- and four-membered", id="small-rings"),
        pytest.param("rings", "C1C2CC3CC1CC(C2)C3CC1CC2CCC1C2", "bridgehead", id="cages"),
        pytest.param("stereocentres", "CC(O)C(O)C(O)C(O)C(O)C(O)C(O)c1ccccc1", "7 stereocentres", id="sugar"),
        pytest.param("environment", "CCc1ccc(CC[PH]CCC)cc1", "fewer than 5", id="odd-phosphorus"),
        pytest.param("instability", "ClCCc1ccc(OCCN2CCOCC2)cc1", "alkyl chloride", id="alkyl-chloride"),
        pytest.param("instability", "O=Cc1ccc(OCCN2CCOCC2)cc1", "aldehyde", id="aldehyde"),
        pytest.param("ring_system", "c1ccc2c(c1)Cc1cc3c(cc1C2)CC1CCCC1C3", "familiar", id="ring-system"),
        pytest.param("logp", "CCCCc1ccc(-c2ccc(-c3ccc(CCCC)cc3)cc2)cc1", "logP", id="greasy"),
        pytest.param("tpsa", "NS(=O)(=O)c1ccc(NC(=O)c2ccc(S(N)(=O)=O)c(C(N)=O)c2)cc1", "193 A^2", id="polar"),
        pytest.param("novelty", "CC(=O)Oc1ccccc1C(=O)C(=O)O", "2 of 9", id="novel-surroundings"),
        pytest.param("hbd", "N=C(N)NCc1ccc(CNC(=N)N)c(CO)c1", "7 hydrogen-bond donors", id="donors"),
        pytest.param("synthesis", "CC1(C)C2CCC1(CC(=O)N1CC3CCC(C1)N3C)C(=O)C2", "5.01", id="hard-to-make"),
        pytest.param(
            "rotatable_bonds", "COCCOCCOCCOCCOCCOCCOc1ccc(C)cc1", "rotatable bonds; at most 14", id="floppy"
        ),
    ],
)
def test_a_gate_refuses_what_it_is_for(gate: str, smiles: str, words: str) -> None:
    refused = refusal(smiles)

    assert refused.gate == gate, refused.reason
    assert words in refused.reason
    assert gate in gates.GATES


def test_gates_are_asked_in_their_stated_order() -> None:
    # too small and a peroxide: the cheaper gate answers
    assert refusal("CCOOCC").gate == "size"
    assert gates.MAKING_GATES.index("environment") < gates.MAKING_GATES.index("synthesis")


def test_the_named_atom_is_in_the_canonical_smiles() -> None:
    structure = parse("CC(=O)c1ccc(CCC=O)cc1")

    refused = refusal(structure.smiles)

    assert refused.gate == "instability"
    assert refused.atom is not None
    atom = structure.mol.GetAtomWithIdx(refused.atom)
    assert f"atom {refused.atom} ({atom.GetSymbol()})" in refused.reason
    assert atom.GetTotalNumHs() == 1
    assert refused.smiles == structure.smiles


def test_an_ordinary_lead_passes() -> None:
    gates.check(parse(MAKEABLE))

    assert gates.is_makeable(parse(MAKEABLE))


def test_most_drugs_pass() -> None:
    passed = sum(gates.is_makeable(parse(smiles)) for smiles in DRUGS)

    assert passed >= 0.8 * len(DRUGS)


@pytest.mark.parametrize(
    "smiles",
    [
        "CN(C(N)C[C@@H](Cl)[C@@]1(N)Nc2ccc(Cl)cc21)S(=O)(=O)c1ccc(CN2CCCC2)c(CNCC)c1",
        "O=C(C(=N)C(=O)Cn1cnc2c(c1=O)C=C1OCCCCC1N2)NCCc1ccccc1",
        "CC(C)C1CC2C3c4ccc(c3c4)CC2N1Cc1ccccc1",
        "C=C(N)OC(=C)C(F)(Cl)c1ccccc1S(=N)C",
        "NN(N)C(O)(O)c1ccc(C=C=C)cc1OCl",
        "FC(N)(O)C(=S)SSc1ccc(P(C)I)cc1",
    ],
)
def test_what_optimisers_find_without_gates_is_refused(smiles: str) -> None:
    try:
        structure = parse(smiles)
    except RefusedStructure:
        return

    assert not gates.is_makeable(structure)


EXAMPLES = {
    "peroxide": "CCOOCc1ccccc1",
    "hydroxylamine": "CCN(O)Cc1ccccc1",
    "open-chain hydrazine": "CN(C)N(C)Cc1ccccc1",
    "three linked heteroatoms": "CON(C)OCc1ccccc1",
    "open chain of three nitrogens": "CN=NN(C)c1ccccc1",
    "open-chain aminal or hemiaminal ether": "CCOC(C)N(C)Cc1ccccc1",
    "open-chain geminal diamine": "CC(=O)NCN(C)c1ccccc1",
    "ring nitrogen aminal": "CNC1CCCCN1Cc1ccccc1",
    "amide nitrogen aminal": "CNC1CCCN1C(=O)c1ccccc1",
    "hydroxyaminal": "CC(O)NC(=O)c1ccccc1",
    "hemiacetal, hemiaminal or geminal diol": "CCOC(O)Cc1ccccc1",
    "ortho acid": "COC(OC)(OC)c1ccccc1",
    "aromatic seven-membered ring": "O=c1cccccc1Cc1ccccc1",
    "alkyl chain of seven or more": "CCCCCCCCc1ccccc1",
    "N-hydroxyurea": "CN(O)C(=O)N(C)c1ccccc1",
    "nitrosamine or nitrite": "CN(N=O)Cc1ccccc1",
    "N-acyloxyamine": "CC(=O)ON(C)Cc1ccccc1",
    "carbamic or carbonic acid": "OC(=O)N(C)c1ccccc1",
    "anhydride": "CC(=O)OC(=O)c1ccccc1",
    "chain of acylated ureas": "CC(=O)NC(=O)NC(=O)c1ccccc1",
    "enol": "OC(=CC)c1ccccc1",
    "enamine with N-H": "CNC(C)=Cc1ccccc1",
    "methylene enol ether or enamine": "C=C(OC)c1ccccc1",
    "methylene Michael acceptor": "C=CC(=O)N(C)c1ccccc1",
    "aldehyde": "O=CCc1ccccc1",
    "N-H ketimine": "N=C(C)c1ccccc1",
    "N-H imidate": "N=C(OC)c1ccccc1",
    "open-chain alkyl imine": "CCN=CCc1ccccc1",
    "open-chain acyl imine": "CN=C(C)C(=O)c1ccccc1",
    "cumulated double bonds": "CC=C=Cc1ccccc1",
    "open-chain polyene": "CC=CC=CC=Cc1ccccc1",
    "three carbonyls in a row": "CC(=O)C(=O)C(=O)c1ccccc1",
    "heteroatom on an alkyne": "CC#COc1ccccc1",
    "acyl cyanide, cyanate or thiocyanate": "N#CC(=O)c1ccccc1",
    "alkyne in a ring": "C1#CCCCCC1c1ccccc1",
    "nitrogen halide": "CN(Cl)c1ccccc1",
    "hypohalite": "ClOCc1ccccc1",
    "sulphur halide": "O=S(=O)(Cl)c1ccccc1",
    "phosphorus or boron halide": "CP(C)(=O)Cl",
    "acyl or imidoyl halide": "O=C(Cl)c1ccccc1",
    "alkyl chloride, bromide or iodide": "ClCCc1ccccc1",
    "halogen beside a heteroatom": "FC(C)Oc1ccccc1",
    "open-chain vinyl halide": "ClC=Cc1ccccc1",
    "disulphide, sulphenamide or sulphenate": "CSSc1ccccc1",
    "sulphinamide or sulphinate": "CN(C)S(=O)c1ccccc1",
    "thiol": "SCc1ccccc1",
    "alkyl sulphonate": "COS(=O)(=O)c1ccccc1",
    "acyl sulphone": "CC(=O)S(=O)(=O)c1ccccc1",
    "thioaminal": "CSC(C)N(C)C(=O)c1ccccc1",
    "enethiol or thioimidic acid": "SC(C)=Nc1ccccc1",
    "open-chain thiocarbonyl": "CC(=S)c1ccccc1",
    "open-chain imine on sulphur": "CN=C(C)S(=O)(=O)c1ccccc1",
    "double bond in a three-membered ring": "C1=CC1c1ccccc1",
    "double bond at a three-membered ring": "C=C1CC1c1ccccc1",
    "cyclobutadiene": "C1=CC(c2ccccc2)=C1",
    "epoxide, aziridine or thiirane": "C1OC1c1ccccc1",
    "four-membered ring with linked heteroatoms": "C1CON1c1ccccc1",
    "aliphatic nitro group": "[O-][N+](=O)CCc1ccccc1",
    "azide or diazo group": "[N-]=[N+]=NCc1ccccc1",
    "charged carbon": "[C-]#[N+]c1ccccc1",
    "sulphonium or oxonium": "C[S+](C)c1ccccc1",
    "phosphorus other than phosphate or phosphonate": "CP(C)c1ccccc1",
    "boron other than boronic acid or ester": "CB(C)c1ccccc1",
}
_UNDRAWABLE = {"aromatic three- or four-membered ring"}
"""RDKit calls no such ring aromatic unless it is charged; kept against other perceptions."""


@pytest.mark.parametrize("name", UNSTABLE)
def test_every_instability_has_an_example_that_is_caught(name: str) -> None:
    pattern = Chem.MolFromSmarts(UNSTABLE[name])

    assert pattern is not None
    if name not in _UNDRAWABLE:
        structure = parse(EXAMPLES[name])
        assert structure.mol.HasSubstructMatch(pattern), structure.smiles
        assert find(structure) is not None


def test_instability_groups_hide_no_match() -> None:
    patterns = [Chem.MolFromSmarts(smarts) for smarts in UNSTABLE.values()]
    for smiles in (*DRUGS, *EXAMPLES.values(), MAKEABLE):
        structure = parse(smiles)
        plainly = any(structure.mol.HasSubstructMatch(pattern) for pattern in patterns)
        assert (find(structure) is not None) == plainly, smiles


def test_every_reason_is_one_sentence_for_a_reader() -> None:
    for smiles in EXAMPLES.values():
        structure = parse(smiles)
        if not gates.is_makeable(structure):
            reason = refusal(smiles).reason
            assert len(reason) < 250
            assert not re.search(r"\n|0x|<rdkit", reason)
