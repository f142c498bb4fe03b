"""What the README shows is what runs: every block is executed, against one server started as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from envs import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = {tag or language: text for language, tag, text in BLOCK.findall((ROOT / "README.md").read_text())}
ADDRESS = "http://localhost:8000"


def run(command: list[str], cwd: Path, *, seconds: float = 120.0, **environ: str) -> str:
    """Run to the end and return stdout; the error shows what was said."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, timeout=seconds
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def here(text: str, address: str = ADDRESS) -> str:
    """Return a block as it is run here: this interpreter's scripts, this test's address."""
    return text.replace(".venv/bin/", f"{Path(sys.executable).parent}/").replace(ADDRESS, address)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the server as the README says, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = here(BLOCKS["serve"]).strip().replace("8000", str(port))
    log = (tmp_path_factory.mktemp("server") / "server.log").open("w+")
    with log, subprocess.Popen(command.split(), cwd=ROOT, stderr=log) as server:
        try:
            yield wait_for(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()
            server.wait(10)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 30.0
    while True:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return url
        except OSError:
            assert server.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.05)


def test_every_block_is_executed_by_a_test_below() -> None:
    assert set(BLOCKS) == {"make", "serve", "python", "curl", "agent"}


def test_the_python_block_plays_a_programme(address: str) -> None:
    told = run([sys.executable, "-c", here(BLOCKS["python"], address)], ROOT)

    assert "potency" in told
    assert re.search(r"^M\d+ 0\.\d+ \{'profile': ", told, re.MULTILINE)


def test_the_python_block_has_fifteen_lines_of_code() -> None:
    code = [line for line in BLOCKS["python"].splitlines() if line.strip()]

    assert len(code) <= 15


def test_the_curl_pair_plays_on_in_its_session(address: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")

    reply = json.loads(run(["bash", "-c", here(BLOCKS["curl"], address)], tmp_path))

    opening = json.loads((tmp_path / "opening.json").read_text())
    assert opening["observation"]["seed"] == 7
    assert reply["observation"]["session_id"] == opening["observation"]["session_id"]
    assert {reading["compound"] for reading in reply["observation"]["readings"]} == {"M1", "M2", "M3"}


def test_the_make_targets_exist() -> None:
    commands = [line.split("#")[0].split() for line in BLOCKS["make"].splitlines()]

    for command in commands:
        assert command[0] == "make"
        run([*command, "--dry-run"], ROOT)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_make_run_plays_every_family() -> None:
    told = run(["make", "--no-print-directory", "run"], ROOT, seconds=300.0)

    for task in CATALOGUE:
        assert f"[START] task={task}" in told
    assert told.count("[END]") == told.count("[START]") >= 3


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_agent_block_prints_only_its_lines() -> None:
    told = run(["bash", "-c", here(BLOCKS["agent"])], ROOT, seconds=300.0)

    assert all(re.match(r"\[(START|STEP|END)\] ", line) for line in told.splitlines())
    assert told.count("[END]") == told.count("[START]") >= 3
