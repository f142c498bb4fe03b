"""Copy the pins of requirements.txt into ``[tool.uv] constraint-dependencies`` of pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pins(text: str) -> list[str]:
    """Return ``name==version ; marker`` of every requirement, without its hashes."""
    return [line.removesuffix("\\").strip() for line in text.splitlines() if re.match(r"[a-z0-9]", line)]


def main() -> None:
    """Rewrite the list in place."""
    rows = "".join(f'    "{pin}",\n' for pin in pins((ROOT / "requirements.txt").read_text()))
    project = ROOT / "pyproject.toml"
    old = project.read_text()
    new = re.sub(
        r"(?ms)^constraint-dependencies = \[.*?\]$", f"constraint-dependencies = [\n{rows}]", old, count=1
    )
    project.write_text(new)


if __name__ == "__main__":
    main()
