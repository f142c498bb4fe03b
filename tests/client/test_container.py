"""Containers never outlive their clients, whatever docker does: here it is a script that notes its calls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from molforge import container
from molforge.container import Container, ContainerFailed

DOCKER = """#!/bin/sh
echo "$1" >> {log}
case $1 in
    port) echo {address} ;;
    logs) echo "no models here" ;;
    {special}
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch):
    """Return a function that puts a docker on PATH and returns the file of its calls."""

    def make(special: str = "", address: str = "127.0.0.1:9") -> Path:
        log = tmp_path / "calls"
        program = tmp_path / "docker"
        program.write_text(DOCKER.format(log=log, special=special, address=address))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return log

    return make


def calls(log: Path) -> list[str]:
    return log.read_text().split()


def test_a_container_that_does_not_stop_in_time_is_removed_by_force(docker, monkeypatch):
    log = docker("stop) exec sleep 5 ;;")
    monkeypatch.setattr(container, "DOCKER_SECONDS", 0.5)
    one = Container()
    one.start_container("molforge")

    one.stop_container()
    one.stop_container()

    assert calls(log) == ["run", "port", "stop", "rm"]


def test_a_container_that_never_answers_is_removed_and_its_words_are_told(docker):
    log = docker()
    one = Container()
    url = one.start_container("molforge")

    with pytest.raises(ContainerFailed, match="no models here"):
        one.wait_for_ready(url, timeout_s=0.3)

    assert calls(log)[-2:] == ["stop", "rm"]


def test_a_start_that_fails_says_why_and_leaves_nothing(docker):
    log = docker("run) echo 'no such image' >&2; exit 125 ;;")
    one = Container()

    with pytest.raises(ContainerFailed, match="docker run failed: no such image"):
        one.start_container("molforge")
    one.stop_container()

    assert calls(log) == ["run", "stop", "rm"]


def test_without_docker_it_says_so(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ContainerFailed, match="no docker command"):
        Container().start_container("molforge")


async def test_from_docker_image_uses_it(docker, server_url):
    pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")
    from molforge.client import MolforgeEnv

    log = docker(address=server_url.removeprefix("http://"))

    env = await MolforgeEnv.from_docker_image("molforge:latest")
    opening = await env.reset(seed=0)
    await env.close()

    assert opening.observation.seed == 0
    assert calls(log) == ["run", "port", "stop", "rm"]
