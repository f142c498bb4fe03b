"""CPU time of a step: ``python benchmarks/steps.py [--seeds N] [--task T] [--check]``.

Plays programmes of every family with design, in this process. Every new molecule is one that no world
has seen before: a random edit of a pool member that passes the gates. Printed per family are the median
and the 99th percentile of the CPU time (``time.process_time``) of

    rdkit    a yardstick of the machine at that moment: RDKit reads and writes the new molecule
             (about 0.16 ms where it has a core to itself)
    new      `design` of one new molecule
    round    `assay` of one new molecule by SMILES: registered, made and read by every ordinary assay
    known    `design` of compounds that are registered already, given as SMILES (four at once)
    reread   `assay` of a compound in hand by one assay

With ``--check`` the exit code is 1 where a median is above its limit.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from rdkit import Chem

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType
from molforge.chem import gates
from molforge.chem.edits import mutate
from molforge.chem.structure import parse
from molforge.landscapes.pool import Pool

LIMITS = {"new": 4.0, "known": 0.3}
"""Milliseconds of CPU, median."""
KINDS = ("rdkit", "new", "round", "known", "reread")
STEPS = 7
"""Of each kind in one programme; 28 of its 30 actions."""


def fresh_molecules(target: str, rng: random.Random) -> Iterator[str]:
    """Yield SMILES that may be made, each an edit of a design of the pool, atoms in random order."""
    pool = Pool.load(target)
    seen: set[str] = set()
    while True:
        edited = mutate(parse(rng.choice(pool.smiles)), rng)
        if edited is not None and edited.identity not in seen and gates.is_makeable(edited):
            seen.add(edited.identity)
            yield edited.smiles


def play(task_id: str, seed: int, times: dict[str, list[float]]) -> None:
    """Play one programme and add the CPU milliseconds of its steps to ``times``."""
    environment = MolforgeEnvironment()
    environment.reset({"task_id": task_id, "seed": seed})
    programme = environment.episode.programme
    fresh = fresh_molecules(programme.targets[0], random.Random(f"{task_id}/{seed}"))
    names = tuple(programme.stage.standard_assay(name).name for name in programme.profile.properties)
    for turn in range(STEPS):
        smiles = next(fresh)
        began = time.process_time_ns()
        Chem.MolToSmiles(Chem.MolFromSmiles(smiles))
        times["rdkit"].append((time.process_time_ns() - began) / 1e6)
        actions = {
            "new": Action(action_type=ActionType.DESIGN, smiles=(smiles,)),
            "round": Action(action_type=ActionType.ASSAY, smiles=(next(fresh),), assays=names),
            "known": Action(action_type=ActionType.DESIGN, smiles=tuple(s.smiles for s in programme.given)),
            "reread": Action(
                action_type=ActionType.ASSAY, compounds=(f"M{turn % 4 + 1}",), assays=names[-1:]
            ),
        }
        for kind, action in actions.items():
            began = time.process_time_ns()
            step = environment.step(action)
            times[kind].append((time.process_time_ns() - began) / 1e6)
            if step.observation["last_action_error"]:
                print(f"{task_id} {kind}: {step.observation['last_action_error']}", file=sys.stderr)


def main() -> int:
    """Measure, print, and say by the exit code whether the limits hold."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=20, help="programmes a family (default %(default)s)")
    arguments.add_argument("--task", choices=tuple(CATALOGUE), help="one family instead of all")
    arguments.add_argument("--check", action="store_true", help="exit 1 where a limit is missed")
    options = arguments.parse_args()
    missed = False
    print(f"{'family':<14}{'step':<9}{'n':>6}{'p50 ms':>9}{'p99 ms':>9}{'limit':>7}{'x rdkit':>9}")
    for task_id in [options.task] if options.task else CATALOGUE:
        environment = MolforgeEnvironment()
        environment.reset({"task_id": task_id, "seed": 0})
        if not environment.episode.programme.designs:
            continue
        times: dict[str, list[float]] = {kind: [] for kind in KINDS}
        play(task_id, 0, {kind: [] for kind in times})  # tables are loaded once a process, not a step
        for seed in range(1, options.seeds + 1):
            play(task_id, seed, times)
        yardstick = statistics.median(times["rdkit"])
        for kind, found in times.items():
            found.sort()
            median, high = statistics.median(found), found[int(0.99 * len(found))]
            limit = LIMITS.get(kind)
            missed |= limit is not None and median > limit
            told = "" if limit is None else f"{limit:g}"
            print(
                f"{task_id:<14}{kind:<9}{len(found):>6}{median:>9.3f}{high:>9.3f}{told:>7}"
                f"{median / yardstick:>9.2f}"
            )
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
