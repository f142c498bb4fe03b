"""The tables of known chemistry: what is in them, how they are read, and how they are built."""

import csv
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest

from molforge.chem import environments as known
from molforge.chem import reference
from molforge.chem.structure import parse
from tests.chem.drugs import DRUGS


def ring_keys(smiles: str) -> set[int]:
    return {system.key for system in known.ring_systems(parse(smiles).mol)}


def test_tables_are_sorted_small_and_as_the_card_says() -> None:
    tables = known.reference()
    card = (known.DATA / "README.md").read_text()

    for table in (tables.near, tables.far, tables.rings):
        assert (table[1:] > table[:-1]).all()
        assert re.search(rf"\b{len(table):,}\b", card)
    assert sum(path.stat().st_size for path in known.DATA.glob("*.npz")) < 1_100_000
    assert (known.DATA / known.RING_SYSTEMS_FILE).stat().st_size < 100_000


def test_tables_fit_the_installed_rdkit() -> None:
    # other Morgan hashes would make everything novel
    unseen = [
        s for s in DRUGS if known.unknown(known.environments(parse(s).mol).near, known.reference().near)
    ]

    assert len(unseen) <= 0.1 * len(DRUGS)


def test_common_ring_systems_are_known_and_invented_ones_are_not() -> None:
    rings = known.reference().rings

    for smiles in ("c1ccccc1", "c1ccc2[nH]ccc2c1", "C1CCNCC1", "O=c1cccc[nH]1", "C1CC2CCC1N2"):
        assert not known.unknown(frozenset(ring_keys(smiles)), rings), smiles
    assert known.unknown(frozenset(ring_keys("C1CC2CC3CCOC3NC2S1")), rings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Cc1c[nH]nn1", "Cc1cn(C)nn1", id="substituted-triazole"),
        pytest.param("c1ccc2[nH]cnc2c1", "c1ccc2c(c1)[nH]cn2", id="benzimidazole"),
        pytest.param("C1CCNCC1", "CC1CCC[NH+](C)C1", id="charge-and-substituents"),
        pytest.param("C[C@H]1CC[C@@H](C)CC1", "C1CCCCC1", id="stereo"),
    ],
)
def test_ring_keys_do_not_hang_on_the_drawing(one: str, other: str) -> None:
    assert ring_keys(one) == ring_keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("c1ccccc1", "C1CCCCC1", id="aromatic"),
        pytest.param("O=C1CCCCC1", "C1CCCCC1", id="outer-double-bond"),
        pytest.param("c1ccncc1", "c1ccccc1", id="element"),
        pytest.param("C1CCC2CCCCC2C1", "C1CCC2(CC1)CCCC2", id="fusion"),
    ],
)
def test_ring_keys_tell_ring_systems_apart(one: str, other: str) -> None:
    assert ring_keys(one) != ring_keys(other)


def test_spiro_and_fused_rings_are_one_system_and_biaryls_two() -> None:
    assert len(known.ring_systems(parse("C1CCC2(CC1)CCCC2").mol)) == 1
    assert len(known.ring_systems(parse("c1ccc2[nH]ccc2c1").mol)) == 1
    assert len(known.ring_systems(parse("c1ccc(-c2ccccn2)cc1").mol)) == 2


def test_centre_names_an_atom_of_the_environment() -> None:
    mol = parse("CCc1ccc(CCF)cc1").mol
    fluorine = mol.GetSubstructMatch(parse("F").mol)[0]
    alone = known.environments(parse("CF").mol)

    shared = next(iter(alone.near & known.environments(mol).near & {known_key(mol, fluorine)}))

    assert known.centre(mol, shared) == fluorine


def known_key(mol: object, atom: int) -> int:
    keys = known.environments(mol).near
    return next(key for key in keys if known.centre(mol, key) == atom)


def test_packing_keys_is_undone_by_unpacking() -> None:
    keys = np.unique(np.random.default_rng(3).integers(0, 2**32, 5000, dtype=np.uint32))

    assert np.array_equal(known.unpack_keys(known.pack_keys(keys)), keys)


def test_unknown_lists_what_the_table_lacks() -> None:
    table = np.array([2, 5, 9], np.uint32)

    assert known.unknown(frozenset({1, 2, 9, 2**32 - 1}), table) == [1, 2**32 - 1]


@pytest.fixture
def csv_dir(tmp_path: Path) -> Path:
    """Return a miniature of the folder that ``train-landscapes`` reads."""
    folder = tmp_path / "csv"
    for name, column in (
        ("potency_ace/A.csv", "smiles"),
        ("panel_simpd/B.csv", "canonical_smiles"),
        ("moonshot/C.csv", "suspected_SMILES"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True)
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow([column, "value"])
            rows.writerows([[smiles, 1] for smiles in DRUGS])
            rows.writerow(["CCN.Cl |c:1|", 2])
            rows.writerow(["not a structure", 2])
    ref = folder / "ref"
    ref.mkdir()
    (ref / "chembl_drugs.smi").write_text("".join(f"{smiles} D{n}\n" for n, smiles in enumerate(DRUGS)))
    (ref / "chembl_ring_systems.csv").write_text(
        "SMILES,InChI,Count\nc1ccccc1,x,100\nC1CC1,x,3\nC1CCNCC1,x,10\n"
    )
    text = "\n".join(f"{'C' * n}O" for n in range(1, 9)).encode()
    with tarfile.open(ref / "zinc250k.txt.gz", "w:gz") as archive:
        member = tarfile.TarInfo("zinc.txt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return folder


def test_build_writes_the_same_bytes_twice_and_counts_compounds_once(csv_dir: Path, tmp_path: Path) -> None:
    told: list[str] = []

    first = reference.build(csv_dir, tmp_path / "one", progress=told.append)
    second = reference.build(csv_dir, tmp_path / "two")

    distinct = {parse(smiles).smiles for smiles in (*DRUGS, "CCN", *("C" * n + "O" for n in range(1, 9)))}
    assert first == second
    assert first.compounds == len(distinct)
    assert first.rings == 2
    assert told
    for name in (known.ENVIRONMENTS_FILE, known.RING_SYSTEMS_FILE):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
