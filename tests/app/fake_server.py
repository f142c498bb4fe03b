"""Serves the fake environment in a process of its own: ``python -m tests.app.fake_server --port N ...``."""

from __future__ import annotations

import sys

from app import main as application
from app.cli import main
from tests.app.fake import FakeEnvironment

if __name__ == "__main__":
    application.environment_factory = lambda _secret: FakeEnvironment  # type: ignore[assignment]
    application.FACTORY, application.WARM_UPS = "tests.app.fake:fake_factory", None
    sys.exit(main(["serve", *sys.argv[1:]]))
