"""The agent that breeds: recombine and mutate the fittest by reading, read every child wholly.

A plain genetic algorithm on assay readings, as generators of molecules are often run (Jensen, Chem. Sci. 10,
3567, 2019): no model, no noise handling. It shares greedy's way to look at readings, to give up and to end.
"""

from __future__ import annotations

from molforge.policies.greedy import GreedyPolicy
from molforge.policies.logbook import Compound
from molforge.policies.search import Candidate

POPULATION = 8
"""The fittest, by reading, that have children."""
CROSSOVERS = 24
PARENTS = 4


class GeneticPolicy(GreedyPolicy):
    """Breeds from the fittest instead of editing the best."""

    name = "genetic"

    def _children(self, parents: list[Compound]) -> list[Candidate]:
        ranked = sorted(self.log.made, key=self.reading, reverse=True)[:POPULATION]
        population = [self.candidate(compound) for compound in ranked]
        born = self.search.crossovers(
            population[:PARENTS], population, attempts=CROSSOVERS, turn=self.turn_number
        )
        taken = {self.candidate(c).identity for c in self.log.compounds.values()} | self._tried
        crossed = [c for c in born if c.identity not in taken and self.search.is_allowed(c)]
        return crossed + super()._children(parents)
