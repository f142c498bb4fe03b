"""The package's map loads nothing; its modules do not reach upward."""

import subprocess
import sys
from pathlib import Path


def test_importing_the_package_loads_no_rdkit(root: Path) -> None:
    code = "import sys, molforge.chem; sys.exit('rdkit' in sys.modules or 'numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_no_module_imports_what_stands_above_it(root: Path) -> None:
    for path in (root / "molforge" / "chem").glob("*.py"):
        text = path.read_text()
        for above in ("landscapes", "envs", "graders", "app", "episode"):
            assert f"from molforge.{above}" not in text
            assert f"from {above}" not in text
