"""Copy pins into ``[tool.uv] constraint-dependencies`` of pyproject.toml, for ``uv run`` and ``uv pip``.

What the server needs, and openai and openenv-core by themselves. The many packages that openenv-core
brings are left out: pinned here they would keep ``openenv`` 0.10, which wants other versions of them,
from being installed in a checkout.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRA = ("openai", "openenv-core")


def pins(name: str) -> dict[str, str]:
    """Return name -> ``version ; marker`` of a pinned list, without hashes."""
    rows = (line.removesuffix("\\").strip() for line in (ROOT / name).read_text().splitlines())
    return dict(row.split("==", 1) for row in rows if re.match(r"[a-z0-9]", row))


def main() -> None:
    """Rewrite the list in place."""
    full = pins("requirements.txt")
    chosen = {**pins("requirements-server.txt"), **{name: full[name] for name in EXTRA}}
    rows = "".join(f'    "{name}=={version}",\n' for name, version in sorted(chosen.items()))
    project = ROOT / "pyproject.toml"
    listed = re.compile(r"^constraint-dependencies = \[.*?\]$", re.DOTALL | re.MULTILINE)
    project.write_text(listed.sub(f"constraint-dependencies = [\n{rows}]", project.read_text(), count=1))


if __name__ == "__main__":
    main()
