"""Checks of files: manifest, pins, image, layout."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from evidence.certificate.bench import Bench, Outcome, Verdict
from molforge.errors import EnvironmentFault

MAX_ORACLE_TOLERANCE, MIN_FLOOR_MARGIN, MAX_EPISODE_SECONDS = 0.1, 0.1, 3600.0
"""Bounds of the policy."""
LABELS = ("title", "description", "version", "licenses")
FILES = ("openenv.yaml", "Dockerfile", "server/app.py", "README.md", "LICENSE", "uv.lock", "pyproject.toml")
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)")


def manifest(bench: Bench) -> Outcome:
    """The manifest names the environment, its tasks, graders that can be called, and sane bounds."""
    found, wrong = bench.manifest, []
    wrong += [key for key in ("name", "version", "description", "tasks", "validation") if not found.get(key)]
    reward = found.get("validation", {}).get("reward", {})
    low, high = (reward.get("range") or [0.0, 0.0])[:2]
    if not low < high:
        wrong.append("reward range")
    if not reward.get("oracle_tolerance", 1.0) <= MAX_ORACLE_TOLERANCE:
        wrong.append("oracle tolerance")
    if not reward.get("floor_margin", 0.0) >= MIN_FLOOR_MARGIN:
        wrong.append("floor margin")
    for task in found.get("tasks", []):
        module, _, name = str(task.get("grader")).partition(":")
        try:
            if not callable(getattr(import_module(module), name, None)):
                wrong.append(f"grader of {task.get('id')}")
        except (ImportError, ValueError):
            wrong.append(f"grader of {task.get('id')}")
    told = f"{len(found.get('tasks', []))} tasks with graders; wrong: {', '.join(wrong) or 'nothing'}"
    return Outcome.of(not wrong, told)


def pins(bench: Bench, name: str = "requirements-server.txt") -> dict[str, str]:
    """Return distribution to pinned version."""
    matches = (_PIN.match(line) for line in bench.read(name).splitlines())
    return {match[1].lower().replace("_", "-"): match[2] for match in matches if match}


def reproducible_build(bench: Bench) -> Outcome:
    """The image installs a list in which every line is one version with its hashes, and names no host."""
    text, dockerfile = bench.read("requirements-server.txt"), bench.read("Dockerfile")
    listed = pins(bench)
    hashed = text.count("--hash=sha256:") >= len(listed) > 0
    strict = "--require-hashes" in dockerfile
    hosts = re.findall(r"https?://", text + dockerfile.replace("http://127.0.0.1", ""))
    figure = f"{len(listed)} pins, all hashed: {hashed}; hashes required: {strict}; hosts named: {len(hosts)}"
    return Outcome.of(hashed and strict and not hosts, figure)


def image_hygiene(bench: Bench) -> Outcome:
    """The image runs as an ordinary user, is built from a list of what belongs in it, and holds no secret."""
    dockerfile, ignore = bench.read("Dockerfile"), bench.read(".dockerignore")
    user = re.findall(r"^USER\s+(\S+)", dockerfile, re.MULTILINE)
    ordinary = bool(user) and not user[-1].startswith(("0", "root"))
    listed = re.search(r"^\*$", ignore, re.MULTILINE) is not None
    secret = re.search(r"^(ENV|ARG)\s.*(TOKEN|SECRET|PASSWORD|API_KEY)", dockerfile, re.MULTILINE)
    figure = (
        f"user {user[-1] if user else 'root'}, allow-list: {listed}, secrets in layers: {secret is not None}"
    )
    return Outcome.of(ordinary and listed and secret is None, figure)


def layout(bench: Bench) -> Outcome:
    """The files that tools look for are there, the entry has a main, and nothing is a symbolic link."""
    missing = [name for name in FILES if not (bench.root / name).is_file()]
    entry = "def main(" in bench.read("server/app.py")
    folders = ("molforge", "graders", "envs", "app", "server", "redteam", "evidence")
    links = [p for f in folders for p in (bench.root / f).rglob("*") if p.is_symlink()]
    figure = f"{len(FILES) - len(missing)} of {len(FILES)} files, main: {entry}, symbolic links: {len(links)}"
    return Outcome.of(not missing and entry and not links, figure)


def sbom(bench: Bench) -> Outcome:
    """The list of what the image installs is complete and is what runs here: name, version, hashes."""
    listed, wrong = pins(bench), []
    for name, pinned in listed.items():
        try:
            if version(name) != pinned:
                wrong.append(name)
        except PackageNotFoundError:
            wrong.append(name)
    needed = {name for name in ("aiohttp", "numpy", "orjson", "pydantic", "rdkit") if name not in listed}
    figure = (
        f"{len(listed)} components; not as installed: {', '.join(wrong) or 'none'}; missing: {len(needed)}"
    )
    return Outcome.of(not wrong and not needed and bool(listed), figure, components=listed)


def oci_labels(bench: Bench) -> Outcome:
    """The image carries title, description, version and licences, the version being the project's."""
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', bench.read("Dockerfile")))
    missing = [name for name in LABELS if not labels.get(name)]
    same = labels.get("version") == str(bench.manifest.get("version"))
    return Outcome.of(
        not missing and same, f"missing: {', '.join(missing) or 'none'}; version agrees: {same}"
    )


def resource_declaration(bench: Bench) -> Outcome:
    """CPU, memory, disk and time are declared."""
    declared = _resources(bench)
    names = ("cpu", "memory_mb", "disk_mb", "episode_timeout_s")
    missing = [
        name for name in names if not isinstance(declared.get(name), int | float) or declared[name] <= 0
    ]
    return Outcome.of(not missing, ", ".join(f"{n} {declared.get(n)}" for n in names))


def timeout_ceiling(bench: Bench) -> Outcome:
    """The declared time of an episode is below the policy's ceiling."""
    seconds = float(_resources(bench).get("episode_timeout_s", 0.0))
    return Outcome.of(0.0 < seconds <= MAX_EPISODE_SECONDS, f"{seconds:g} s; at most {MAX_EPISODE_SECONDS:g}")


def dependency_pinning(bench: Bench) -> Outcome:
    """Server, client and development lists pin one version each and agree."""
    lists = [
        pins(bench, name) for name in ("requirements-server.txt", "requirements.txt", "requirements-dev.txt")
    ]
    loose = 0
    for name in ("requirements-server.txt", "requirements.txt", "requirements-dev.txt"):
        rows = [r for r in bench.read(name).splitlines() if re.match(r"[A-Za-z0-9]", r)]
        loose += sum(_PIN.match(row) is None for row in rows)
    server, client, full = lists
    agree = bool(server) and server.items() <= client.items() <= full.items()
    return Outcome.of(
        agree and not loose, f"{', '.join(str(len(e)) for e in lists)} pins, loose: {loose}, agree: {agree}"
    )


def task_distribution_pinning(bench: Bench) -> Outcome:
    """What programmes are drawn from is fixed: every artefact opens and matches the checksum inside it."""
    from molforge.landscapes import artefact

    folder, damaged = bench.root / "molforge" / "landscapes" / "data", []
    files = sorted(folder.glob("*.mfl"))
    for path in files:
        try:
            artefact.read(path)
        except EnvironmentFault:
            damaged.append(path.name)
    figure = f"{len(files)} artefacts, damaged: {', '.join(damaged) or 'none'}"
    return Outcome.of(bool(files) and not damaged, figure)


def _resources(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.manifest.get("validation", {}).get("resources", {})
    return found


def not_here(why: str) -> Outcome:
    """Return that a check does not apply, and why."""
    return Outcome(verdict=Verdict.NOT_HERE, figure=why)
