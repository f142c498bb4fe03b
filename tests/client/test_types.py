"""The client's models are the server's; importing them is cheap and leaves OpenEnv whole."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from molforge.client import MolforgeAction, MolforgeObservation, MolforgeState

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"action": MolforgeAction, "observation": MolforgeObservation, "state": MolforgeState}
_WORDS = {"title", "description", "additionalProperties"}


def shape(schema, definitions):
    """Return names, types, limits and defaults: the schema without its words, references filled in."""
    if isinstance(schema, list):
        return [shape(entry, definitions) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return shape(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    if "properties" in schema:
        fields = {name: shape(field, definitions) for name, field in schema["properties"].items()}
        return {"fields": fields, "required": sorted(schema.get("required", []))}
    return {name: shape(value, definitions) for name, value in schema.items() if name not in _WORDS}


@pytest.mark.parametrize("name", MODELS)
def test_the_models_have_the_shape_of_the_servers(server_url, name):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{server_url}/schema") as reply:
        served = json.load(reply)[name]
    ours = MODELS[name].model_json_schema()
    assert shape(ours, ours.get("$defs", {})) == shape(served, served.get("$defs", {}))


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_client_loads_no_server():
    run(
        "import sys, molforge.client\n"
        "heavy = {'gradio', 'pandas', 'fastapi', 'fastmcp', 'rdkit', 'aiohttp'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


@pytest.mark.slow  # loads gradio and pandas, as that import does
def test_a_full_import_of_openenv_before_or_after_gives_the_same_classes():
    run(
        "import importlib.metadata, sys\n"
        "import molforge.client as light\n"
        "from openenv.core import Action, EnvClient, SyncEnvClient\n"
        "from openenv.core.env_server import Observation, State\n"
        "def check(ours):\n"
        "    assert issubclass(ours.MolforgeAction, Action)\n"
        "    assert issubclass(ours.MolforgeObservation, Observation)\n"
        "    assert issubclass(ours.MolforgeState, State)\n"
        "    assert issubclass(ours.MolforgeEnv, EnvClient)\n"
        "    assert isinstance(ours.MolforgeEnv(base_url='http://localhost').sync(), SyncEnvClient)\n"
        "check(light)\n"
        "core = sys.modules['openenv.core']\n"
        "del sys.modules['molforge.client']\n"
        "import molforge.client as after\n"
        "check(after)\n"
        "assert sys.modules['openenv.core'] is core\n"
        # a release this was never tried with is imported in the plain way
        "for name in [name for name in sys.modules if name.startswith('openenv')] + ['molforge.client']:\n"
        "    del sys.modules[name]\n"
        "installed = importlib.metadata.version\n"
        "importlib.metadata.version = lambda name: '99.0' if 'openenv' in name else installed(name)\n"
        "import molforge.client\n"
        "assert 'openenv.core' in sys.modules"
    )


def test_without_openenv_the_error_names_the_two_choices():
    told = run(
        "import sys; sys.modules['openenv'] = None\n"
        "try:\n    import molforge.client\nexcept ImportError as why:\n    print(why)"
    )
    assert "pip install openenv-core`" in told
    assert "pip install openenv`" in told
