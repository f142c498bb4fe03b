"""Imports point one way, and importing the domain is light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import molforge

HEAVY = {"aiohttp", "fastapi", "numpy", "openai", "openenv", "orjson", "pydantic", "rdkit"}
SECONDS = 0.150

PROBE = """
import json, sys, time
before = set(sys.modules)
started = time.perf_counter()
import {modules}
seconds = time.perf_counter() - started
loaded = sorted({{name.split(".")[0] for name in set(sys.modules) - before}})
print(json.dumps({{"seconds": seconds, "loaded": loaded}}))
"""


def probe(modules: str, root: Path) -> dict:
    """Import in a fresh interpreter and say how long it took and what it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(modules=modules)],
        cwd=root, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_the_domain_loads_nothing_heavy(root: Path) -> None:
    loaded = set(probe("molforge, envs, graders", root)["loaded"])

    assert not loaded & HEAVY


def test_the_domain_is_imported_in_a_blink(root: Path) -> None:
    probe("molforge, envs", root)  # byte-compiled

    best = min(probe("molforge, envs", root)["seconds"] for _ in range(5))

    assert best < SECONDS


def test_playing_a_programme_loads_no_web_framework(root: Path) -> None:
    modules = "envs.environment, envs.potency.family, molforge.policies, molforge.landscapes.world"

    loaded = set(probe(modules, root)["loaded"])

    assert not loaded & {"aiohttp", "fastapi", "openai", "openenv", "pydantic"}


def test_the_server_process_never_loads_openenv(root: Path) -> None:
    loaded = set(probe("app.main, app.cli, server.app", root)["loaded"])

    assert "aiohttp" in loaded
    assert not loaded & {"openenv", "openai", "fastapi", "gradio", "pandas"}


def test_only_the_client_mentions_openenv_below_app(root: Path) -> None:
    importing = {
        path.relative_to(root).as_posix()
        for folder in ("molforge", "envs", "graders", "app", "server")
        for path in (root / folder).rglob("*.py")
        for name in imported_names(path)
        if name.split(".")[0] == "openenv"
    }

    assert importing <= {"molforge/client.py"}


def imported_names(path: Path) -> set[str]:
    """Return the modules that a file imports, late imports too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


def test_the_public_names_are_these() -> None:
    assert molforge.__all__ == [
        "Action",
        "ActionType",
        "AgentError",
        "CallerError",
        "Environment",
        "EnvironmentFault",
        "MolforgeError",
        "Phase",
        "Prediction",
        "Step",
        "__version__",
    ]


@pytest.mark.parametrize("name", molforge.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(molforge, name) is not None


def test_modules_stay_readable(root: Path) -> None:
    long = {
        path.relative_to(root).as_posix(): lines
        for folder in ("molforge", "envs", "graders", "app", "server", "tests")
        for path in (root / folder).rglob("*.py")
        if (lines := path.read_text().count("\n")) > 400
    }

    assert not long
