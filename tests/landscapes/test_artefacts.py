from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from molforge.chem.environments import ENVIRONMENTS_FILE, RING_SYSTEMS_FILE
from molforge.errors import EnvironmentFault
from molforge.landscapes import artefact, curves
from molforge.landscapes.catalogue import DATA, MODELS, TARGETS, pool_file
from molforge.landscapes.model import PropertyModel
from molforge.landscapes.tokens import TokenTable

FILES = [*MODELS, *(f"pool_{target}" for target in TARGETS)]
PACKAGE = DATA.parent.parent
BIOGEN = ("solubility", "hlm", "rlm", "efflux", "ppb")
BENCHMARK = ("thrombin", "fxa", "d3", "d4", "ppara", "pparg", "jak2", "ox2r", "h3", "pim1")
ADMET_RMSE = {
    "hlm": 0.454, "rlm": 0.521, "efflux": 0.414, "solubility": 0.579, "ppb": 0.448,
    "herg": 0.650, "logd": 0.643,
}  # fmt: skip
"""Held out, with a second kernel on descriptors; the split of hERG and logD is not the same."""


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    arrays = {"a": np.arange(6, dtype=np.int16).reshape(2, 3), "b": np.zeros(0, np.uint64)}

    artefact.write(tmp_path / "x.mfl", {"name": "x", "n": 3}, arrays)
    content = artefact.read(tmp_path / "x.mfl")

    assert content.header == {"name": "x", "n": 3}
    assert all(np.array_equal(content.arrays[name], array) for name, array in arrays.items())
    assert content.digest == hashlib.sha256((tmp_path / "x.mfl").read_bytes()).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == ["x.mfl"]


@pytest.mark.parametrize("place", [0, 5, 40, 5000, -1])
def test_damaged_file_is_an_error_that_names_it(tmp_path: Path, place: int) -> None:
    raw = bytearray((DATA / "thrombin_anti.mfl").read_bytes())
    raw[place] ^= 1
    (tmp_path / "thrombin_anti.mfl").write_bytes(raw)

    with pytest.raises(EnvironmentFault, match=r"thrombin_anti\.mfl is damaged"):
        PropertyModel.read(tmp_path / "thrombin_anti.mfl")


def test_cut_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "curves.mfl").write_bytes((DATA / "curves.mfl").read_bytes()[:100])

    with pytest.raises(EnvironmentFault, match="damaged"):
        curves.load(tmp_path)


def test_missing_file_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="train-landscapes"):
        PropertyModel.read(tmp_path / "h3.mfl")


def test_token_table_survives_packing() -> None:
    rng = np.random.default_rng(0)
    molecules = [np.unique(rng.integers(0, 2**40, n).astype(np.uint64)) for n in (1, 90, 3, 255)]

    table = TokenTable.of(molecules)
    back = TokenTable.unpack(table.pack())

    assert all(np.array_equal(a, b) for a, b in zip(back, molecules, strict=True))


def test_token_table_refuses_what_its_format_cannot_hold() -> None:
    with pytest.raises(EnvironmentFault, match="too large"):
        TokenTable.of([np.arange(256, dtype=np.uint64)]).pack()


@pytest.mark.parametrize("name", FILES)
def test_card_states_the_hash_of_its_file(name: str) -> None:
    card = (DATA / f"{name}.md").read_text()

    assert hashlib.sha256((DATA / f"{name}.mfl").read_bytes()).hexdigest() in card


@pytest.mark.parametrize("name", [ENVIRONMENTS_FILE, RING_SYSTEMS_FILE])
def test_card_of_the_reference_chemistry_states_the_hashes(name: str) -> None:
    folder = PACKAGE / "chem" / "data"
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    assert f"| `{name}` | `{digest}` |" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", FILES)
def test_licence_is_that_of_the_data_behind_the_file(name: str) -> None:
    """What derives from ChEMBL is share-alike, whatever the repository it came from says."""
    card = (DATA / f"{name}.md").read_text()
    row = next(line for line in card.splitlines() if line.startswith("| licence |"))
    wanted = "MIT." if name in BIOGEN else "CC0 1.0." if name == "mpro" else "CC BY-SA 3.0."

    assert row.startswith(f"| licence | {wanted}")
    assert ("ChEMBL" in row) == (wanted == "CC BY-SA 3.0.")


def test_every_file_has_a_card_and_every_card_a_file() -> None:
    files = {path.stem for path in DATA.glob("*.mfl")}

    assert files == {*FILES, "curves"}
    assert {path.stem for path in DATA.glob("*.md")} == {*FILES, "README"}
    assert all((DATA / pool_file(target)).exists() for target in TARGETS)


def test_potency_models_are_as_good_as_published() -> None:
    """On the published splits; the best published models have 0.652 (van Tilborg et al. 2022)."""
    figures = [_figures(name) for name in BENCHMARK]

    assert np.mean([each["rmse"] for each in figures]) <= 0.65
    assert np.mean([each["spearman"] for each in figures]) >= 0.84


@pytest.mark.parametrize(("name", "rmse"), ADMET_RMSE.items())
def test_admet_models_are_as_good_as_with_descriptors(name: str, rmse: float) -> None:
    """Within 8 % of processes that also see twelve computed descriptors, which cost 540 us a molecule."""
    assert _figures(name)["rmse"] <= 1.08 * rmse


@pytest.mark.parametrize("name", MODELS)
def test_intervals_hold_what_they_say(name: str) -> None:
    assert 86 <= _figures(name)["coverage"] <= 95


def test_files_are_small() -> None:
    assert sum(path.stat().st_size for path in PACKAGE.rglob("data/*")) <= 50e6


def _figures(name: str) -> dict[str, float]:
    rows = (DATA / f"{name}.md").read_text().split("## Held-out error")[1].splitlines()
    cells = next(row for row in rows if row.startswith("| 0.")).strip("| ").split("|")
    rmse, spearman, coverage = (float(cell.strip(" %")) for cell in cells)
    return {"rmse": rmse, "spearman": spearman, "coverage": coverage}
