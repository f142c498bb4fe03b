"""The image as an operator runs it. ``make container`` builds it and names it in ``IMAGE``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

HARDENED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=256",
    "--memory=8g",
)
START_SECONDS = 30.0
STOP_SECONDS = 5.0


@pytest.fixture(scope="session")
def image() -> str:
    name = os.environ.get("IMAGE")
    if not name:
        pytest.skip("IMAGE names no image: `make container` builds one and runs this")
    return name


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stderr}"
    return done.stdout.strip()


class Running:
    """One container of the image, published on a free port of the loopback address."""

    def __init__(self, image: str, *options: str) -> None:
        self.name = docker("run", "--detach", "--publish", "127.0.0.1::8000", *options, image)
        self.url = f"http://{docker('port', self.name, '8000').splitlines()[0]}"

    def healthy(self) -> float:
        """Wait until ``/health`` answers 200 and return the seconds it took."""
        started = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return time.monotonic() - started
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() - started < START_SECONDS, docker("logs", self.name)
                time.sleep(0.1)

    def post(self, path: str, body: object) -> tuple[dict, str]:
        """Return the JSON reply and the session id."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), headers=headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply), reply.headers["X-Session-ID"]

    def remove(self) -> None:
        docker("rm", "--force", self.name)


@pytest.fixture
def start(image: str) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*options: str) -> Running:
        running.append(Running(image, *options))
        return running[-1]

    yield begin
    for container in running:
        container.remove()


def test_hardened_container_answers_health_and_the_space_ping(start: Callable[..., Running]) -> None:
    container = start(*HARDENED)

    container.healthy()
    reply, session = container.post("/reset", {})

    assert reply["observation"]["compounds"]
    assert reply["done"] is False
    assert session


def test_server_runs_as_uid_1000_and_carries_no_build_tools(start: Callable[..., Running]) -> None:
    container = start()
    container.healthy()

    assert docker("exec", container.name, "python", "-c", "import os; print(os.getuid())") == "1000"
    names = ("pip", "openenv", "openai", "pytest")
    code = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"
    assert docker("exec", container.name, "python", "-c", code) == "[]"


def test_any_user_can_run_it(start: Callable[..., Running]) -> None:
    container = start("--user=65532:65532", *HARDENED)

    container.healthy()

    assert container.post("/reset", {"seed": 3})[0]["observation"]["seed"] == 3


def test_stops_on_sigterm_with_an_open_programme(start: Callable[..., Running]) -> None:
    container = start(*HARDENED)
    container.healthy()
    container.post("/reset", {})

    started = time.monotonic()
    docker("stop", "--time", "20", container.name)

    assert time.monotonic() - started < STOP_SECONDS
    assert docker("inspect", "--format", "{{.State.ExitCode}}", container.name) == "0"


def test_inference_plays_through_from_docker_image(image: str, root: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST", "HOME") if name in os.environ}
    before = set(docker("ps", "--all", "--quiet").splitlines())

    done = subprocess.run(
        [sys.executable, "inference.py"],
        cwd=root,
        env={**kept, "LOCAL_IMAGE_NAME": image},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert all(re.match(r"\[(START|STEP|END)\] ", line) for line in lines)
    starts = sum(line.startswith("[START]") for line in lines)
    assert starts >= 3
    assert sum(line.startswith("[END]") for line in lines) == starts
    assert set(docker("ps", "--all", "--quiet").splitlines()) == before
