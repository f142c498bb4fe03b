"""Who answers each id of the policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evidence.certificate import policy, runtime, semantic, static, statistical
from evidence.certificate.bench import Bench, Outcome, Verdict
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

    def __call__(self, bench: Bench) -> Outcome:
        """Run it; a check that breaks off has failed, and says how."""
        try:
            return self.run(bench)
        except Exception as why:  # noqa: BLE001 (the other checks go on)
            return Outcome.of(False, f"broke off: {type(why).__name__}: {why}")

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
    """The same episodes by another process, hash seed and BLAS thread count: what one host can show."""
    found = runtime.episode_determinism(bench)
    verdict = Verdict.FAIL if found.verdict is Verdict.FAIL else Verdict.NOT_HERE
    figure = f"no other host is at hand; other processes: {found.figure}"
    return Outcome(verdict=verdict, figure=figure, episodes=found.episodes)


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
_HUB: Mapping[str, Run] = {
    "layer_isolation": _elsewhere("needs a registry with the image's layers"),
    "time_to_first_work": _first_work,
    "cosign_signature": _elsewhere("an image is signed by whoever publishes it, in the registry"),
    "cross_host_determinism": _hub_hosts,
    "immutable_versioning": _version,
}
_MODULES = {"static": static, "runtime": runtime, "semantic": semantic, "statistical": statistical}


def _answer(name: str) -> Run:
    group, _, short = name.partition(".")
    found: Run = _HUB[short] if group == "hub" else getattr(_MODULES[group], short)
    return found


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        name: Check(id=name, severity=severity, asks=asks, run=_answer(name))
        for name, (severity, asks) in policy.POLICY.items()
    }
)
"""In the order of the report."""
