"""All 46 ids of the severity policy v2, what each asks for in our own words, and who answers it.

The ids and severities are those of ``openenv/validation/policies/severity-v2.json`` in OpenEnv 0.10.0; the
words are ours, since most ids have no grader there yet. A test compares the list with the package's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evidence.certificate import runtime, semantic, static, statistical
from evidence.certificate.bench import Bench, Outcome
from redteam.servers import post

Run = Callable[[Bench], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One id."""

    id: str
    severity: str
    """Of the policy: fail, warn or advisory."""
    asks: str
    run: Run

    @property
    def method(self) -> str:
        """What is run, in one sentence."""
        return (getattr(self.run, "__doc__", None) or "Nothing.").strip().splitlines()[0]


def _elsewhere(why: str) -> Run:
    def run(_: Bench) -> Outcome:
        """Nothing: a project cannot show it."""
        return static.not_here(why)

    return run


def _hub_hosts(bench: Bench) -> Outcome:
    """The same episodes on a server process with another hash seed and another number of BLAS threads."""
    found = runtime.episode_determinism(bench)
    figure = f"other hosts are not at hand; other processes: {found.figure}"
    return Outcome(verdict=found.verdict, figure=figure, episodes=found.episodes)


def _first_work(bench: Bench) -> Outcome:
    """Time from asking for a programme to the first step's answer, on a server that is up."""
    import time

    url = bench.server.url
    began = time.monotonic()
    opened = post(f"{url}/reset", {"task_id": "potency", "seed": 4})
    action = {"action": {"action_type": "assay", "compounds": ["M1"], "assays": ["logd"]}}
    answer = post(f"{url}/step", action, **{"X-Session-ID": opened.headers.get("X-Session-ID", "")})
    seconds = time.monotonic() - began
    good = opened.status == answer.status == 200 and seconds < FIRST_WORK_SECONDS
    return Outcome.of(good, f"{seconds:.2f} s; at most {FIRST_WORK_SECONDS:g}", episodes=1)


def _version(bench: Bench) -> Outcome:
    """Manifest, package and image label carry one version; figures carry it with the artefacts' digests."""
    import molforge
    from molforge.evaluation import provenance

    told = {str(bench.manifest.get("version")), molforge.__version__}
    label = f'image.version="{molforge.__version__}"' in bench.read("Dockerfile")
    return Outcome.of(len(told) == 1 and label, f"{', '.join(sorted(told))}; stamp {provenance.stamp()}")


FIRST_WORK_SECONDS = 20.0
_STATIC: Mapping[str, tuple[str, str]] = {
    "manifest": ("fail", "a manifest that tools can read, with graders and bounds"),
    "reproducible_build": ("fail", "the same sources build the same image"),
    "image_hygiene": ("warn", "an image without root, secrets and clutter"),
    "layout": ("warn", "files where tools look for them"),
    "sbom": ("fail", "a complete list of what is inside"),
    "oci_labels": ("fail", "an image that says what it is"),
    "resource_declaration": ("fail", "declared needs"),
    "timeout_ceiling": ("fail", "episodes that end in time"),
    "dependency_pinning": ("fail", "one version of every dependency"),
    "task_distribution_pinning": ("fail", "tasks drawn from something that does not change"),
}
_RUNTIME: Mapping[str, tuple[str, str]] = {
    "startup": ("fail", "a server that starts"),
    "reward_well_formed": ("fail", "finite rewards in the declared range"),
    "rubric_introspectable": ("warn", "a score whose parts can be looked at"),
    "observation_schema": ("fail", "observations as declared"),
    "state_contract": ("fail", "state that keeps id and count"),
    "trajectory_record": ("warn", "a record of what happened"),
    "reward_attribution": ("warn", "rewards that can be traced to what earned them"),
    "tool_declaration_accuracy": ("fail", "tools that are what they say"),
    "task_declaration_accuracy": ("fail", "tasks that are what is declared"),
    "seed_control": ("fail", "seeds that decide"),
    "episode_determinism": ("fail", "the same again, given seed and actions"),
    "network_policy": ("fail", "no network"),
    "host_containment": ("fail", "no hands on the host"),
    "resource_bounds": ("fail", "needs within what is declared"),
    "episode_isolation": ("fail", "episodes that do not touch each other"),
    "oracle_containment": ("fail", "a solution that stays hidden"),
}
_SEMANTIC: Mapping[str, tuple[str, str]] = {
    "oracle_max": ("fail", "an oracle that reaches the maximum"),
    "floor_gap": ("fail", "an oracle far above doing nothing"),
    "canary_floor": ("fail", "nothing for nothing"),
    "no_solution_leakage": ("fail", "no hint of the solution in what is told"),
    "verifier_determinism": ("fail", "a grader that always says the same"),
    "verifier_portability": ("fail", "a grader that runs anywhere"),
    "resource_envelope": ("fail", "episodes within their time"),
    "replayability": ("fail", "episodes that can be played again"),
}
_STATISTICAL: Mapping[str, tuple[str, str]] = {
    "reward_reachability": ("fail", "reward that ordinary play can find"),
    "difficulty_separation": ("fail", "harder settings that are harder"),
    "headroom": ("warn", "room above the best reference"),
    "variance_bound": ("fail", "luck that does not rule"),
    "training_signal": ("advisory", "something to learn"),
    "adversarial_floor": ("fail", "nothing for cheats"),
    "gameability_gap": ("warn", "honest play above clever guessing"),
}


def _group(prefix: str, module: object, rows: Mapping[str, tuple[str, str]]) -> list[Check]:
    return [
        Check(id=f"{prefix}.{name}", severity=severity, asks=asks, run=getattr(module, name))
        for name, (severity, asks) in rows.items()
    ]


def _hub(name: str, severity: str, asks: str, run: Run) -> Check:
    return Check(id=f"hub.{name}", severity=severity, asks=asks, run=run)


_ALL = (
    *_group("static", static, _STATIC),
    *_group("runtime", runtime, _RUNTIME),
    *_group("semantic", semantic, _SEMANTIC),
    _hub(
        "layer_isolation",
        "warn",
        "image layers that hide nothing",
        _elsewhere("needs a registry with the image's layers"),
    ),
    _hub("time_to_first_work", "warn", "a quick first answer", _first_work),
    _hub(
        "cosign_signature",
        "warn",
        "a signed image",
        _elsewhere("an image is signed by whoever publishes it, in the registry"),
    ),
    _hub("cross_host_determinism", "fail", "the same on another machine", _hub_hosts),
    _hub("immutable_versioning", "fail", "a version that means one thing", _version),
    *_group("statistical", statistical, _STATISTICAL),
)

CHECKS: Mapping[str, Check] = MappingProxyType({check.id: check for check in _ALL})
REGISTRY_ONLY = ("hub.layer_isolation", "hub.cosign_signature")
