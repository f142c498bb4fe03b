"""A real server for the agent's tests, and the folder's own modules within reach."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from molforge.agent.local_server import local_server

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # stub_model, blocks


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Return the address of a server that lives as long as these tests."""
    server = local_server(HERE.parents[1])
    with asyncio.Runner() as runner:
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))
