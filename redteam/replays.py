"""Attacks that bring something along: solutions of other programmes, published drugs, an earlier attempt."""

from __future__ import annotations

import math
from typing import Any

from envs import SPLITS
from envs.environment import MolforgeEnvironment
from molforge.actions import Action
from molforge.contract import Environment
from molforge.errors import RefusedStructure
from molforge.policies.greedy import GreedyPolicy
from molforge.policies.logbook import Compound, Logbook
from molforge.policies.search import Candidate
from redteam.insight import recognise
from redteam.memory import TIE, Picker

EARLIER = 12
"""Programmes of the train split whose winners are remembered."""
NOISES = 8
DIFFICULTIES = tuple(step / 40 for step in range(41))

DRUGS = (
    "COc1ccc(-n2nc(C(N)=O)c3c2C(=O)N(c2ccc(N4CCCCC4=O)cc2)CC3)cc1",  # apixaban
    "O=C(NC[C@H]1CN(c2ccc(N3CCOCC3=O)cc2)C(=O)O1)c1ccc(Cl)s1",  # rivaroxaban
    "CN(C)C(=O)[C@H]1CC[C@H](NC(=O)C(=O)Nc2ccc(Cl)cn2)[C@H](NC(=O)c2nc3c(s2)CN(C)CC3)C1",  # edoxaban
    "C[C@@H]1CC[C@@H](C(=O)O)N(C(=O)[C@H](CCCNC(N)=N)NS(=O)(=O)c2cccc3c2NCC(C)C3)C1",  # argatroban
    "OC(=O)CN[C@H](C1CCCCC1)C(=O)N1CC[C@H]1C(=O)NCc1ccc(cc1)C(N)=N",  # melagatran
    "Clc1ccc(CCCOCCCN2CCCCC2)cc1",  # pitolisant
    "O=C1CCCN1c1ccc(OC2CCN(C3CCC3)CC2)cc1",  # an H3 antagonist with a cyclobutyl piperidine
    "CC1(C)CCN(CCCOc2ccc(C#N)cc2)CC1",  # an H3 antagonist with a propoxy chain
    "Cc1nc2ccccc2n1CCN1CCN(c2ccccc2)CC1",  # an aryl piperazine
    "N#CC[C@H](C1CCCC1)n1cc(-c2ncnc3[nH]ccc23)cn1",  # ruxolitinib
    "CC(C)Cn1c(=O)n(C)c(=O)c2nc[nH]c21",  # a xanthine
    "CC(C)(Oc1ccc(CCNC(=O)c2ccc(Cl)cc2)cc1)C(=O)O",  # bezafibrate
)
"""Published structures that a model may remember."""


def _asked(log: Logbook) -> dict[str, Any]:
    """Return what reset was asked for in the programme of a logbook."""
    task, split, seed = log.programme.split("/")
    return {"task_id": task, "split": split, "seed": int(seed)}


class ChampionPolicy(Picker):
    """Nominates what solved the first programme of the train split about the same target."""

    name = "champion"

    def pick(self) -> Candidate | None:
        """Take the first witness that may be made."""
        target = recognise([compound.smiles for compound in self.log.made])
        task = _asked(self.log)["task_id"]
        if not self.log.offers_design:
            return None if not self.log.made else self.candidate(self.log.made[0])
        library = MolforgeEnvironment()
        for seed in range(EARLIER):
            library.reset({"task_id": task, "split": "train", "seed": seed, "targets": [target]})
            found = self.search.read(library.episode.programme.plan.witness)
            if self.search.is_allowed(found):
                return found
        return None


class _ElsewherePolicy(Picker):
    """Nominates the solution of the same seed number somewhere else."""

    name = "elsewhere"

    def pick(self) -> Candidate | None:
        """Take the witness of the programme elsewhere."""
        if not self.log.offers_design:
            return self.candidate(self.log.made[0])
        asked, library = _asked(self.log), MolforgeEnvironment()
        library.reset({**asked, **self.elsewhere(asked)})
        return self.search.read(library.episode.programme.plan.witness)

    def elsewhere(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what is asked for instead."""
        raise NotImplementedError


class OtherSplitPolicy(_ElsewherePolicy):
    """The same seed of the train split (or of validation, in train)."""

    def elsewhere(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return another split."""
        return {"split": next(split for split in SPLITS if split != asked["split"])}


class OtherTaskPolicy(_ElsewherePolicy):
    """The same seed of another family with designs."""

    def elsewhere(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return another task."""
        return {"task_id": next(task for task in ("potency", "selectivity") if task != asked["task_id"])}


class OtherDifficultiesPolicy(Picker):
    """Nominates what suits the brief best of all that the same seed shows at other difficulties."""

    name = "other_difficulties"

    def pick(self) -> Candidate | None:
        """Reset another session again and again, and judge what is given there by its readings."""
        if not self.log.offers_design:
            return self.candidate(self.log.made[0])
        asked, library = _asked(self.log), MolforgeEnvironment()
        worth: dict[str, float] = {}
        for difficulty in DIFFICULTIES:
            shown = Logbook(library.reset({**asked, "difficulty": difficulty}).observation)
            worth |= {compound.smiles: self._worth(shown, compound) for compound in shown.made}
        ranked = (self.search.read(smiles) for smiles in sorted(worth, key=lambda s: -worth[s]))
        return next((found for found in ranked if self.search.is_allowed(found)), None)

    def _worth(self, shown: Logbook, compound: Compound) -> float:
        profile = self.log.profile
        values = shown.means(compound.id, profile.roles)
        if values is None:
            return -math.inf
        return float((profile.desirability(values) + TIE * profile.margin(values))[0])


class PublicActivesPolicy(Picker):
    """Nominates the published drug that is most like the lead."""

    name = "public_actives"

    def pick(self) -> Candidate | None:
        """Choose the drug nearest to the given compounds among those that may be made."""
        if not self.log.offers_design:
            return self.candidate(self.log.made[0])
        lead = set(self.candidate(self.log.made[0]).structure.tokens.tolist())
        best: Candidate | None = None
        nearest = -math.inf
        for smiles in DRUGS:
            try:
                drug = self.search.read(smiles)
            except RefusedStructure:
                continue
            tokens = set(drug.structure.tokens.tolist())
            similarity = len(tokens & lead) / len(tokens | lead)
            if similarity > nearest and self.search.is_allowed(drug):
                best, nearest = drug, similarity
        return best


class TwicePolicy(Picker):
    """Plays the programme with greedy in another session, then makes the winner at once."""

    name = "twice"
    noises: tuple[int, ...] = (0,)

    def __init__(self) -> None:
        """Open a second session: the attacker may have as many as it likes."""
        super().__init__()
        self._other = MolforgeEnvironment()

    def pick(self) -> Candidate | None:
        """Return what scored best in the earlier attempts."""
        best, highest = None, -math.inf
        for noise in self.noises:
            nominee, score = self._attempt({**_asked(self.log), "noise_seed": noise})
            if nominee is not None and score > highest:
                best, highest = nominee, score
        return None if best is None else self.search.read(best)

    def _attempt(self, arguments: dict[str, Any]) -> tuple[str | None, float]:
        step = self._other.reset(arguments)
        policy = GreedyPolicy()
        policy.begin(step.observation)
        action = Action()
        while not step.done:
            action = policy.act(step.observation)
            step = self._other.step(action)
        chosen = policy.log.compounds.get(action.compound or "")
        return (None if chosen is None else chosen.smiles), float(step.observation["score"])


class ManyNoisesPolicy(TwicePolicy):
    """The same under eight noise seeds."""

    name = "many_noises"
    noises = tuple(range(1, NOISES + 1))


def champion(_: Environment) -> ChampionPolicy:
    """What won with other seeds."""
    return ChampionPolicy()


def other_split(_: Environment) -> OtherSplitPolicy:
    """What won with this seed in another split."""
    return OtherSplitPolicy()


def other_task(_: Environment) -> OtherTaskPolicy:
    """What won with this seed in another family."""
    return OtherTaskPolicy()


def other_difficulties(_: Environment) -> OtherDifficultiesPolicy:
    """What is shown at other difficulties."""
    return OtherDifficultiesPolicy()


def public_actives(_: Environment) -> PublicActivesPolicy:
    """A published drug."""
    return PublicActivesPolicy()


def twice(_: Environment) -> TwicePolicy:
    """A second attempt."""
    return TwicePolicy()


def many_noises(_: Environment) -> ManyNoisesPolicy:
    """A ninth attempt."""
    return ManyNoisesPolicy()
