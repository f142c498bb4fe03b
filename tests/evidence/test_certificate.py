"""The certificate passes on this project, and every check that passes fails on a planted defect."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.certificate import checks, report, semantic, statistical
from evidence.certificate.bench import CANARIES, Bench, Outcome, Verdict
from evidence.certificate.checks import CHECKS
from molforge.evaluation import provenance
from molforge.evaluation.match import Row
from tests.evidence.planted import KEEPS_WRONGLY, PRELUDES

NEVER_HERE = {"hub.layer_isolation", "hub.cosign_signature"}
FILES = (
    "openenv.yaml", "Dockerfile", ".dockerignore", "README.md", "LICENSE", "uv.lock", "pyproject.toml",
    "requirements.txt", "requirements-server.txt", "requirements-dev.txt", "server/app.py",
)  # fmt: skip
STATIC_DEFECTS = {
    "static.manifest": ("openenv.yaml", "graders.triage:grade", "graders.triage:no_such_function"),
    "static.reproducible_build": ("Dockerfile", "--require-hashes", ""),
    "static.image_hygiene": ("Dockerfile", "USER 1000:1000", "USER root"),
    "static.layout": ("server/app.py", "def main(", "def start("),
    "static.sbom": ("requirements-server.txt", "aiohttp==3", "aiohttp==2"),
    "static.oci_labels": ("Dockerfile", 'image.version="0', 'image.version="9'),
    "static.resource_declaration": ("openenv.yaml", "memory_mb: ", "memory: "),
    "static.timeout_ceiling": ("openenv.yaml", "episode_timeout_s: ", "episode_timeout_s: 9"),
    "static.dependency_pinning": ("requirements.txt", "aiohttp==", "aiohttp>="),
    "hub.immutable_versioning": ("openenv.yaml", "version: 0.", "version: 7."),
}


def fails(outcome: Outcome) -> bool:
    """Say whether a check came to its end and failed; one that breaks off has noticed nothing."""
    return outcome.verdict is Verdict.FAIL and "broke off" not in outcome.figure


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """A copy of the files that static checks read."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "graders", tmp_path / "graders")
    return tmp_path


@pytest.mark.parametrize(
    "name", [n for n in CHECKS if n.startswith("static.")] + ["hub.immutable_versioning"]
)
def test_static_check_passes(root: Path, name: str) -> None:
    with Bench(root) as bench:
        outcome = CHECKS[name](bench)

    assert outcome.verdict is Verdict.PASS, outcome.figure


@pytest.mark.parametrize("name", STATIC_DEFECTS)
def test_static_check_notices(project: Path, name: str) -> None:
    file, old, new = STATIC_DEFECTS[name]
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))

    with Bench(project) as bench:
        outcome = CHECKS[name](bench)

    assert fails(outcome), outcome.figure


def test_distribution_pinning_notices_a_flipped_bit(root: Path, tmp_path: Path) -> None:
    data = tmp_path / "molforge" / "landscapes" / "data"
    data.mkdir(parents=True)
    content = bytearray((root / "molforge/landscapes/data/logd.mfl").read_bytes())
    content[len(content) // 2] ^= 1
    (data / "logd.mfl").write_bytes(bytes(content))

    with Bench(tmp_path) as bench:
        assert fails(CHECKS["static.task_distribution_pinning"](bench))


# --- a server at work -----------------------------------------------------------------------------

SERVED = [
    name
    for name in CHECKS
    if name.startswith("runtime.")
    or name in ("semantic.replayability", "hub.time_to_first_work", "hub.cross_host_determinism")
]


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(Path(__file__).resolve().parents[2], tasks=("triage", "potency")) as bench:
        yield bench


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", SERVED)
def test_check_of_a_server_passes(served: Bench, name: str) -> None:
    outcome = CHECKS[name](served)

    expected = Verdict.NOT_HERE if name == "hub.cross_host_determinism" else Verdict.PASS
    assert outcome.verdict is expected, outcome.figure


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", PRELUDES)
def test_check_of_a_server_notices(root: Path, name: str) -> None:
    task = "potency" if name == "runtime.oracle_containment" else "triage"  # in triage the witness is given
    with Bench(root, tasks=(task,), prelude=PRELUDES[name]) as bench:
        outcome = CHECKS[name](bench)

    assert fails(outcome), outcome.figure


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("change", ["reward=entry.reward + 0.01", "message={}", "done=True"])
def test_trajectory_record_notices_one_step_that_is_kept_wrongly(root: Path, change: str) -> None:
    with Bench(root, tasks=("triage",), prelude=KEEPS_WRONGLY.format(change=change)) as bench:
        outcome = CHECKS["runtime.trajectory_record"](bench)

    assert outcome.figure == "0 of 2 episodes exported whole"
    assert fails(outcome)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "prelude"),
    [
        (
            "runtime.network_policy",
            "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))",
        ),
        ("runtime.host_containment", "open('/var/tmp/molforge-was-here', 'w').close()"),
    ],
)
def test_watched_check_notices(root: Path, name: str, prelude: str) -> None:
    with Bench(root, prelude=prelude) as bench:
        assert fails(CHECKS[name](bench))
    Path("/var/tmp/molforge-was-here").unlink(missing_ok=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_resource_bounds_and_first_work_notice(served: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(served.manifest["validation"]["resources"], "memory_mb", 16)
    monkeypatch.setattr(checks, "FIRST_WORK_SECONDS", 0.0)

    assert fails(CHECKS["runtime.resource_bounds"](served))
    assert fails(CHECKS["hub.time_to_first_work"](served))


# --- meaning and statistics, on matches made by hand ----------------------------------------------

TASKS = ("triage", "potency")
USUAL = {"noop": 0.01, "random": 0.05, "greedy": 0.4, "planner": 0.7, "witness": 0.96}
SCRIPTS = dict.fromkeys(CANARIES, 0.01)


def match(task: str, seed: int, policy: str, score: float) -> Row:
    return Row(
        task=task, split="test", seed=seed, policy=policy, score=score, rewards=score, steps=3, refused=0,
        made=1, readings=4, spent=30.0, ending="nominated", cpu_seconds=1.0, wall_seconds=1.0,
    )  # fmt: skip


def bench_of(root: Path, **changed: float) -> Bench:
    bench = Bench(root, tasks=TASKS)
    scores = {**USUAL, **SCRIPTS, **changed}
    bench.rows = [
        match(task, seed, policy, min(0.99, score + 0.01 * (seed % 3)) if policy != "noop" else score)
        for task in TASKS
        for seed in range(12)
        for policy, score in scores.items()
    ]
    return bench


@pytest.mark.parametrize(
    ("name", "defect"),
    [
        pytest.param("semantic.oracle_max", {"witness": 0.8}, id="oracle-fails"),
        pytest.param("semantic.floor_gap", {"noop": 0.9}, id="doing-nothing-pays"),
        pytest.param("semantic.canary_floor", {"wait": 0.3}, id="waiting-pays"),
        pytest.param("statistical.headroom", {"planner": 0.95}, id="solved"),
        pytest.param("statistical.reward_reachability", {"greedy": 0.0}, id="nothing-to-find"),
    ],
)
def test_check_on_matches_passes_and_notices(root: Path, name: str, defect: dict[str, float]) -> None:
    assert CHECKS[name](bench_of(root)).verdict is Verdict.PASS
    assert fails(CHECKS[name](bench_of(root, **defect)))


def test_resource_envelope_notices_a_slow_match(root: Path) -> None:
    bench = bench_of(root)
    assert CHECKS["semantic.resource_envelope"](bench).verdict is Verdict.PASS

    bench.rows = [replace(bench.rows[0], wall_seconds=900.0), *bench.rows]

    assert fails(CHECKS["semantic.resource_envelope"](bench))


def test_difficulty_and_variance_notice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def matches(self: Bench, policies: object, programmes: int, **arguments: float) -> list[Row]:
        hardness = arguments.get("difficulty", 0.0)
        luck = (arguments.get("noise_seed", 0) % 2) * swing
        return [
            match(t, s, "greedy", 0.5 - slope * hardness + luck + 0.01 * s) for t in TASKS for s in range(6)
        ]

    monkeypatch.setattr(Bench, "matches", matches)
    bench = Bench(root, tasks=TASKS)
    slope, swing = 0.3, 0.1
    assert statistical.difficulty_separation(bench).verdict is Verdict.PASS
    assert statistical.variance_bound(bench).verdict is Verdict.PASS

    slope, swing = 0.0, 0.95

    assert statistical.difficulty_separation(bench).verdict is Verdict.FAIL
    assert statistical.variance_bound(bench).verdict is Verdict.FAIL


def test_verifier_checks_notice_a_moody_grader(
    root: Path, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    with Bench(root) as bench:
        assert semantic.verifier_determinism(bench).verdict is Verdict.PASS
        assert semantic.verifier_portability(bench).verdict is Verdict.PASS
    cases = project / "graders" / "cases" / "triage.json"
    content = json.loads(cases.read_text())
    content[0]["score"] = 0.123
    cases.write_text(json.dumps(content))
    grader = project / "graders" / "potency.py"
    grader.write_text(grader.read_text() + "\nimport numpy  # heavy\n")

    with Bench(project) as bench:
        assert semantic.verifier_determinism(bench).verdict is Verdict.FAIL
        found = semantic.verifier_portability(bench)
    assert found.verdict is Verdict.FAIL
    assert "triage" in found.figure


def test_no_solution_leakage_notices_a_quote_that_knows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from molforge.laboratory import Laboratory

    plain = Laboratory._register

    def leaking(self, found):
        compound = plain(self, found)
        compound.make_price += round(0.1 * self.programme.world.values(found)["potency"], 2)
        return compound

    bench = Bench(root, tasks=("potency",))
    monkeypatch.setattr("redteam.channels.CATALOGUE", {"potency": None})
    assert semantic.no_solution_leakage(bench).verdict is Verdict.PASS

    monkeypatch.setattr(Laboratory, "_register", leaking)

    assert semantic.no_solution_leakage(bench).verdict is Verdict.FAIL


LEARNT = {
    "stamp": provenance.stamp(),
    "episodes": 9,
    "end": {t: {"mean": 0.5} for t in "abc"},
    "greedy": {t: {"mean": g} for t, g in zip("abc", (0.4, 0.6, 0.7), strict=True)},
    "rise": {t: {"in_errors": 5.0} for t in "abc"},
    "control_rise": {t: {"in_errors": 0.3} for t in "abc"},
}
ATTACKED = {
    "stamp": provenance.stamp(),
    "probes": [{"probe": "latency", "held": True}],
    "policies": [
        {
            "attack": "stop",
            "task": "a",
            "rank": "empty",
            "outcome": "held",
            "programmes": 5,
            "gap": -0.1,
            "paired": 5,
        },
        {
            "attack": "guess",
            "task": "a",
            "rank": "skilled",
            "outcome": "held",
            "programmes": 5,
            "gap": -0.2,
            "paired": 5,
        },
    ],
}


def test_checks_of_published_figures_pass_and_notice(tmp_path: Path) -> None:
    (tmp_path / "docs/figures").mkdir(parents=True)
    names = ("statistical.training_signal", "statistical.adversarial_floor", "statistical.gameability_gap")

    def verdicts(learnt: object, attacked: object) -> list[Verdict]:
        (tmp_path / statistical.LEARNING).write_text(json.dumps(learnt))
        (tmp_path / statistical.RED_TEAM).write_text(json.dumps(attacked))
        return [CHECKS[name](Bench(tmp_path)).verdict for name in names]

    assert [CHECKS[name](Bench(tmp_path)).verdict for name in names] == [Verdict.NOT_HERE] * 3
    assert verdicts(LEARNT, ATTACKED) == [Verdict.PASS] * 3
    control = {**LEARNT, "control_rise": {"a": {"in_errors": 4.0}}}
    first, second = ATTACKED["policies"]
    paying = {**ATTACKED, "policies": [{**first, "outcome": "open"}, {**second, "outcome": "open"}]}
    assert verdicts(control, paying) == [Verdict.FAIL] * 3
    below = {**LEARNT, "end": {t: {"mean": 0.3} for t in "abc"}}
    near = {**ATTACKED, "probes": [], "policies": [first, {**second, "outcome": "near"}]}
    assert verdicts(below, near) == [Verdict.FAIL] * 3
    assert verdicts({**LEARNT, "control_rise": {}}, {**ATTACKED, "stamp": "older"}) == [Verdict.FAIL] * 3
    assert verdicts({**LEARNT, "stamp": "older"}, ATTACKED)[0] is Verdict.FAIL


def test_every_passing_check_has_a_planted_defect() -> None:
    elsewhere = {
        "static.task_distribution_pinning", "runtime.trajectory_record", "runtime.network_policy",
        "runtime.host_containment", "runtime.resource_bounds", "semantic.oracle_max",
        "semantic.floor_gap", "semantic.canary_floor", "semantic.no_solution_leakage",
        "semantic.verifier_determinism", "semantic.verifier_portability", "semantic.resource_envelope",
        "statistical.reward_reachability", "statistical.difficulty_separation", "statistical.headroom",
        "statistical.variance_bound", "statistical.training_signal", "statistical.adversarial_floor",
        "statistical.gameability_gap", "hub.time_to_first_work",
    }  # fmt: skip

    assert {*STATIC_DEFECTS, *PRELUDES, *elsewhere, *NEVER_HERE} == set(CHECKS)


def test_the_report_says_everything(root: Path) -> None:
    with Bench(root, tasks=TASKS) as bench:
        found = {name: CHECKS[name](bench) for name in ("static.manifest", "hub.cosign_signature")}
        told, page = report.markdown(found), report.page(found, bench)

    assert "`static.manifest`" in told
    assert "does not apply" in json.dumps(report.as_json(found))
    assert "<table>" in page
    assert "http" not in page


def test_the_report_has_pictures_of_what_was_played(root: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: `make evidence` has it")
    with Bench(root, tasks=("potency",), programmes=2, planner_programmes=2) as bench:
        rows = bench.matches(["noop", "random", "greedy", "planner", "witness"], 2)
        vars(bench)["rows"] = rows
        curve = Outcome.of(True, "falls", difficulty=[0.0, 1.0], score=[0.5, 0.3], error=[0.1, 0.1])
        drawn = report.pictures({"statistical.difficulty_separation": curve}, bench)

    assert len(drawn) == 2
    assert all(f"<!-- {name} -->" in drawn[0] for name in ("potency", "planner", "witness"))
    assert "<!-- difficulty -->" in drawn[1]
