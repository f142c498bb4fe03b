"""Plays policy attacks beside the reference policies, probes the rest, and judges."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from envs.environment import MolforgeEnvironment
from molforge.contract import Environment
from molforge.evaluation import ladder, provenance
from molforge.evaluation.match import Row
from molforge.evaluation.table import Mean, paired
from molforge.policies import Policy
from redteam import memory
from redteam.attacks import POLICY_ATTACKS, PROBES, Finding, PolicyAttack, Probe, Rank

NEAR = 2.0
"""Gaps of fewer standard errors are near the line."""
FEWEST = 5
"""Programmes below which a gap says nothing."""
BEYOND = ("open", "near")
"""Outcomes of attacks that do not keep their line."""
UNJUDGED = NOT_COMPARED, TOO_FEW = "not compared", "too few"
PLANNER = "planner"
REFERENCES = ("noop", "random", "greedy", PLANNER, "witness")
"""Played beside every attack; the planner on a number of programmes of its own."""


def _attack(name: str, environment: Environment) -> Policy:
    return POLICY_ATTACKS[name](environment)


def factories(names: Iterable[str]) -> dict[str, ladder.PolicyFactory]:
    """Return factories of attacks and reference policies by name."""
    known: dict[str, ladder.PolicyFactory] = {**ladder.honest(), "witness": memory.witness}
    return {name: known[name] if name in known else partial(_attack, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be measured."""

    tasks: Sequence[str]
    attacks: Sequence[str]
    programmes: int
    planner_programmes: int
    """The planner is dear: it may be played on fewer."""
    near_programmes: int
    """Up to how many are played of an attack that the first ones leave near its line; 0 to leave it there."""
    last_programmes: int
    """Up to how many are played of an attack that was beyond its line on those, too; 0 to leave it there."""
    split: str
    journal: Path | None
    processes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One policy attack on one family."""

    attack: str
    task: str
    score: Mean
    returned: Mean
    """Sum of the rewards."""
    against: str
    gap: Mean | None
    """Attack minus what it is compared with, paired by programme."""
    outcome: str
    """``held``, ``open`` (the attack earns what it ought not), ``near``, ``published``; ``too few``
    programmes or ``not compared``."""


def play(order: Order, progress: Callable[[str], None]) -> list[Row]:
    """Play everything that the journal does not hold yet and return all rows that decide.

    An attack that its first programmes leave near its line is judged on fresh ones alone, up to
    ``near_programmes``; one beyond its line there on fresh ones again, up to ``last_programmes``. Of a
    hundred gaps some are wide by luck, and luck does not last: at two standard errors it opens one of 44
    whose attack is worth just as much as its line says, and two times over one of 1,900.
    """
    rows: list[Row] = []
    run = partial(
        ladder.run,
        MolforgeEnvironment,
        split=order.split,
        journal=order.journal,
        processes=order.processes,
        progress=progress,
        made_with=provenance.stamp(),
    )
    for task in order.tasks:
        wanted = [n for n in order.attacks if task in (POLICY_ATTACKS[n].families or (task,))]
        cheap = factories([*(name for name in REFERENCES if name != PLANNER), *wanted])
        played = run(tasks=[task], seeds=range(order.programmes), policies=cheap)
        played += run(tasks=[task], seeds=range(order.planner_programmes), policies=factories([PLANNER]))
        verdicts, done = judge(played), order.programmes
        stages = ((near_the_line, order.near_programmes), (beyond, order.last_programmes))
        for doubtful, count in stages if order.near_programmes else ():
            names = doubtful(verdicts)
            if names and count > done:
                against = {POLICY_ATTACKS[name].against for name in names}
                policies = factories(sorted({*names, *against}))
                again = run(tasks=[task], seeds=range(done, count), policies=policies)
                played = [row for row in played if row.policy not in names] + again
                verdicts, done = judge(again), count
        rows += played
    return rows


def near_the_line(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the attacks beyond the line of their rank, or less than two standard errors before it."""
    found = []
    for verdict in verdicts:
        gap, rank = verdict.gap, POLICY_ATTACKS[verdict.attack].rank
        if rank is Rank.INFORMED or gap is None or not math.isfinite(gap.error) or gap.error == 0.0:
            continue
        line = -NEAR if rank is Rank.SKILLED else NEAR
        if gap.value > (line - NEAR) * gap.error:
            found.append(verdict.attack)
    return found


def beyond(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the attacks beyond the line of their rank."""
    return [verdict.attack for verdict in verdicts if verdict.outcome in BEYOND]


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Return a verdict for every attack and family that was played."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((row.policy, row.task), []).append(row)
    found = []
    for (policy, task), mine in grouped.items():
        attack = POLICY_ATTACKS.get(policy)
        if attack is None:
            continue
        theirs = grouped.get((attack.against, task), [])
        gap = paired([*mine, *theirs], policy, attack.against)
        found.append(
            Verdict(
                attack=policy,
                task=task,
                score=Mean.of([row.score for row in mine]),
                returned=Mean.of([row.rewards for row in mine]),
                against=attack.against,
                gap=gap,
                outcome=_outcome(attack, gap),
            )
        )
    return found


def _outcome(attack: PolicyAttack, gap: Mean | None) -> str:
    if attack.rank is Rank.INFORMED:
        return "published"
    if gap is None:
        return NOT_COMPARED
    if gap.count < FEWEST:
        return TOO_FEW
    error = gap.error if math.isfinite(gap.error) else 0.0
    if attack.rank is Rank.SKILLED:
        if gap.value < -NEAR * error:
            return "held"
        return "near" if gap.value <= 0 else "open"
    return "held" if gap.value <= NEAR * error + 1e-9 else "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One probe and what it found."""

    probe: Probe
    finding: Finding


def probe_all(names: Sequence[str], progress: Callable[[str], None]) -> list[Probed]:
    """Run probes; one that breaks off has not held."""
    found = []
    for name in names:
        try:
            finding = PROBES[name]()
        except Exception as why:  # noqa: BLE001 (a probe must not end the run, and a broken one has not held)
            finding = Finding(held=False, detail=f"broke off: {type(why).__name__}: {why}")
        progress(f"probe {name}: {'held' if finding.held else 'OPEN'}, {finding.detail}")
        found.append(Probed(probe=PROBES[name], finding=finding))
    return found


def as_json(
    verdicts: Sequence[Verdict], probed: Sequence[Probed], rows: Sequence[Row]
) -> Mapping[str, object]:
    """Return everything as plain values."""
    return {
        **provenance.record(),
        "reference": [
            {"policy": policy, "task": task, **_mean([r.score for r in mine])}
            for (policy, task), mine in _references(rows).items()
        ],
        "policies": [
            {
                "attack": v.attack,
                "claim": POLICY_ATTACKS[v.attack].claim,
                "rank": str(POLICY_ATTACKS[v.attack].rank),
                "task": v.task,
                "score": v.score.value,
                "score_se": v.score.error,
                "return": v.returned.value,
                "programmes": v.score.count,
                "against": v.against,
                "gap": None if v.gap is None else v.gap.value,
                "gap_se": None if v.gap is None else v.gap.error,
                "paired": 0 if v.gap is None else v.gap.count,
                "outcome": v.outcome,
            }
            for v in verdicts
        ],
        "probes": [
            {"probe": p.probe.name, "claim": p.probe.claim, "held": p.finding.held, "found": p.finding.detail}
            for p in probed
        ],
    }


def _references(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.policy not in POLICY_ATTACKS:
            found.setdefault((row.policy, row.task), []).append(row)
    return found


def _mean(values: Sequence[float]) -> dict[str, float | int]:
    mean = Mean.of(values)
    return {"score": mean.value, "score_se": mean.error, "programmes": mean.count}


def save(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON; standard errors of a single programme are null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(content), indent=1) + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
