"""What somebody who holds the package, but not the secret, can work out for free.

The target is recognised by the given structures, its models and reference pool are read from the package,
and worlds of one's own are drawn with other keys. ``Beliefs`` are draws of every property of every reference
design, conditioned on readings by Matheron's rule with covariances taken over those draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from envs.family import roles_of
from molforge.chem.series import Series
from molforge.chem.structure import Structure, parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.catalogue import TARGETS
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World
from molforge.policies.logbook import Logbook
from molforge.policies.objectives import Floats, Profile

OWN_WORLDS = 200
SHRINKAGE = 20
"""Off-diagonal covariances are estimated from few worlds: they are pulled towards zero by this part of one
over their number."""


def recognise(smiles: Sequence[str]) -> str:
    """Return the target whose pool holds the given compounds."""
    identities = {parse(text).smiles for text in smiles}
    for target in TARGETS:
        if identities <= set(Pool.load(target).smiles):
            return target
    raise EnvironmentFault("the given compounds lie in no shipped pool")


def is_claimed(log: Logbook, structure: Structure) -> bool:
    """Say whether a structure lies inside the claim on the lead, where the family has one."""
    if not log.programme.startswith("hop/"):
        return False
    return _series(log.compounds["M1"].smiles).covers(structure)


@lru_cache(maxsize=8)
def _series(lead: str) -> Series:
    return Series(parse(lead))


def expected(profile: Profile, worlds: Mapping[str, Floats]) -> Floats:
    """Return the mean over worlds of the desirability of each design."""
    mean: Floats = profile.desirability(worlds).mean(axis=0)
    return mean


def own_worlds(target: str, properties: Sequence[str], count: int = OWN_WORLDS) -> dict[str, Floats]:
    """Return property to values, shape (count, designs), over worlds of one's own."""
    return {role: _drawn(target, role, model, count) for role, model in roles_of(properties, target).items()}


@lru_cache(maxsize=48)
def _drawn(target: str, role: str, model: str, count: int) -> Floats:
    pool = Pool.load(target)
    keys = (hashlib.sha256(f"own world {number}".encode()).digest() for number in range(count))
    return np.stack([pool.values(World({role: model}, key=key))[role] for key in keys])


def conditioned(draws: Floats, rows: Sequence[int], means: Floats, variances: Floats, seed: int) -> Floats:
    """Return draws given readings of some designs.

    Args:
        draws: Shape (worlds, designs).
        rows: Designs that were read.
        means: Their estimates.
        variances: Of the estimates.
        seed: Of the noise that the draws' own readings get.
    """
    if not rows:
        return draws
    centred = draws - draws.mean(axis=0)
    kept = 1.0 - SHRINKAGE / len(draws)
    cross = centred.T @ centred[:, rows] / (len(draws) - 1)
    among = cross[rows] * kept
    among[np.diag_indices(len(rows))] = cross[rows].diagonal() + variances
    noise = np.random.default_rng(seed).standard_normal((len(draws), len(rows))) * np.sqrt(variances)
    gain = np.linalg.solve(among, cross.T * kept)
    return np.asarray(draws + (means - draws[:, rows] - noise) @ gain, dtype=np.float64)
