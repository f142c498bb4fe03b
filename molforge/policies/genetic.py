"""The agent that breeds: recombine and mutate the fittest by reading, read every child wholly.

A plain genetic algorithm on assay readings, as generators of molecules are often run (Jensen, Chem. Sci. 10,
3567, 2019): no model, no noise handling. It shares greedy's way to look at readings, to give up and to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

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

    def _children(self, parents: list[Compound]) -> Iterator[Candidate]:
        """Yield recombinations and edits of the fittest in turn."""
        fittest = parents[:POPULATION]
        population = [self.candidate(compound) for compound in fittest]
        born = self.search.crossovers(
            population[:PARENTS], population, attempts=CROSSOVERS, turn=self.turn_number
        )
        taken = {self.candidate(c).identity for c in self.log.compounds.values()} | self._tried
        crossed = (c for c in born if c.identity not in taken and self.search.is_allowed(c))
        self.stream("mates", self.turn_number).shuffle(fittest)
        edited = super()._children(fittest)
        for pair in zip_longest(crossed, edited):
            yield from (child for child in pair if child is not None)
