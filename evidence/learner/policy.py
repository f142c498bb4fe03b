"""A small network that scores options; a softmax over the scores is the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from evidence.learner.choices import FEATURES, Option
from molforge.policies.objectives import Floats

HIDDEN = 32
CLIP = 0.3
"""Of the probability ratio (Schulman et al., arXiv 1707.06347)."""
ENTROPY = 0.003
RATE = 0.04
EPOCHS = 6


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice that was made."""

    features: Floats
    """Shape (options, FEATURES)."""
    chosen: int
    log_probability: float


class Scorer(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """A linear part and a hidden layer beside it; all zero at the start, so that it starts uniform."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.linear = torch.nn.Linear(FEATURES, 1, bias=False)
        self.inner = torch.nn.Linear(FEATURES, HIDDEN)
        self.outer = torch.nn.Linear(HIDDEN, 1, bias=False)
        with torch.no_grad():
            self.linear.weight.zero_()
            self.outer.weight.zero_()
            self.inner.weight.copy_(torch.randn(HIDDEN, FEATURES, generator=generator) / 4.0)
            self.inner.bias.zero_()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return one score for each option."""
        found: torch.Tensor = self.linear(features) + self.outer(torch.tanh(self.inner(features)))
        return found.squeeze(-1)


class Learner:
    """The network, its optimiser and its random stream."""

    def __init__(self, seed: int) -> None:
        torch.set_num_threads(1)
        self.scorer = Scorer(seed)
        self._optimiser = torch.optim.Adam(self.scorer.parameters(), lr=RATE)

    def choose(self, options: Sequence[Option], rng: np.random.Generator) -> Decision:
        """Draw one of the options."""
        features = np.stack([option.features for option in options])
        with torch.no_grad():
            scores = self.scorer(torch.from_numpy(features).float())
            logs = torch.log_softmax(scores, 0).double().numpy()
        chosen = int(rng.choice(len(options), p=np.exp(logs) / np.exp(logs).sum()))
        return Decision(features, chosen, float(logs[chosen]))

    def state(self) -> dict[str, Any]:
        """Return the weights and the optimiser's memory."""
        return {"scorer": self.scorer.state_dict(), "optimiser": self._optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take them over."""
        self.scorer.load_state_dict(state["scorer"])
        self._optimiser.load_state_dict(state["optimiser"])

    def update(self, decisions: Sequence[Decision], advantages: Floats) -> float:
        """Take some steps of the clipped policy gradient; return the mean entropy before them."""
        rows = torch.from_numpy(np.concatenate([d.features for d in decisions])).float()
        sizes = [len(d.features) for d in decisions]
        owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        chosen = torch.from_numpy(starts + np.array([d.chosen for d in decisions]))
        old = torch.tensor([d.log_probability for d in decisions]).float()
        gain = torch.from_numpy(advantages).float()
        first = 0.0
        for epoch in range(EPOCHS):
            logs = _log_softmax(self.scorer(rows), owner, len(sizes))
            ratio = torch.exp(logs[chosen] - old)
            surrogate = torch.minimum(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain).mean()
            entropy = -(logs.exp() * logs).sum() / len(sizes)
            self._optimiser.zero_grad()
            (-surrogate - ENTROPY * entropy).backward()
            self._optimiser.step()
            first = float(entropy.detach()) if epoch == 0 else first
        return first


def _log_softmax(scores: torch.Tensor, owner: torch.Tensor, count: int) -> torch.Tensor:
    """Return log-probabilities within each owner's options."""
    largest = torch.full((count,), -torch.inf).scatter_reduce(0, owner, scores, "amax").detach()
    shifted = scores - largest[owner]
    total = torch.zeros(count).index_add(0, owner, shifted.exp())
    return shifted - total.log()[owner]
