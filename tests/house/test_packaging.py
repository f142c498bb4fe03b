"""The lists of pins, the versions and openenv.yaml tell one story."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

import molforge
from envs import CATALOGUE

LISTS = ("requirements.txt", "requirements-server.txt", "requirements-dev.txt")


def pins(text: str) -> dict[str, str]:
    """Return name -> ``version ; marker`` of a pinned list."""
    rows = (line.removesuffix("\\").strip() for line in text.splitlines() if re.match(r"[a-z0-9]", line))
    return dict(row.split("==", 1) for row in rows)


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def manifest(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "openenv.yaml").read_text())


def test_smaller_lists_hold_the_versions_of_the_larger(root: Path) -> None:
    full = pins((root / "requirements-dev.txt").read_text())
    client = pins((root / "requirements.txt").read_text())
    server = pins((root / "requirements-server.txt").read_text())

    assert client.items() <= full.items()
    assert server.items() <= client.items()


def test_the_constraints_are_the_pins(root: Path, project: dict[str, Any]) -> None:
    listed = dict(row.split("==", 1) for row in project["tool"]["uv"]["constraint-dependencies"])

    full = pins((root / "requirements.txt").read_text())
    chosen = {*pins((root / "requirements-server.txt").read_text()), "openai", "openenv-core"}
    assert listed == {name: full[name] for name in chosen}


@pytest.mark.parametrize("name", LISTS)
def test_every_pin_has_hashes_and_no_list_names_an_index(root: Path, name: str) -> None:
    text = (root / name).read_text()

    assert text.count("--hash=sha256:") >= len(pins(text))
    assert not re.search(r"index-url|find-links|https?://", text)


def test_the_image_installs_neither_openenv_nor_openai(root: Path) -> None:
    server = pins((root / "requirements-server.txt").read_text())

    assert not server.keys() & {"openenv", "openenv-core", "openai", "fastapi", "gradio", "pandas", "scipy"}


def test_every_runtime_dependency_is_pinned(root: Path, project: dict[str, Any]) -> None:
    rows = [row for row in project["project"]["dependencies"] if "extra" not in row]

    wanted = {re.split(r"[^A-Za-z0-9_-]", row)[0] for row in rows}

    assert wanted <= pins((root / "requirements-server.txt").read_text()).keys()


def test_the_lock_holds_only_the_project(root: Path, project: dict[str, Any]) -> None:
    lock = tomllib.loads((root / "uv.lock").read_text())

    assert [package["name"] for package in lock["package"]] == ["openenv-molforge"]
    assert lock["package"][0]["version"] == project["project"]["version"]
    assert lock["requires-python"] == project["project"]["requires-python"]


def test_one_version_everywhere(root: Path, project: dict[str, Any], manifest: dict[str, Any]) -> None:
    version = project["project"]["version"]

    assert molforge.__version__ == version
    assert manifest["version"] == version
    assert f'image.version="{version}"' in (root / "Dockerfile").read_text()
    assert f"## {version}" in (root / "CHANGELOG.md").read_text()


def test_the_manifest_lists_the_catalogue(manifest: dict[str, Any]) -> None:
    listed = {task["id"]: task for task in manifest["tasks"]}

    assert list(listed) == list(CATALOGUE)
    for task_id, spec in CATALOGUE.items():
        assert listed[task_id]["title"] == spec.title
        assert listed[task_id]["description"] == spec.description
        assert listed[task_id]["difficulty"] == spec.level
        assert listed[task_id]["max_steps"] == spec.max_steps
        assert listed[task_id]["grader"] == spec.grader


def test_the_manifest_has_no_app_for_uvicorn(manifest: dict[str, Any]) -> None:
    assert "app" not in manifest
    assert manifest["name"] == "molforge"


def test_the_probe_plan_fits_the_wire(root: Path, manifest: dict[str, Any]) -> None:
    from app.wire import ActionMessage

    plan = json.loads((root / manifest["validation"]["execution"]["probe_path"]).read_text())

    for action in plan["actions"]:
        ActionMessage.model_validate(action)


@pytest.mark.parametrize("task_id", CATALOGUE)
def test_every_grader_can_be_called_by_its_name(manifest: dict[str, Any], task_id: str) -> None:
    task = next(task for task in manifest["tasks"] if task["id"] == task_id)
    module, name = task["grader"].split(":")

    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("task_id", CATALOGUE)
def test_every_grader_grades_its_recordings(root: Path, manifest: dict[str, Any], task_id: str) -> None:
    task = next(task for task in manifest["tasks"] if task["id"] == task_id)
    module, name = task["grader"].split(":")
    grade = getattr(import_module(module), name)
    cases = json.loads((root / "graders" / "cases" / f"{task_id}.json").read_text())

    for case in cases:
        assert grade(case["episode"]).value == pytest.approx(case["score"], abs=1e-12)
    assert {case["case"] for case in cases} >= {"reference_plan", "stopped"}


def test_a_python_that_is_asked_for_and_cannot_be_used_is_an_error(root: Path) -> None:
    done = subprocess.run(
        ["bash", "scripts/venv.sh", "run", ".cache/none/.venv"],
        cwd=root,
        env={**os.environ, "PYTHON": "/nowhere/python3.13"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "/nowhere/python3.13 is not" in done.stderr
