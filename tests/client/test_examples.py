"""Every example is run as its first lines say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, env=None, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here():
    here = Path(__file__).read_text()
    examples = {path.name for path in EXAMPLES.iterdir() if path.is_file()}
    assert examples
    assert all(f'"{name}"' in here for name in examples)


def test_the_async_example_plays_to_a_score(server_url, monkeypatch):
    pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    told = run(sys.executable, str(EXAMPLES / "play_async.py"), server_url)

    assert "Target product profile" in told
    assert told.splitlines()[-1].startswith("score 0.")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_curl_example_keeps_its_session(server_url):
    session, step, state = run(str(EXAMPLES / "play_curl.sh"), server_url).splitlines()

    assert len(json.loads(step)["observation"]["suggestions"]) == 8
    assert json.loads(state)["step_count"] == 1
    assert session == f"session {json.loads(state)['session_id']}"
