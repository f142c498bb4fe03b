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

from molforge.chem.structure import parse
from molforge.errors import EnvironmentFault
from molforge.landscapes.catalogue import ANTI, TARGETS
from molforge.landscapes.pool import Pool
from molforge.landscapes.world import World
from molforge.policies.objectives import Floats, Profile

OWN_WORLDS = 200
SHRINKAGE = 0.1
"""Off-diagonal covariances are estimated from few worlds: they are pulled towards zero by this part."""


def recognise(smiles: Sequence[str]) -> str:
    """Return the target whose pool holds the given compounds."""
    identities = {parse(text).smiles for text in smiles}
    for target in TARGETS:
        if identities <= set(Pool.load(target).smiles):
            return target
    raise EnvironmentFault("the given compounds lie in no shipped pool")


def models_of(roles: Sequence[str], target: str) -> dict[str, str]:
    """Return property to model."""
    models = {"potency": target, "anti_target": ANTI.get(target, "")}
    return {role: models.get(role, role) for role in roles}


def expected(profile: Profile, worlds: Mapping[str, Floats]) -> Floats:
    """Return the mean over worlds of the desirability of each design."""
    mean: Floats = profile.desirability(worlds).mean(axis=0)
    return mean


@lru_cache(maxsize=4)
def own_worlds(target: str, roles: tuple[tuple[str, str], ...]) -> Mapping[str, Floats]:
    """Return property to values, shape (worlds, designs), over worlds of one's own."""
    pool = Pool.load(target)
    keys = (hashlib.sha256(f"own world {number}".encode()).digest() for number in range(OWN_WORLDS))
    worlds = [pool.values(World(dict(roles), key=key)) for key in keys]
    return {role: np.stack([world[role] for world in worlds]) for role, _ in roles}


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
    cross = centred.T @ centred[:, rows] / (len(draws) - 1)
    among = cross[rows] * (1.0 - SHRINKAGE)
    among[np.diag_indices(len(rows))] = cross[rows].diagonal() + variances
    noise = np.random.default_rng(seed).standard_normal((len(draws), len(rows))) * np.sqrt(variances)
    gain = np.linalg.solve(among, cross.T * (1.0 - SHRINKAGE))
    return np.asarray(draws + (means - draws[:, rows] - noise) @ gain, dtype=np.float64)
