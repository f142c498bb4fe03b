"""The certificate answers exactly the ids that OpenEnv ships."""

from __future__ import annotations

import importlib.util
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_certificate_knows_every_id_and_severity() -> None:
    spec = find_spec("openenv")
    shipped = Path(next(iter(spec.submodule_search_locations))) / "validation/policies/severity-v2.json"
    if not shipped.is_file():
        pytest.skip("this OpenEnv has no severity policy")
    policy = importlib.util.spec_from_file_location("policy", ROOT / "evidence/certificate/policy.py")
    ours = importlib.util.module_from_spec(policy)
    policy.loader.exec_module(ours)

    theirs = {entry["check_id"]: entry["severity"] for entry in json.loads(shipped.read_text())["entries"]}

    assert {name: severity for name, (severity, _) in ours.POLICY.items()} == theirs
    assert len(theirs) == 46
