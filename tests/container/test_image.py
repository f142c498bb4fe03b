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

from envs import CATALOGUE

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
HARDENED = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=256",
    "--memory=8g",
)
VALIDATOR = (
    "--user=65532:65532",
    "--network=none",
    "--memory=1536m",
    "--memory-swap=1536m",
    "--cpus=2",
    "--init",
)
"""As openenv's validator starts it, with less memory."""
TMP = "--tmpfs=/tmp:rw,nosuid,nodev,size=448m,mode=1777"
"""The validator gives this too: projections of the pools find their place there."""
START_SECONDS = 30.0
HEALTHY_CPU_SECONDS = 5.0
"""Of all processes until /health answers: on two free processors that is less than five seconds."""
SIZE_MB = 400
STOP_SECONDS = 5.0


@pytest.fixture(scope="session")
def image() -> str:
    name = os.environ.get("IMAGE")
    if not name:
        pytest.skip("IMAGE names no image: `make container` builds one and runs this")
    return name


def docker(*arguments: str, seconds: float = 120.0) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=seconds
    )
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


PLAY_EVERYTHING = """
import json, time, urllib.error, urllib.request
def call(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    request = urllib.request.Request("http://127.0.0.1:8000" + path, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=100) as reply:
        return json.load(reply), reply.headers.get("X-Session-ID")
for _ in range(300):
    try:
        call("/health")
        break
    except OSError:
        time.sleep(0.1)
played = {}
for task in call("/tasks")[0]["tasks"]:
    opening, session = call("/reset", {"task_id": task["task_id"], "seed": 1})
    menu = [line["assay"] for line in opening["observation"]["brief"]["menu"]]
    action = {"action_type": "assay", "compounds": ["M1"], "assays": menu[:2]}
    call("/step", {"action": action}, X_Session_ID=session)
    end, _ = call("/step", {"action": {"action_type": "nominate", "compound": "M1"}}, X_Session_ID=session)
    played[task["task_id"]] = end["done"]
print(json.dumps(played))
"""


@pytest.mark.parametrize("options", [[TMP], []], ids=["with /tmp", "with no place to write"])
def test_every_family_is_played_in_the_tightest_container(image: str, options: list[str]) -> None:
    container = Running.__new__(Running)
    container.name = docker("run", "--detach", *HARDENED[:4], *VALIDATOR, *options, image)
    began = time.monotonic()
    try:
        played = json.loads(docker("exec", container.name, "python", "-c", PLAY_EVERYTHING, seconds=500.0))
        seconds = time.monotonic() - began
        state = json.loads(docker("inspect", "--format", "{{json .State}}", container.name))
        memory = docker("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", container.name)
    finally:
        container.remove()

    print(f"{len(played)} families in {seconds:.0f} s; memory and processes: {memory}")
    assert list(played) == list(CATALOGUE)
    assert all(played.values())
    assert (state["Running"], state["OOMKilled"]) == (True, False)


CPU_SECONDS = """
import os
ticks = os.sysconf("SC_CLK_TCK")
used = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) != os.getpid():
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        used += sum(map(int, fields[11:15])) / ticks
print(used)
"""


def test_health_answers_soon(start: Callable[..., Running]) -> None:
    container = start(*HARDENED, "--cpus=2")

    seconds = container.healthy()
    used = float(docker("exec", container.name, "python", "-c", CPU_SECONDS))

    print(f"healthy after {seconds:.1f} s, {used:.1f} s of processor time")
    assert used <= HEALTHY_CPU_SECONDS


def test_the_image_is_small_labelled_and_holds_no_secrets(image: str) -> None:
    base = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (image, base)]
    about = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))
    names = " ".join([*about["Env"], *about["Labels"]]).lower()

    assert sizes[0] - sizes[1] <= SIZE_MB * 1e6
    assert {"org.opencontainers.image.title", "org.opencontainers.image.version"} <= set(about["Labels"])
    assert about["Healthcheck"]["Test"]
    assert (about["User"], about.get("Volumes")) == ("1000:1000", None)
    assert not re.search(r"token|secret|password|index.url|_proxy", names)


def test_server_runs_as_uid_1000_and_carries_no_build_tools(start: Callable[..., Running]) -> None:
    container = start()
    container.healthy()

    assert docker("exec", container.name, "python", "-c", "import os; print(os.getuid())") == "1000"
    names = ("pip", "setuptools", "wheel", "ensurepip", "openenv", "openai", "pytest", "mypy")
    code = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"
    assert docker("exec", container.name, "python", "-c", code) == "[]"
    tools = "for tool in gcc cc make git pip pip3 curl uv; do command -v $tool; done; true"
    assert docker("exec", container.name, "sh", "-c", tools) == ""


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
