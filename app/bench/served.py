"""This project's server around the trivial environment: ``python -m app.bench.served OPTIONS``."""

from __future__ import annotations

import sys

from app import main as application
from app.bench.trivial import factory
from app.cli import main

if __name__ == "__main__":
    application.environment_factory = factory  # type: ignore[assignment, attr-defined]
    application.FACTORY, application.WARM_UPS = "app.bench.trivial:factory", None
    sys.exit(main(["serve", *sys.argv[1:]]))
