"""A slice of ``molforge faults`` and ``molforge bench``: real servers, real harm, in seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.bench.figures import Target, cuts, plot
from app.cli import main
from app.commands.faults import SCENARIOS
from app.faults.verdict import Verdict, table
from tests.app.harness import ROOT

SLICE = ("worker-kills", "full-disk", "read-only", "intruders", "aborts", "sigterm")


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own: what it does to servers is none of pytest's."""
    words = (sys.executable, "-m", "app.cli", *words)
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=550)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SLICE)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    ended = command("faults", "--only", name, "--share", "0.05", "--out", str(tmp_path))

    [verdict] = json.loads((tmp_path / "faults.json").read_text())["verdicts"]
    assert ended.returncode == 0, verdict
    assert verdict["figures"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_bench_measures_and_writes_figures_table_and_picture(tmp_path: Path) -> None:
    size = ("--sessions", "4", "--steps", "2000", "--runs", "1", "--workers", "1", "--out", str(tmp_path))
    for part in ("trivial", "single"):
        ended = command("bench", "--part", part, *size)
        assert ended.returncode == 0, ended.stderr

    found = json.loads((tmp_path / "bench.json").read_text())
    assert list(found) == ["trivial", "single"], "a part that was measured before stays"
    [own] = found["trivial"]["runs"]["molforge, 1 workers"]
    assert own["success"] == 100.0
    assert 0 < own["step_p50"] <= own["step_p95"] <= own["step_p99"]
    assert own["cpu_us"] > 0
    assert "| molforge, 1 workers |" in (tmp_path / "bench.md").read_text()
    assert (tmp_path / "bench-trivial.svg").read_text().startswith("<svg")


def test_figure_out_of_bounds_or_trouble_makes_a_verdict_bad() -> None:
    verdict = Verdict(scenario="x")
    verdict.note("lost", 0, most=0)
    assert verdict.is_good
    verdict.note("right", 4, least=5)
    assert not verdict.is_good
    assert "right 4 (>= 5) !!" in table([verdict])
    assert not Verdict(scenario="y", trouble="broken off").is_good


def test_page_has_a_row_for_every_scenario() -> None:
    page = (ROOT / "docs" / "faults.md").read_text()

    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(SCENARIOS)


def test_unknown_scenario_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--only", "fire"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in SCENARIOS)


def test_columns_and_pictures() -> None:
    assert cuts([n / 100 for n in range(100)]) == {50: 0.5, 95: 0.95, 99: 0.99}
    assert cuts([]) == {50: 0.0, 95: 0.0, 99: 0.0}
    assert plot("t", {"molforge": 2.0, "a<b": 1.0}, "us").count("<rect") == 3
    assert "NO" in str(Target(name="n", value=1.0, must="<= 0", is_reached=False))
