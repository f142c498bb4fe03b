"""Nothing in ``app`` may block the event loop: a call that does fails its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def _no_blocking_calls_on_the_loop() -> Iterator[None]:
    with blockbuster_ctx("app") as guard:
        # /proc is no disk: the kernel writes the answer while one asks
        guard.functions["io.TextIOWrapper.read"].can_block_in("app/memory.py", {"waited_seconds"})
        yield
