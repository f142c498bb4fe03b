"""docs/wire.md is what the models say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("wire_page", ROOT / "scripts" / "wire_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_models_say() -> None:
    wanted = generator().page()

    assert (ROOT / "docs" / "wire.md").read_text() == wanted, "run: .venv/bin/python scripts/wire_page.py"
