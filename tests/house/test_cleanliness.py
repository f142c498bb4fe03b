"""Nothing in the tree belongs to one machine, one index, or to nobody."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# Written in pieces, so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": r"/(?:ro" r"ot|ho" r"me/[a-z]+|work/(?:ma" r"in|sha" r"red|scra" r"tch))\b",
    "a package index": r"(?:py" r"pi\.org|python" r"hosted\.org|registry\.npm" r"js|deb\.deb" r"ian\.org)",
    "a folder outside": r"\.\./sha" r"red\b",
}  # fmt: skip
TEXT_LIMIT = 2_000_000


def tracked(root: Path) -> list[Path]:
    """Return what git knows of, else every file outside hidden folders."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    return [path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts]


def test_no_file_names_a_machine_or_an_index(root: Path) -> None:
    found = []
    for path in tracked(root):
        data = path.read_bytes()
        if b"\0" in data[:4096] or len(data) > TEXT_LIMIT:
            continue
        text = data.decode("utf-8", "replace")
        name = path.relative_to(root).as_posix()
        found += [f"{name}: {what}" for what, shape in FORBIDDEN.items() if re.search(shape, text)]

    assert not found


def test_no_symbolic_links(root: Path) -> None:
    assert not [path for path in tracked(root) if path.is_symlink()]


def test_no_file_is_large(root: Path) -> None:
    large = {path.relative_to(root).as_posix(): path.stat().st_size for path in tracked(root)}

    assert not {name: size for name, size in large.items() if size > 5_000_000}


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "manager.py", "misc.py"])
def test_no_module_without_a_subject(root: Path, name: str) -> None:
    assert not [path for path in tracked(root) if path.name == name]


def test_every_data_file_has_a_card(root: Path) -> None:
    folders = {root / "molforge" / "landscapes" / "data", root / "molforge" / "chem" / "data"}
    data = [path for path in tracked(root) if path.parent in folders and path.suffix != ".md"]

    assert not [path.name for path in data if not has_card(path)]


def has_card(path: Path) -> bool:
    """Whether a card of the same name, or one for the whole folder, lies beside the file."""
    return path.with_suffix(".md").exists() or (path.parent / "README.md").exists()
