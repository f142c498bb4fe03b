"""A policy that is told of a part of its budget: what credits buy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from molforge.actions import Action
    from molforge.contract import Environment
    from molforge.evaluation.ladder import PolicyFactory
    from molforge.policies import Policy


class Allowance:
    """Plays what another policy plays that sees only ``share`` of the budget.

    The rest stays unspent, and the score's economy pays for it as for any credit left over.
    """

    def __init__(self, policy: Policy, share: float) -> None:
        """``share`` lies above 0 and at most at 1."""
        self.name = policy.name
        self._policy = policy
        self._share = share
        self._withheld = 0.0

    def begin(self, observation: dict[str, Any]) -> None:
        """Hide the rest of the budget and open the programme."""
        self._withheld = (1.0 - self._share) * float(observation["brief"]["budget"])
        self._policy.begin(self._seen(observation))

    def act(self, observation: dict[str, Any]) -> Action:
        """Return what the policy does with what it sees."""
        return self._policy.act(self._seen(observation))

    def _seen(self, observation: dict[str, Any]) -> dict[str, Any]:
        seen = {**observation, "budget_left": observation["budget_left"] - self._withheld}
        if brief := observation.get("brief"):
            seen["brief"] = {**brief, "budget": brief["budget"] - self._withheld}
        return seen


def limited(policies: Mapping[str, PolicyFactory], share: float) -> dict[str, PolicyFactory]:
    """Return factories of the same policies with an allowance."""
    return {name: partial(_limited, factory, share) for name, factory in policies.items()}


def _limited(factory: PolicyFactory, share: float, environment: Environment) -> Policy:
    return Allowance(factory(environment), share)
