"""This server around another environment: ``python -m app.faults.served MODULE:FACTORY OPTIONS``."""

from __future__ import annotations

import sys

from app import main as application
from app.cli import main
from app.parent import load

if __name__ == "__main__":
    application.environment_factory = load(sys.argv[1])  # type: ignore[attr-defined]
    application.FACTORY, application.WARM_UPS = sys.argv[1], None
    sys.exit(main(["serve", *sys.argv[2:]]))
