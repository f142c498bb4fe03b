"""Checks of meaning: oracle, floor, leaks, graders, replay."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from statistics import fmean

from evidence.certificate.bench import CANARIES, Bench, Outcome
from evidence.certificate.runtime import _molforge
from evidence.certificate.static import not_here
from molforge.evaluation.match import Row
from molforge.evaluation.table import paired
from redteam import channels
from redteam.channels import Veil, opened, play, some_actions
from redteam.measure import NEAR

ORACLE = 0.92
"""What the reference plan scores at least, in every programme."""
LEAK_SEEDS = 3


def scores(rows: list[Row], policy: str, task: str | None = None) -> list[float]:
    """Return the scores of a policy."""
    return [row.score for row in rows if row.policy == policy and task in (None, row.task)]


def oracle_max(bench: Bench) -> Outcome:
    """The oracle, which plays the reference plan, comes within the declared tolerance of the maximum."""
    tolerance = float(bench.manifest["validation"]["reward"]["oracle_tolerance"])
    found = scores(bench.rows, "witness")
    needed = max(ORACLE, 1.0 - tolerance)
    good = min(found) >= needed
    per_task = {task: min(scores(bench.rows, "witness", task)) for task in bench.tasks}
    worst = ", ".join(f"{task} {value:.3f}" for task, value in per_task.items())
    return Outcome.of(good, f"lowest {min(found):.3f}, needed {needed:.2f} ({worst})", episodes=len(found))


def floor_gap(bench: Bench) -> Outcome:
    """The oracle stands above doing nothing by more than the declared margin, in every family."""
    margin = float(bench.manifest["validation"]["reward"]["floor_margin"])
    gaps = {
        task: fmean(scores(bench.rows, "witness", task)) - fmean(scores(bench.rows, "noop", task))
        for task in bench.tasks
    }
    least = min(gaps.values())
    return Outcome.of(
        least > margin, f"smallest gap {least:.3f}, margin {margin:g}", episodes=2 * bench.programmes
    )


def canary_floor(bench: Bench) -> Outcome:
    """Policies that do nothing sensible earn no more than random play and two standard errors, anywhere."""
    found: dict[str, float] = {}
    for task in bench.tasks:
        for canary in CANARIES:
            gap = paired([row for row in bench.rows if row.task == task], canary, "random")
            if gap is None:
                return not_here("a standard error takes two programmes: --programmes")
            found[f"{canary} in {task}"] = gap.value / (gap.error or 1e-9)
    worst = max(found, key=lambda name: found[name])
    above = [f"{name} {excess:+.1f}" for name, excess in found.items() if excess > NEAR]
    figure = f"largest excess over random, paired, {found[worst]:+.1f} standard errors ({worst})"
    if above:
        figure += f"; above {NEAR:g}: {', '.join(above)}"
    count = sum(row.policy in ("random", *CANARIES) for row in bench.rows)
    return Outcome.of(not above, figure, episodes=count)


def no_solution_leakage(bench: Bench) -> Outcome:
    """Change every hidden value that was not measured: no message before the last changes by a byte."""
    differing = episodes = 0
    for task in bench.tasks:
        for seed in range(LEAK_SEEDS):
            programme = opened(task, seed)
            plain, measured = play(programme, some_actions(seed))
            other, _ = play(replace(programme, world=Veil(programme.world, measured)), some_actions(seed))
            differing += plain[:-2] != other[:-2]
            episodes += 1
    asked = channels.what_free_actions_ask()
    return Outcome.of(
        differing == 0 and asked.held,
        f"{differing} of {episodes} episodes differ; {asked.detail}",
        episodes=2 * episodes,
    )


def verifier_determinism(bench: Bench) -> Outcome:
    """Each grader gives a recorded episode the recorded score, again and again, to the bit."""
    wrong = graded = 0
    for task in bench.manifest["tasks"]:
        module, _, name = task["grader"].partition(":")
        grade = getattr(import_module(module), name)
        for case in json.loads(bench.read(f"graders/cases/{task['id']}.json")):
            found = {(grade(case["episode"]).value, str(grade(case["episode"]).parts)) for _ in range(3)}
            wrong += len(found) != 1 or abs(next(iter(found))[0] - case["score"]) > 1e-12
            graded += 1
    return Outcome.of(
        wrong == 0 and graded > 0, f"{graded - wrong} of {graded} recorded episodes", episodes=graded
    )


_PORTABLE = """
import json, sys
from importlib import import_module
task, entry, path = sys.argv[1:]
module, _, name = entry.partition(":")
grade = getattr(import_module(module), name)
cases = json.load(open(path))
scores = [grade(case["episode"]).value for case in cases]
heavy = sorted({m.split(".")[0] for m in sys.modules} & {"rdkit", "numpy", "aiohttp", "openenv", "pydantic"})
print(json.dumps([scores, heavy]))
"""


def verifier_portability(bench: Bench) -> Outcome:
    """Graders run in a bare interpreter, with the standard library alone, and score the same."""
    wrong: list[str] = []
    for task in bench.manifest["tasks"]:
        path = bench.root / "graders" / "cases" / f"{task['id']}.json"
        done = subprocess.run(
            [sys.executable, "-c", _PORTABLE, task["id"], task["grader"], str(path)],
            cwd=bench.root,
            env={"PYTHONPATH": str(bench.root), "PYTHONHASHSEED": "99"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            wrong.append(task["id"])
            continue
        found, heavy = json.loads(done.stdout)
        wanted = [case["score"] for case in json.loads(path.read_text())]
        if heavy or any(abs(a - b) > 1e-12 for a, b in zip(found, wanted, strict=True)):
            wrong.append(task["id"])
    return Outcome.of(
        not wrong, f"wrong or heavy: {', '.join(wrong) or 'none'}", episodes=len(bench.manifest["tasks"])
    )


def resource_envelope(bench: Bench) -> Outcome:
    """A whole programme, policy and environment together, takes far less than the declared time."""
    declared = float(bench.manifest["validation"]["resources"]["episode_timeout_s"])
    slowest = max(bench.rows, key=lambda row: row.wall_seconds)
    figure = f"slowest {slowest.wall_seconds:.1f} s ({slowest.policy} in {slowest.task}) of {declared:g} s"
    return Outcome.of(slowest.wall_seconds < declared, figure, episodes=len(bench.rows))


def replayability(bench: Bench) -> Outcome:
    """Every episode in the server's journal plays again to the same replies."""
    assert bench.episodes
    done = _molforge("replay", str(bench.folder / "journal.db"))
    line = (done.stdout.strip().splitlines() or [done.stderr.strip()[-200:]])[-1]
    return Outcome.of(done.returncode == 0 and not line.startswith("0 "), line, episodes=len(bench.episodes))
