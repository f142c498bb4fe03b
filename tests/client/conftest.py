"""A real server for the client's tests, from this interpreter or from ``MOLFORGE_TEST_PYTHON``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from molforge.agent.local_server import local_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Return the address of a server that lives as long as these tests."""
    python = os.environ.get("MOLFORGE_TEST_PYTHON") or sys.executable
    if python == sys.executable and find_spec("rdkit") is None:
        pytest.skip("this interpreter cannot serve: name one that can in MOLFORGE_TEST_PYTHON")
    server = local_server(ROOT, python=python)
    with asyncio.Runner() as runner:
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))
