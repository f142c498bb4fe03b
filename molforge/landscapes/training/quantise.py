"""The posterior's random columns in 8 bits a number.

Plain rounding would be off by 0.7 log units, because a prediction sums thousands of rounding errors of
one sign pattern. Instead each row is rounded in turn and its error is pushed onto the rows not yet
rounded, weighted by how kernel rows correlate, so that errors cancel in every prediction (Frantar et al.
2022, GPTQ; Hassibi and Stork 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from molforge.errors import EnvironmentFault
from molforge.landscapes import minhash
from molforge.landscapes.curves import GRAIN_BITS
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import EXACT_FLOAT32, EXACT_FLOAT64
from molforge.landscapes.training.fit import Fit

Floats = npt.NDArray[np.float64]

_INT8 = 127
_BLOCK = 128
_DAMPING = 1e-3
_NOISE_SEED = 1
_TRIALS = 1000
_WEIGHT_BITS = minhash.WEIGHT_SCALE.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Columns:
    """Rounded columns: ``bank[i, j] * 2**shifts[i]`` grains per unit of integer weight."""

    bank: npt.NDArray[np.int8]
    shifts: npt.NDArray[np.int8]


def columns(fitted: Fit, features: Floats) -> Columns:
    """Make and round the columns of a fit: amplitude A^-1 (prior features + noise).

    One weight drives a prior feature and a noise column together (Matheron's rule, merged columns).
    """
    solved = np.linalg.solve(fitted.covariance, _right_sides(fitted, features))
    exact = np.asarray(fitted.amplitude * solved, np.float64)
    powers = np.frexp(np.abs(exact).max(1) / _INT8)[1].astype(np.int64)
    steps: Floats = np.ldexp(1.0, powers)
    similarities = fitted.similarities
    hessian: Floats = similarities @ similarities / len(similarities)
    hessian[np.diag_indices_from(hessian)] += _DAMPING * np.trace(hessian) / len(hessian)
    bank = shape_errors(exact, steps, hessian)
    shifts = powers + GRAIN_BITS - _WEIGHT_BITS
    if shifts.min() < 0:
        raise EnvironmentFault("columns too fine for their fixed point")
    return Columns(bank, shifts.astype(np.int8))


def check_bounds(rounded: Columns, alpha: npt.NDArray[np.int64], prior_step: int) -> None:
    """Raise ``EnvironmentFault`` unless all sums at run time stay inside exact integers.

    The sum over a drawn vector depends on the world: it is held to an eighth of the limit in 1,000
    draws here, and each draw checks itself.
    """
    reach = np.abs(rounded.bank.astype(np.int64)).sum(1) * minhash.WEIGHT_LIMIT
    if reach.max() >= EXACT_FLOAT32:
        raise EnvironmentFault("a draw could leave the exact integers of float32")
    shaped = rounded.bank * np.ldexp(1.0, rounded.shifts.astype(np.int64))[:, None]
    count = shaped.shape[1]
    draws = np.stack([minhash.weights(b"", str(i), "bound", count) for i in range(_TRIALS)])
    sums = {
        "drawn": 8 * SCALE * np.abs(shaped @ draws.T).sum(0).max(),
        "projected": SCALE * np.abs(shaped).sum(0).max() + prior_step,
        "prior": prior_step * minhash.WEIGHT_LIMIT * count,
        "mean": SCALE * np.abs(alpha).sum(),
    }
    if unsafe := [name for name, largest in sums.items() if largest >= EXACT_FLOAT64]:
        raise EnvironmentFault(f"sums could leave the exact integers of float64: {', '.join(unsafe)}")
    if np.abs(alpha).max() > np.iinfo(np.int32).max:
        raise EnvironmentFault("a weight does not fit 32 bits")


def _right_sides(fitted: Fit, features: Floats) -> Floats:
    count = features.shape[1]
    noise = np.random.default_rng(_NOISE_SEED).standard_normal(features.shape)
    noise *= np.sqrt(fitted.noises / (noise**2).sum(1))[:, None]
    return np.asarray(features * np.sqrt(fitted.amplitude / count) + noise)


def shape_errors(exact: Floats, steps: Floats, hessian: Floats) -> npt.NDArray[np.int8]:
    """Round row by row, feeding each error back through the Cholesky factor of the inverse Hessian."""
    feedback = np.linalg.cholesky(np.linalg.inv(hessian)).T
    left = exact.copy()
    rounded = np.zeros(exact.shape, np.int8)
    for start in range(0, len(left), _BLOCK):
        end = min(start + _BLOCK, len(left))
        errors = np.zeros((end - start, left.shape[1]))
        for row in range(start, end):
            whole = np.clip(np.rint(left[row] / steps[row]), -_INT8, _INT8)
            rounded[row] = whole
            error = (left[row] - whole * steps[row]) / feedback[row, row]
            errors[row - start] = error
            left[row + 1 : end] -= np.outer(feedback[row, row + 1 : end], error)
        left[end:] -= feedback[start:end, end:].T @ errors
    return rounded
