"""``inference.py`` as evaluators run it: from_docker_image, a slow model, SIGTERM in the middle."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from envs import CATALOGUE
from tests.inference.blocks import read
from tests.inference.stub_model import Hang, StubModel, serving

pytestmark = [pytest.mark.container, pytest.mark.timeout(1300)]

ANSWER_SECONDS = float(os.environ.get("MOLFORGE_SLOW_MODEL", "0"))
"""20 is what the agent is made for; such a run takes 17 minutes, so only who asks for it gets it."""
RUN_SECONDS = 18 * 60.0
MEMORY = 8 * 2**30


@pytest.fixture(scope="module")
def image() -> str:
    name = os.environ.get("IMAGE")
    if not name:
        pytest.skip("IMAGE names no image: `make container` builds one and runs this")
    return name


def containers() -> set[str]:
    """Return the containers of clients like the agent; others may use the same engine."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", "name=^/molforge-"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def limit() -> None:
    """Hold the agent to 8 GB and two processors."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


@asynccontextmanager
async def agent(image: str, root: Path, model: StubModel):
    """Run the agent with the stub as its model; yield its process."""
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST", "HOME") if name in os.environ}
    settings = {"LOCAL_IMAGE_NAME": image, "MODEL_NAME": "stub/slow", "HF_TOKEN": "secret"}
    async with serving(model) as base_url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "inference.py"),
            cwd=root,
            env={**kept, **settings, "API_BASE_URL": base_url, "OPENBLAS_NUM_THREADS": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=limit,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_sigterm_in_the_middle_closes_every_block_and_leaves_no_container(
    image: str, root: Path
) -> None:
    before = containers()
    model = StubModel(["suggest M1", "assay M1: potency", Hang()])
    async with agent(image, root, model) as process:
        await model.hanging.wait()
        assert len(containers() - before) == 1
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()

    blocks = read(out.decode())
    assert process.returncode == 128 + signal.SIGTERM, err.decode()[-2000:]
    assert [(block.steps[-1].done, block.score) for block in blocks] == [(True, 0.01)], err.decode()[-2000:]
    assert containers() == before
    assert time.monotonic() - began < 20


@pytest.mark.skipif(not ANSWER_SECONDS, reason="MOLFORGE_SLOW_MODEL=20 runs it: 17 minutes")
async def test_a_slow_model_leaves_time_for_every_task(image: str, root: Path) -> None:
    before = containers()
    answers = ["suggest M1", "assay M1, M2: potency x2"]  # it never decides: only time ends its programmes
    began = time.monotonic()
    async with agent(image, root, StubModel([Hang(ANSWER_SECONDS, answers)])) as process:
        out, err = await process.communicate()
    seconds = time.monotonic() - began

    told = err.decode()
    blocks = read(out.decode())
    assert process.returncode == 0, told[-3000:]
    assert [block.task for block in blocks] == list(CATALOGUE)
    assert all(block.steps and block.steps[-1].done for block in blocks)
    assert all(0.01 <= block.score <= 0.99 for block in blocks)
    print(f"{len(blocks)} tasks, {[len(block.steps) for block in blocks]} steps, {seconds:.0f} s")
    assert seconds < RUN_SECONDS
    assert containers() == before
