"""The agent as evaluators run it: a program, signals, no credentials, servers that die."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from blocks import read
from stub_model import Hang, StubModel, serving

from envs import CATALOGUE
from molforge.agent.local_server import local_server

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads the process table of Linux")
MODEL = {"MODEL_NAME": "stub/model", "HF_TOKEN": "secret"}


@asynccontextmanager
async def running(root, **environ):
    """Start ``inference.py`` in an almost empty environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "inference.py"),
        cwd=root,
        env={"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def finish(process):
    """Return blocks, stderr and exit code."""
    out, err = await process.communicate()
    return read(out.decode()), err.decode(), process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_signal_in_the_middle_of_a_call_closes_the_open_block(root, server_url, number):
    model = StubModel(["suggest M1", Hang()])
    async with (
        serving(model) as base_url,
        running(root, API_BASE_URL=base_url, ENV_BASE_URL=server_url, **MODEL) as process,
    ):
        await model.hanging.wait()
        process.send_signal(number)
        blocks, err, code = await finish(process)

    assert code == 128 + number, err
    assert len(blocks) == 1
    assert [line.action for line in blocks[0].steps][1:] == ['{"reason":"out_of_time","action_type":"stop"}']
    assert (blocks[0].steps[-1].done, blocks[0].score) == (True, 0.01)


@needs_proc
async def test_without_a_server_it_starts_one_and_takes_it_along(root):
    model = StubModel([Hang()])
    async with (
        serving(model) as base_url,
        running(root, API_BASE_URL=base_url, MOLFORGE_TASK="potency", **MODEL) as process,
    ):
        await model.hanging.wait()
        children = await asyncio.to_thread(children_of, process.pid)
        process.terminate()
        blocks, err, code = await finish(process)

    assert code == 143, err
    assert blocks[0].score == 0.01
    assert len(children) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


@needs_proc
async def test_a_killed_agent_leaves_no_server_behind(root):
    model = StubModel([Hang()])
    async with (
        serving(model) as base_url,
        running(root, API_BASE_URL=base_url, MOLFORGE_TASK="triage", **MODEL) as process,
    ):
        await model.hanging.wait()
        (server,) = await asyncio.to_thread(children_of, process.pid)
        process.kill()
        await asyncio.to_thread(await_end_of, server)


def await_end_of(pid: int) -> None:
    """Wait until a process that is not ours to wait for is gone."""
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_a_server_that_dies_leaves_closed_blocks_and_an_exit_code(root):
    model = StubModel(["suggest M1", "suggest M1", Hang(1.0)])
    async with serving(model) as base_url:
        server = local_server(root)
        url = await server.__aenter__()
        async with running(root, API_BASE_URL=base_url, ENV_BASE_URL=url, **MODEL) as process:
            await model.hanging.wait()
            await server.__aexit__(None, None, None)
            blocks, err, code = await finish(process)

    assert code == 1
    assert [block.task for block in blocks] == list(CATALOGUE)
    assert [len(block.steps) for block in blocks] == [2] + [0] * (len(CATALOGUE) - 1)
    assert "broke off" in err


async def test_no_server_at_all_is_an_error_without_lines(root):
    async with running(root, ENV_BASE_URL="http://127.0.0.1:9", **MODEL) as process:
        blocks, err, code = await finish(process)

    assert (blocks, code) == ([], 1)
    assert "cannot play: ConnectionError" in err


async def two_runs(root, **environ) -> list[str]:
    """Return what two runs without credentials print."""
    runs = []
    for _ in range(2):
        async with running(root, **environ) as process:
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        runs.append(out.decode())
    return runs


def check(block) -> None:
    assert block.model == "reference-planner"
    assert 0.01 <= block.score <= 0.99
    assert block.steps[-1].done
    assert sum(line.reward for line in block.steps) == pytest.approx(block.score, abs=0.0055)


async def test_without_credentials_the_reference_planner_plays_alike_twice(root, server_url):
    first, second = await two_runs(root, ENV_BASE_URL=server_url, MOLFORGE_TASK="triage")

    assert first == second
    (block,) = read(first)
    check(block)


@pytest.mark.slow
async def test_without_anything_it_plays_every_task_alike_twice(root):
    first, second = await two_runs(root)

    assert first == second
    blocks = read(first)
    assert [block.task for block in blocks] == list(CATALOGUE)
    assert len({block.score for block in blocks}) > 1
    for block in blocks:
        check(block)
