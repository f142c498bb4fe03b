"""docs/use-it-from: every block runs as it stands, against one server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.app.harness import process

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "use-it-from"
ADDRESS = "http://localhost:8000"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    found = BLOCK.findall((FOLDER / page).read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def run(command: list[str], cwd: Path) -> str:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with process("server.app") as (_, url, _):
        yield url


def play(page: str, address: str, cwd: Path) -> list[str]:
    return [played(text, address, cwd) for text in blocks(page, "python")]


def played(program: str, address: str, cwd: Path) -> str:
    return run([sys.executable, "-c", program.replace(ADDRESS, address)], cwd)


def test_every_page_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    for page in FOLDER.glob("*.md"):
        assert f'"{page.name}"' in here
        assert page.name == "README.md" or f"]({page.name})" in index


@pytest.mark.parametrize("page", ["python-async.md", "python-sync.md"])
def test_the_clients_play(page: str, address: str, tmp_path: Path) -> None:
    pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

    told = play(page, address, tmp_path)

    assert len(told) == len(blocks(page, "python")) > 0
    assert all(told)


def test_curl_plays_to_a_grade(address: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    (script,) = blocks("curl.md", "bash")

    grade = json.loads(run(["bash", "-e", "-c", script.replace(ADDRESS, address)], tmp_path))

    assert json.loads((tmp_path / "state.json").read_text())["step_count"] == 1
    assert json.loads((tmp_path / "end.json").read_text())["observation"]["score"] == grade["score"]


def test_a_raw_socket_plays(address: str, tmp_path: Path) -> None:
    (told,) = play("websocket.md", address, tmp_path)

    assert told.splitlines()[-2:] == ["error VALIDATION_ERROR", "1"]


def test_the_official_mcp_client_plays(address: str, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="the official MCP client is not installed")
    (settings,) = blocks("mcp.md", "json")
    newer, older = blocks("mcp.md", "python")

    told = played(older if version("mcp").startswith("1.") else newer, address, tmp_path)

    assert told.splitlines()[-1].startswith("score 0.")
    assert json.loads(settings)["mcpServers"]["molforge"]["url"] == f"{ADDRESS}/mcp"


def test_the_mcp_page_names_the_release_that_each_example_needs() -> None:
    page = (FOLDER / "mcp.md").read_text(encoding="utf-8")
    before = BLOCK.split(page)[::3]
    newer, older = blocks("mcp.md", "python")

    compile(newer, "mcp.md", "exec")
    compile(older, "mcp.md", "exec")
    assert ("mcp>=2" in before[1], "release 1" in before[2]) == (True, True)
    assert ("import Client\n" in newer, "import ClientSession\n" in older) == (True, True)


def test_the_docker_page_is_well_formed() -> None:
    for script in blocks("docker.md", "bash"):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for program in blocks("docker.md", "python"):
        compile(program, "docker.md", "exec")


@pytest.mark.container
@pytest.mark.timeout(900)
def test_docker_builds_runs_and_plays() -> None:
    if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode:
        pytest.skip("no container engine answers here")
    for script in blocks("docker.md", "bash"):
        done = subprocess.run(["bash", "-e", "-c", script], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    for program in blocks("docker.md", "python"):
        assert "score" in run([sys.executable, "-c", program], ROOT)
