"""Reference agents that play from the wire observation alone.

    noop      closes the programme at once
    random    random suggestions for the lead, random assays, nominates at random after a random time
    greedy    edits the best-read compound, measures everything, nominates the best reading
    genetic   recombines and mutates the fittest by reading, measures everything
    bayes     Gaussian processes and expected improvement, nothing staged
    planner   Gaussian processes, expected improvement per credit, staged assays, honest intervals

    player       what they share           logbook      what the observations said so far
    objectives   the profile on arrays     search       edits and gates, each asked once
    kernel, surrogate, forecasting         beliefs about what was not measured
    proposals    what to make next         refining     what to read again       triage   given sets
    viability    dead or not               proving      what shows it

They hold nothing of the environment: no landscape, no pool, no secret; ``molforge.chem`` is free
computation that any agent could do. Same programme, same seed, same answers: same actions.
Importing this package loads no RDKit and no numpy; ``make`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from molforge.errors import did_you_mean

if TYPE_CHECKING:
    from molforge.actions import Action

NAMES = ("noop", "random", "greedy", "genetic", "bayes", "planner")

__all__ = ["NAMES", "Policy", "make"]


class Policy(Protocol):
    """Plays one programme at a time."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def begin(self, observation: dict[str, Any]) -> None:
        """Open a programme with the observation of its reset; everything earlier is forgotten."""

    def act(self, observation: dict[str, Any]) -> Action:
        """Return the next action; the first call gets the observation of the reset again."""


def make(name: str, *, seed: int = 0) -> Policy:
    """Return a new reference agent; raise ``ValueError`` for a name that is not in ``NAMES``."""
    if name == "noop":
        from molforge.policies.noop import NoopPolicy

        return NoopPolicy()
    if name == "random":
        from molforge.policies.randomly import RandomPolicy

        return RandomPolicy(seed=seed)
    if name == "greedy":
        from molforge.policies.greedy import GreedyPolicy

        return GreedyPolicy(seed=seed)
    if name == "genetic":
        from molforge.policies.genetic import GeneticPolicy

        return GeneticPolicy(seed=seed)
    if name == "bayes":
        from molforge.policies.bayes import BayesPolicy

        return BayesPolicy(seed=seed)
    if name == "planner":
        from molforge.policies.planner import PlannerPolicy

        return PlannerPolicy(seed=seed)
    raise ValueError(f"no policy {name!r}{did_you_mean(name, NAMES)}; known: {', '.join(NAMES)}")
