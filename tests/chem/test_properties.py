"""Computed properties are exact, rounded and the textbook's."""

import gc
import importlib.util
import math
import warnings
from pathlib import Path
from types import ModuleType

import pytest
from rdkit import Chem, RDConfig

from molforge.chem.properties import DOUBTS, alerts, properties, sa_score
from molforge.chem.structure import parse
from tests.chem.drugs import DRUGS


@pytest.fixture(scope="module")
def sascorer() -> ModuleType:
    """Return RDKit's own implementation, as the yardstick."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves its fragment file open
        module.readFragmentScores()
        gc.collect()
    return module


def test_aspirin() -> None:
    assert properties(parse("CC(=O)Oc1ccccc1C(=O)O")) == {
        "molecular_weight": 180.16,
        "logp": 1.31,
        "tpsa": 63.6,
        "hbd": 1,
        "hba": 3,
        "rotatable_bonds": 2,
        "heavy_atoms": 13,
        "rings": 1,
        "sa_score": 1.58,
    }


def test_sa_score_is_that_of_rdkit(sascorer: ModuleType) -> None:
    for smiles in DRUGS:
        structure = parse(smiles)
        assert sa_score(structure) == pytest.approx(sascorer.calculateScore(structure.mol), abs=6e-4)


@pytest.mark.parametrize("smiles", DRUGS)
def test_properties_are_finite_and_the_same_for_every_drawing(smiles: str) -> None:
    structure = parse(smiles)
    told = properties(structure)

    assert all(math.isfinite(value) for value in told.values())
    for drawing in Chem.MolToRandomSmilesVect(structure.mol, 3, randomSeed=11):
        assert properties(parse(drawing)) == told


def test_charged_drawings_have_the_neutral_properties() -> None:
    assert properties(parse("C[NH2+]CCc1ccccc1")) == properties(parse("CNCCc1ccccc1"))


@pytest.mark.parametrize(
    ("name", "smiles", "clear"),
    [
        pytest.param("open_chain_acetal", "CCOCOc1ccccc1", "C1OCOC1", id="acetal"),
        pytest.param("open_chain_acetal", "CSCOCCc1ccccc1", "COCCOC", id="thioacetal"),
        pytest.param("acyloxymethyl_amine_or_ether", "CNC(=O)OCN1CCCCC1", "CC(=O)OCCN1CCCCC1", id="mannich"),
        pytest.param("cyclic_aminal", "c1ccc(N2CCNC2)cc1", "O=C1NCCN1c1ccccc1", id="imidazolidine"),
        pytest.param("allylic_or_benzylic_fluoride", "FCc1ccccc1", "FC(F)c1ccccc1", id="benzyl-fluoride"),
        pytest.param("allylic_or_benzylic_fluoride", "FCC=CC", "FCCC=C", id="allyl-fluoride"),
        pytest.param("acyl_ketal", "CC(=O)C1(C)OCCO1", "CC1(C)OCCO1", id="ketal"),
    ],
)
def test_own_alerts_flag_what_a_chemist_would_ask_about(name: str, smiles: str, clear: str) -> None:
    assert name in DOUBTS
    assert name in alerts(parse(smiles))
    assert name not in alerts(parse(clear))


def test_alerts_are_named_and_sorted() -> None:
    names = alerts(parse("O=Cc1ccc([N+](=O)[O-])cc1"))

    assert any("aldehyde" in name.lower() for name in names)
    assert list(names) == sorted(names)
    assert len(names) >= 2
    assert alerts(parse("COc1ccc(CCN2CCOCC2)cc1")) == ()
