"""A small network that scores options; a softmax over the scores is the policy.

Its steps are as long as the gradient (plain descent): where there is nothing to learn they stay short.
Adam makes every step of one length, and a control that learns from noise then wanders as far as a learner.
The rate falls in a straight line to zero for the same reason: noise adds up as the square root of the number
of steps, and what wanders from uniform play plays better than it, whatever it has learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evidence.learner.choices import FEATURES, Option
from molforge.policies.objectives import Floats

HIDDEN = 32
CLIP = 0.3
"""Of the probability ratio (Schulman et al., arXiv 1707.06347)."""
ENTROPY = 0.003
RATE = 1.25
"""Of the first update; it falls to zero towards the last."""
EPOCHS = 4
STEEPEST = 1.0
"""Bound of the gradient's norm."""

_BOUND = optax.clip_by_global_norm(STEEPEST)


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice that was made."""

    features: Floats
    """Shape (options, FEATURES)."""
    chosen: int
    log_probability: float


def score(weights: Any, features: Any, xp: Any = jnp) -> Any:
    """Return one score for each option: a linear part and a hidden layer beside it.

    ``features`` has shape (..., FEATURES); ``xp`` is the array library that works it out.
    """
    hidden = xp.tanh(features @ weights["inner"] + weights["bias"])
    return features @ weights["linear"] + hidden @ weights["outer"]


class Learner:
    """The weights. What scores is zero at the start: uniform play."""

    def __init__(self, seed: int) -> None:
        inner = np.random.default_rng(seed).standard_normal((FEATURES, HIDDEN)) / 4.0
        self._weights: Any = jax.tree.map(
            jnp.float32,
            {
                "linear": np.zeros(FEATURES),
                "inner": inner,
                "bias": np.zeros(HIDDEN),
                "outer": np.zeros(HIDDEN),
            },
        )
        self._plain = jax.tree.map(np.asarray, self._weights)

    def choose(self, options: Sequence[Option], rng: np.random.Generator) -> Decision:
        """Draw one of the options."""
        features = np.stack([option.features for option in options])
        scores = score(self._plain, features, np)
        logs = scores - scores.max()
        logs -= np.log(np.exp(logs).sum())
        chosen = int(rng.choice(len(options), p=np.exp(logs) / np.exp(logs).sum()))
        return Decision(features, chosen, float(logs[chosen]))

    def state(self) -> list[Floats]:
        """Return the weights."""
        return [np.asarray(leaf) for leaf in jax.tree.leaves(self._weights)]

    def restore(self, state: Sequence[Floats]) -> None:
        """Take them over."""
        shape = jax.tree.structure(self._weights)
        self._weights = jax.tree.unflatten(shape, [jnp.asarray(leaf) for leaf in state])
        self._plain = jax.tree.map(np.asarray, self._weights)

    def update(self, decisions: Sequence[Decision], advantages: Floats, *, left: float = 1.0) -> float:
        """Take some steps of the clipped policy gradient; return the mean entropy before them.

        ``left`` is the share of the training that is still to come, and of ``RATE`` that steps are made with.
        """
        batch = _padded(decisions, advantages)
        first = 0.0
        for epoch in range(EPOCHS):
            self._weights, entropy = _compiled_step(self._weights, batch, RATE * left)
            first = float(entropy) if epoch == 0 else first
        self._plain = jax.tree.map(np.asarray, self._weights)
        return first


def _padded(decisions: Sequence[Decision], advantages: Floats) -> dict[str, Any]:
    """Return the batch as arrays whose sizes are powers of two: few shapes, few compilations."""
    rows, width = _power(len(decisions)), _power(max(len(d.features) for d in decisions))
    batch = {
        "features": np.zeros((rows, width, FEATURES), np.float32),
        "is_option": np.zeros((rows, width), bool),
        "chosen": np.zeros(rows, np.int32),
        "old": np.zeros(rows, np.float32),
        "gain": np.zeros(rows, np.float32),
        "weight": np.zeros(rows, np.float32),
    }
    batch["is_option"][len(decisions) :, 0] = True  # a row of padding has one option: nothing to choose
    for row, decision in enumerate(decisions):
        batch["features"][row, : len(decision.features)] = decision.features
        batch["is_option"][row, : len(decision.features)] = True
    batch["chosen"][: len(decisions)] = [decision.chosen for decision in decisions]
    batch["old"][: len(decisions)] = [decision.log_probability for decision in decisions]
    batch["gain"][: len(decisions)] = advantages
    batch["weight"][: len(decisions)] = 1.0 / len(decisions)
    return batch


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _loss(weights: Any, batch: dict[str, Any]) -> tuple[Any, Any]:
    scores = jnp.where(batch["is_option"], score(weights, batch["features"]), -jnp.inf)
    logs = jax.nn.log_softmax(scores)
    taken = jnp.take_along_axis(logs, batch["chosen"][:, None], axis=1)[:, 0]
    ratio = jnp.exp(taken - batch["old"])
    clipped = jnp.clip(ratio, 1.0 - CLIP, 1.0 + CLIP)
    surrogate = jnp.minimum(ratio * batch["gain"], clipped * batch["gain"])
    finite = jnp.where(batch["is_option"], logs, 0.0)
    entropy = -(jnp.exp(logs) * finite).sum(axis=1)
    return -(batch["weight"] * (surrogate + ENTROPY * entropy)).sum(), (batch["weight"] * entropy).sum()


def _step(weights: Any, batch: dict[str, Any], rate: Any) -> tuple[Any, Any]:
    (_, entropy), gradient = jax.value_and_grad(_loss, has_aux=True)(weights, batch)
    bounded, _ = _BOUND.update(gradient, optax.EmptyState())
    return jax.tree.map(lambda weight, slope: weight - rate * slope, weights, bounded), entropy


_compiled_step = jax.jit(_step)
