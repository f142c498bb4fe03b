"""Reference designs of a target: what many searches from varied starts found, spread and thinned.

The searches climb the mean models towards different goals: each has its own wish for lipophilicity, its
own weight of one further wish (selectivity, solubility, low clearance, ...), and starts from ligands of
another activity range. A design is kept if it passes every gate, is neither too near to measured chemistry
nor outside the models' domain, and is unlike all designs kept before.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from molforge.chem.gates import check, redrawn
from molforge.chem.properties import alerts, properties
from molforge.chem.structure import Structure, framework
from molforge.errors import RefusedStructure
from molforge.landscapes import artefact, minhash
from molforge.landscapes.catalogue import ANTI, pool_file
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import PropertyModel, Sighting
from molforge.landscapes.pool import PARTS, Pool
from molforge.landscapes.tokens import TokenTable
from molforge.landscapes.training.search import search
from molforge.landscapes.training.sources import Measurements

NEAREST = (0.42, 0.84)
"""Similarity to the nearest measured ligand that a design may have."""
MOST_ALIKE = 0.72
"""Similarity that two designs of a pool may have."""

WISHES: Mapping[str, Mapping[str, float]] = {
    "solubility": {"solubility": 1.0},
    "hlm": {"hlm": -1.0},
    "efflux": {"efflux": -1.0},
    "herg": {"herg": -1.0},
    "all": {"solubility": 0.5, "hlm": -0.5, "efflux": -0.5, "herg": -0.5},
}
"""What a search may want besides potency and its logD: weights of mean models, liabilities negative."""
SELECTIVITY = "selectivity"

_EARLY_WISHES: Mapping[str, tuple[str, ...]] = {
    "thrombin": ("solubility",),
    "fxa": (SELECTIVITY, "solubility"),
    "h3": ("solubility",),
}
"""The wishes of the first three pools, which the published programmes of their targets rest on."""
_MORE_SEARCHES: Mapping[str, float] = {
    "thrombin": 3,
    "fxa": 3,
    "h3": 3,
    "d2": 1.5,
    "d3": 1.5,
    "d4": 1.5,
    "ppara": 1.5,
    "pim1": 1.5,
    "mpro": 3,
}
"""How many times the usual number of searches, which fills the pools of the others."""
_STARTS = 40
_BANDS = ((0.0, 0.5), (0.3, 0.8), (0.0, 1.0))
_LIPOPHILICITY = (-0.5, 4.5)
_TOO_NEAR = 100.0
_BIN = 0.5
_BINS_FROM, _BINS, _BINS_NEEDED = 5.0, 9, 7
_BIN_SHARE = 330 / 1800
_SHARES = (0.6, 0.8)
_WIDTH = {"i": np.uint8, "f": np.float64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to look."""

    searches: int = 8
    """For one target; the earlier ones got more, see ``_MORE_SEARCHES``."""
    evaluations: int = 1500
    """Structures that one search scores, refused ones included."""
    designs: int = 1900


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One structure that a search met."""

    structure: Structure
    nearest: int
    """Similarity to the nearest measured ligand in 65535ths."""
    potency: float
    """Under the mean model, as are the other values."""
    others: dict[str, float] = field(default_factory=dict)
    """Those that a search has asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What one search climbs towards."""

    lipophilicity: float
    weight: float
    """Of everything besides potency."""
    wish: str
    """One of ``WISHES``, or selectivity: the distance to the anti-target."""


class Bench:
    """Judges structures for the searches of one target, and remembers every one that may be made."""

    def __init__(self, target: str, models: Mapping[str, PropertyModel]) -> None:
        self.target = target
        self.models = models
        self.designs: dict[str, Design | None] = {}

    def judge(self, structure: Structure) -> Design | None:
        """Return the design, or None where a gate refuses it."""
        if structure.identity not in self.designs:
            self.designs[structure.identity] = self._judged(structure)
        return self.designs[structure.identity]

    def _judged(self, structure: Structure) -> Design | None:
        try:
            check(structure)
        except RefusedStructure:
            return None
        sighting, model = Sighting(structure.tokens), self.models[self.target]
        potency = model.mean_value(sighting) / 1000
        return Design(structure=structure, nearest=model.nearest(sighting), potency=potency)

    def value(self, design: Design, name: str) -> float:
        """Return another property of a design under its mean model, worked out when first asked for."""
        if name not in design.others:
            sighting = Sighting(design.structure.tokens)
            design.others[name] = self.models[name].mean_value(sighting) / 1000
        return design.others[name]

    def score(self, structure: Structure, goal: Goal) -> float | None:
        """Return how well a structure does in a search; near-copies of measured ligands are pushed off."""
        design = self.judge(structure)
        if design is None:
            return None
        if goal.wish == SELECTIVITY:
            second = design.potency - self.value(design, ANTI[self.target])
        else:
            second = sum(weight * self.value(design, name) for name, weight in WISHES[goal.wish].items())
        wishes = second - abs(self.value(design, "logd") - goal.lipophilicity)
        too_near = max(0.0, design.nearest / SCALE - NEAREST[1])
        return design.potency + goal.weight * wishes - _TOO_NEAR * too_near


def searches_for(target: str, effort: Effort) -> int:
    """Return how many searches a target gets."""
    return round(effort.searches * _MORE_SEARCHES.get(target, 1))


def wishes_for(target: str) -> tuple[str, ...]:
    """Return what the searches of a target may want; twice means twice as often."""
    if target in _EARLY_WISHES:
        return _EARLY_WISHES[target]
    return ((SELECTIVITY, SELECTIVITY) if target in ANTI else ()) + tuple(WISHES)


def models_for(target: str) -> tuple[str, ...]:
    """Return the models that a target's searches look at."""
    wishes = wishes_for(target)
    anti = (ANTI[target],) if SELECTIVITY in wishes else ()
    return (target, "logd", *dict.fromkeys(name for wish in wishes for name in WISHES.get(wish, ())), *anti)


def make(
    target: str, data: Measurements, folder: Path, *, effort: Effort, progress: Callable[[str], None]
) -> Pool:
    """Search, select and write the pool of a target whose models lie in ``folder``."""
    bench = Bench(target, {name: PropertyModel.read(folder / f"{name}.mfl") for name in models_for(target)})
    ligands, wishes = _ligands(bench, data), wishes_for(target)
    searches = searches_for(target, effort)
    for number in range(searches):
        rng = random.Random(f"pool {target} {number}")
        goal = Goal(
            lipophilicity=rng.uniform(*_LIPOPHILICITY),
            weight=rng.random(),
            wish=wishes[int(rng.random() * len(wishes))] if len(wishes) > 1 else wishes[0],
        )
        starts = _starts(ligands, _BANDS[number % len(_BANDS)], rng)
        search(partial(bench.score, goal=goal), starts, evaluations=effort.evaluations, rng=rng)
        found = sum(design is not None for design in bench.designs.values())
        progress(f"pool {target}: search {number + 1} of {searches}, {found} makeable structures")
    kept = select(bench, {structure.identity for structure in data.structures}, effort.designs)
    return write(target, [each.structure for each in kept], [each.nearest for each in kept], folder)


def select(bench: Bench, measured: Collection[str], size: int) -> list[Design]:
    """Choose designs in random order: inside the domain, spread over potency, unlike each other."""
    low, high = (round(limit * SCALE) for limit in NEAREST)
    found = [
        design
        for identity, design in bench.designs.items()
        if design is not None and low <= design.nearest <= high and identity not in measured
    ]
    random.Random(f"select {bench.target}").shuffle(found)
    room = dict.fromkeys(range(_BINS), round(_BIN_SHARE * size))
    width = bin_width([design.potency for design in found])
    signatures = np.empty((size, minhash.COLUMNS), np.uint16)
    kept: list[Design] = []
    for design in found:
        if len(kept) == size:
            break
        place = int(np.clip((design.potency - _BINS_FROM) // width, 0, _BINS - 1))
        signature = minhash.minima(design.structure.tokens)
        if room[place] and _unlike(signature, signatures[: len(kept)]):
            signatures[len(kept)] = signature
            room[place] -= 1
            kept.append(design)
    return kept


def bin_width(potencies: Sequence[float]) -> float:
    """Return the width of the potency bins: half a log unit, less where the designs reach less far up."""
    top = float(np.quantile(potencies, 0.995)) if len(potencies) else 0.0
    return min(_BIN, max(0.1, (top - _BINS_FROM) / _BINS_NEEDED))


def part_of(structure: Structure) -> int:
    """Return the split of a design, as an index of ``PARTS``: its generic framework decides."""
    digest = hashlib.blake2b(framework(structure).encode(), digest_size=8, person=b"part").digest()
    share = int.from_bytes(digest, "big") / 2**64
    return sum(share >= limit for limit in _SHARES)


def _unlike(signature: npt.NDArray[np.uint16], others: npt.NDArray[np.uint16]) -> bool:
    return not len(others) or float((others == signature).mean(1).max()) <= MOST_ALIKE


def _ligands(bench: Bench, data: Measurements) -> list[tuple[float, Structure]]:
    """Return the training ligands that could be made, with their activity."""
    pairs = zip(data.values.tolist(), data.structures, data.is_train.tolist(), strict=True)
    return [(value, each) for value, each, train in pairs if train and bench.judge(each) is not None]


def _starts(
    ligands: Sequence[tuple[float, Structure]], band: tuple[float, float], rng: random.Random
) -> list[Structure]:
    values = sorted(value for value, _ in ligands)
    low, high = (values[round(share * (len(values) - 1))] for share in band)
    inside = [structure for value, structure in ligands if low <= value <= high]
    return rng.sample(inside, min(_STARTS, len(inside)))


def write(target: str, designs: Sequence[Structure], nearest: Sequence[int], folder: Path) -> Pool:
    """Write the pool in the drawings that a laboratory registers, with what it says of them."""
    structures = [redrawn(design) for design in designs]
    computed = [properties(each) for each in structures]
    columns = {name: np.array([each[name] for each in computed]) for name in computed[0]}
    arrays: dict[str, npt.NDArray[Any]] = {
        "smiles": _text([each.smiles for each in structures]),
        "identities": _text([each.identity for each in structures]),
        "alerts": _text([" ".join(alerts(each)) for each in structures]),
        "nearest": np.array(nearest, np.uint16),
        "part": np.array([part_of(each) for each in structures], np.uint8),
        **{name: column.astype(_WIDTH[column.dtype.kind]) for name, column in columns.items()},
        **TokenTable.of([each.tokens for each in structures]).pack(),
    }
    path = folder / pool_file(target)
    artefact.write(path, {"name": target, "parts": list(PARTS), "computed": list(columns)}, arrays)
    return Pool.read(path)


def _text(lines: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)
