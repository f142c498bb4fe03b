"""The gallery: pictures small enough for a page, of compounds that may be made."""

from __future__ import annotations

import re
from pathlib import Path

from app.commands.gallery import DESIGNS, PAGE, gallery
from molforge.chem import gates
from molforge.chem.structure import parse
from molforge.landscapes.catalogue import MODELS

MAX_BYTES = 2_000_000


def test_a_target_is_drawn_with_lead_witness_and_designs(tmp_path: Path) -> None:
    assert gallery(tmp_path, ("fxa",)) == 0

    page = (tmp_path / PAGE).read_text()
    rows = re.findall(r"^\| (lead|witness|design)[^|]*\|[^|]*\|[^|]*\| `([^`]+)` \|$", page, re.MULTILINE)
    assert [kind for kind, _ in rows] == ["lead", "witness", *["design"] * DESIGNS]
    assert len({smiles for _, smiles in rows}) == len(rows)
    assert all(gates.is_makeable(parse(smiles)) for _, smiles in rows)
    assert MODELS["fxa"].title in page
    picture = (tmp_path / "pictures" / "fxa.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert 5_000 < len(picture) < 60_000


def test_the_same_compounds_are_drawn_the_same(tmp_path: Path) -> None:
    gallery(tmp_path / "one", ("h3",))
    gallery(tmp_path / "two", ("h3",))

    for name in (PAGE, "pictures/h3.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_pictures_of_the_page_are_there_and_small(root: Path) -> None:
    shown = re.findall(r"\]\((pictures/[^)]+)\)", (root / "docs" / PAGE).read_text())

    assert shown
    assert {path.name for path in (root / "docs" / "pictures").iterdir()} == {Path(one).name for one in shown}
    assert sum((root / "docs" / one).stat().st_size for one in shown) < MAX_BYTES
