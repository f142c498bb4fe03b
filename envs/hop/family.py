"""The ``hop`` family: the decision is how far to go from what is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from envs import rules
from envs.assembly import Mask
from envs.designing import DesignFamily, Given
from envs.drawing import FloatArray
from envs.family import Family, Opening
from envs.objectives import LOGD, POTENCY, SOLUBILITY, STRICTER_OFF_TARGET
from molforge.chem.series import Series
from molforge.chem.structure import Structure
from molforge.profile import Profile
from molforge.programme import Programme


class Hop(DesignFamily):
    """See the package."""

    def fits(self, profile: Profile, values: Mapping[str, FloatArray]) -> Mask:  # noqa: ARG002
        """Say that any lead will do: what it is good at does not matter here."""
        anything: Mask = values["potency"] == values["potency"]
        return anything

    def truly_fits(self, opening: Opening, member: int) -> bool:
        """Say whether there is a ring to leave."""
        return opening.pool.described(member)[0]["rings"] > 0

    def accepts(self, programme: Programme, witness: Structure) -> bool:
        """Say whether the witness lies outside the claim."""
        return programme.claim is not None and not programme.claim.covers(witness)

    def programme(self, opening: Opening, given: Given) -> Programme:
        """Return the programme with the claim on its lead."""
        plain = super().programme(opening, given)
        return dataclasses.replace(plain, claim=Series(plain.given[0]))


FAMILY: Family = Hop(
    task_id="hop", objectives=(POTENCY, LOGD, SOLUBILITY, STRICTER_OFF_TARGET), rules=rules.HOP
)
