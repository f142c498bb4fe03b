"""The built wheel, installed in a clean environment, serves; it owns one name in site-packages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path, **options: Any) -> str:
    """Run to the end and return stdout; the error shows what was said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=500, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` folder of an environment with nothing in it."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    return folder / "venv" / "bin"


@pytest.fixture(scope="module")
def wheel(root: Path, clean: Path) -> Path:
    out = clean.parent.parent
    run(clean / "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, root, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, root: Path, clean: Path) -> Path:
    """Return the ``bin`` folder of an environment that holds the wheel and the server's pins alone."""
    install = (clean / "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*install, "--require-hashes", "-r", root / "requirements-server.txt", cwd=wheel.parent)
    run(*install, "--no-deps", wheel, cwd=wheel.parent)
    return clean


def clean_environment(installed: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {**kept, "PATH": f"{installed}:{kept['PATH']}"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[str]:
    """Return the address of a server started from the wheel, outside the checkout."""
    port = free_port()
    with subprocess.Popen(
        [installed / "molforge", "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd=tmp_path, env=clean_environment(installed),
    ) as server:  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            assert server.wait(10) == 0


def wait_for(url: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_the_wheel_owns_one_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"molforge"}
    assert "molforge/_bundle/app/main.py" in names
    assert "molforge/_bundle/envs/__init__.py" in names
    assert "molforge/_bundle/graders/__init__.py" in names
    assert "molforge/py.typed" in names
    assert "molforge/openenv.yaml" in names  # where AutoEnv reads name and description
    assert any(name.startswith("molforge/landscapes/data/") for name in names)


def test_a_plain_install_brings_neither_client_nor_agent(installed: Path, tmp_path: Path) -> None:
    names = ("openenv", "openai", "app", "envs")
    code = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"

    found = run(installed / "python", "-c", code, cwd=tmp_path, env=clean_environment(installed))

    assert found.strip() == "[]"


def test_the_client_without_openenv_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "python", "-c", "import molforge.client"],
        cwd=tmp_path, env=clean_environment(installed), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "openenv-core" in done.stderr
    assert "openenv" in done.stderr.replace("openenv-core", "")


def test_the_installed_server_answers_the_space_ping(served: str) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{served}/reset", data=b"{}", headers=headers)

    with urllib.request.urlopen(request, timeout=30) as reply:
        body = json.load(reply)

    assert reply.status == 200
    assert body["observation"]["compounds"]


def test_the_installed_command_line_lists_its_commands(installed: Path, tmp_path: Path) -> None:
    told = run(installed / "molforge", "--help", cwd=tmp_path, env=clean_environment(installed))

    for command in ("serve", "play", "train-landscapes"):
        assert command in told


def test_the_installed_command_line_plays(installed: Path, tmp_path: Path) -> None:
    command = (installed / "molforge", "play", "--task", "triage", "--policy", "random")

    told = run(*command, cwd=tmp_path, env=clean_environment(installed))

    assert "[START] task=triage" in told
    assert "[END]" in told
