"""The ``hop`` family: the decision is how far to go from what is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property

from envs import rules
from envs.assembly import Mask, pool_structure
from envs.designing import DesignFamily, Given
from envs.drawing import FloatArray
from envs.family import Family, Opening
from envs.objectives import LOGD, OFF_TARGET, POTENCY, SOLUBILITY
from molforge.chem.environments import ring_systems
from molforge.chem.structure import Structure, framework, similarity
from molforge.profile import Profile
from molforge.programme import Programme

MAX_SIMILARITY = 0.5
"""MinMax similarity to the lead above which a structure is inside the claim."""


class Series:
    """The claim on a lead: its framework, its fused ring systems, and what is much like it."""

    def __init__(self, lead: Structure) -> None:
        self._lead = lead

    def covers(self, structure: Structure) -> bool:
        """Say whether a structure is inside the claim."""
        return (
            similarity(structure, self._lead) > MAX_SIMILARITY
            or framework(structure) == self._framework
            or not self._fused.isdisjoint(_fused_systems(structure))
        )

    @cached_property
    def _framework(self) -> str:
        return framework(self._lead)

    @cached_property
    def _fused(self) -> frozenset[int]:
        return _fused_systems(self._lead)


def _fused_systems(structure: Structure) -> frozenset[int]:
    """Return the keys of the ring systems that are made of two rings or more."""
    rings = [set(ring) for ring in structure.mol.GetRingInfo().AtomRings()]
    return frozenset(
        system.key
        for system in ring_systems(structure.mol)
        if sum(ring <= set(system.atoms) for ring in rings) > 1
    )


class Hop(DesignFamily):
    """See the package."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:  # noqa: ARG002
        """Say that any lead will do: what it is good at does not matter here."""
        anything: Mask = values["potency"] == values["potency"]
        return anything

    def truly_fits(self, opening: Opening, member: int) -> bool:
        """Say whether there is a ring to leave."""
        return framework(pool_structure(opening.pool.smiles[member])) != ""

    def accepts(self, programme: Programme, witness: Structure) -> bool:
        """Say whether the witness lies outside the claim."""
        return programme.claim is not None and not programme.claim.covers(witness)

    def programme(self, opening: Opening, given: Given) -> Programme:
        """Return the programme with the claim on its lead."""
        plain = super().programme(opening, given)
        return dataclasses.replace(plain, claim=Series(pool_structure(plain.given[0])))


FAMILY: Family = Hop(task_id="hop", objectives=(POTENCY, LOGD, SOLUBILITY, OFF_TARGET), rules=rules.HOP)
