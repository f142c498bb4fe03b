"""``openenv validate`` at the levels that need an image at work; for an interpreter with openenv 0.10.

    python scripts/runtime_validation.py FOLDER [--level runtime|semantic] [--image ID] [--helper-image REF]

FOLDER is a clone. Without ``--image`` the validator builds one from it. To look into a container that has no
network it wants an image of its own, by digest; where that cannot be had and ``--helper-image`` names no
other, the container is given a network, everything but its network policy is validated, and this is said.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from openenv.validation import Level, run_validation
from openenv.validation.providers import docker

ISOLATED, OPEN = "mode: no-network", "mode: public"


class BuiltImage(docker.DockerValidationProvider):
    """Takes an image that was built before."""

    image = ""

    def build(self, root, execution):
        """Return its id."""
        if not self.image:
            return super().build(root, execution)
        shown = ["docker", "image", "inspect", "--format", "{{.Id}}", self.image]
        return subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip()


def has_helper(image: str) -> bool:
    """Say whether the validator's own image is here or can be had."""
    for command in ("inspect", "pull"):
        words = ["docker", "image", command, image]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return True
    return False


def validate(folder: Path, options: argparse.Namespace) -> int:
    """Validate and tell; return the exit code."""
    provider = BuiltImage(helper_image=options.helper_image)
    provider.image = options.image
    report = run_validation(folder, max_level=Level[options.level.upper()], provider=provider)
    for result in report.results:
        told = result.evidence if result.status.value not in ("pass", "skip") else ""
        print(f"  {result.status.value:5} {result.check_id} {told}".rstrip())
    print(f"  verdict at level {options.level}: {report.verdict.value}")
    return 1 if report.verdict.value not in ("pass", "warn") else 0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--level", choices=("runtime", "semantic"), default="semantic")
    parser.add_argument("--image", default="")
    parser.add_argument("--helper-image", default=docker.HELPER_IMAGE)
    options = parser.parse_args()
    if has_helper(options.helper_image):
        return validate(options.folder, options)
    print("  the validator's helper image cannot be had here: its network policy is not looked at")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "molforge"
        shutil.copytree(options.folder, copy, ignore=shutil.ignore_patterns(".git"))
        manifest = copy / "openenv.yaml"
        text = manifest.read_text(encoding="utf-8")
        assert ISOLATED in text
        manifest.write_text(text.replace(ISOLATED, OPEN), encoding="utf-8")
        return validate(copy, options)


if __name__ == "__main__":
    sys.exit(main())
