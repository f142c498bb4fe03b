"""``molforge play``: a reference policy through a server of its own."""

from __future__ import annotations

import re
import subprocess
import sys

from envs import CATALOGUE
from tests.app.harness import ROOT

START = re.compile(r"\[START\] task=\w+ env=molforge model=noop-policy")
STEP = re.compile(r"\[STEP\] step=\d+ action=\{.*\} reward=-?\d\.\d\d done=(true|false) error=.+")
END = re.compile(r"\[END\] success=(true|false) steps=\d+ score=\d\.\d{3} rewards=[-\d.,]+")


def test_every_family_is_played_and_summed_up_in_a_table() -> None:
    command = [sys.executable, "-m", "app.cli", "play", "--policy", "noop", "--all"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)

    lines, table = played.stdout.split("\n\n")[:2]
    blocks = lines.splitlines()
    assert len(blocks) == 3 * len(CATALOGUE)
    for number, pattern in enumerate((START, STEP, END) * len(CATALOGUE)):
        assert pattern.fullmatch(blocks[number]), blocks[number]
    assert [row.split()[0] for row in table.splitlines()[2:]] == list(CATALOGUE)


def test_a_server_that_is_not_there_is_named_and_ends_1() -> None:
    command = [sys.executable, "-m", "app.cli", "play", "--base-url", "http://127.0.0.1:1"]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    assert played.returncode == 1
    assert "127.0.0.1:1" in played.stderr
    assert "Traceback" not in played.stderr
