"""Intervals that cross-validation asks for, where the marginal likelihood is too sure of itself.

Solubility, for one, is measured with heavier tails than a normal: 90 % intervals made with the likelihood's
noise hold fewer. The noise of a *measurement* is then stated wider, until intervals do what they say on
compounds of frameworks that were left out. Only the training part is used, nothing is ever narrowed, and the
model of the property itself is as the likelihood wants it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from molforge.chem.structure import Structure, framework
from molforge.landscapes.training.fit import NORMAL_90, Fit

Floats = npt.NDArray[np.float64]

WANTED = 0.90
FOLDS = 5
_STEP = 1.05
_STEPS = 20


def folds(structures: Sequence[Structure]) -> npt.NDArray[np.int64]:
    """Deal compounds into five parts, those of one generic framework together."""
    frameworks = [framework(each).encode() for each in structures]
    dealt = [hashlib.blake2b(each, person=b"fold").digest()[0] % FOLDS for each in frameworks]
    return np.array(dealt, np.int64)


def widening(fitted: Fit, values: Floats, part: npt.NDArray[np.int64]) -> float:
    """Return the factor, 1 or more in steps of 5 %, by which the stated noise must exceed the likelihood's.

    Args:
        fitted: A fit; its decoys, if any, are never left out.
        values: The measurements behind it.
        part: Fold of each measured compound.
    """
    errors, variances = _left_out(fitted, values, part)
    for power in range(_STEPS):
        factor = _STEP**power
        widths = NORMAL_90 * np.sqrt(variances + fitted.noise * factor**2)
        if (errors <= widths).mean() >= WANTED:
            break
    return factor


def _left_out(fitted: Fit, values: Floats, part: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return error and variance, noise not included, of each compound predicted without its fold."""
    decoys = len(fitted.table) - len(values)
    residuals = np.concatenate([values, np.full(decoys, fitted.decoy_value)]) - fitted.prior_mean
    folded = np.concatenate([part, np.full(decoys, -1)])
    errors, variances = np.empty(len(values)), np.empty(len(values))
    for fold in np.unique(part).tolist():
        out, kept = folded == fold, folded != fold
        cross = fitted.covariance[np.ix_(out, kept)]
        sides = np.column_stack([residuals[kept], cross.T])
        solved = np.linalg.solve(fitted.covariance[np.ix_(kept, kept)], sides)
        errors[part == fold] = np.abs(cross @ solved[:, 0] - residuals[out])
        own = np.diag(fitted.covariance)[out] - fitted.noise
        variances[part == fold] = np.maximum(own - (cross * solved[:, 1:].T).sum(1), 0)
    return errors, variances
