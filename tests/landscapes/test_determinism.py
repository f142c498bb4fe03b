"""Hidden values must be the same bits whatever linear algebra computes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, json
from types import SimpleNamespace
from molforge.landscapes.model import Sighting
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World

pool = Pool.load("fxa")
roles = {"potency": "fxa", "anti_target": "thrombin_anti", "logd": "logd", "solubility": "solubility",
         "hlm": "hlm", "off_target": "off_target"}
digest = hashlib.sha256()
structures = [SimpleNamespace(tokens=tokens) for tokens in pool.tokens[:60]]
for key in (b"1", b"2", b"3"):
    world = World(roles, key=key)
    for draw in map(world.draw, roles):
        digest.update(draw.vector.tobytes())
        for structure in structures[:10]:
            sighting = Sighting(structure.tokens)
            deviation = draw.landscape.deviation(sighting, draw.weights, draw.vector)
            digest.update(f"{deviation} {draw.landscape.centre(sighting)}".encode())
    for structure in structures:
        digest.update(json.dumps(world.values(structure)).encode())
    for values in pool.values(World({"potency": "fxa", "logd": "logd"}, key=key)).values():
        digest.update(values.tobytes())
print(digest.hexdigest())
"""

MACHINES = [
    pytest.param({"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Haswell"}, id="haswell-two-threads"),
    pytest.param({"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Nehalem"}, id="nehalem"),
    pytest.param(
        {"OPENBLAS_NUM_THREADS": "1", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX2 FMA3"},
        id="no-vectors",
    ),
]


@pytest.fixture(scope="module")
def here(root: Path) -> str:
    return _digest(root, {"OPENBLAS_NUM_THREADS": "1"})


@pytest.mark.parametrize("machine", MACHINES)
def test_values_are_the_same_bits(here: str, root: Path, machine: dict[str, str]) -> None:
    assert _digest(root, machine) == here


def _digest(root: Path, machine: dict[str, str]) -> str:
    environment = {**os.environ, **machine, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()
