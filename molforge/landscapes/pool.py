"""Reference designs of a target: they make every programme provably solvable and as hard as asked.

A pool is evaluated on a world by projection: what each of the world's 512 weights adds to each design
is worked out once per model, rounded to 16 bits, and kept, so that a new world costs 0.3 ms per
property and 2,000 designs. All of it is integer arithmetic and the same on every machine, but up to
0.001 beside ``World.values``, which alone is the truth: use the pool for limits and shares only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from molforge.errors import EnvironmentFault, did_you_mean
from molforge.landscapes import artefact, minhash
from molforge.landscapes.catalogue import DATA, TARGETS, pool_file
from molforge.landscapes.index import SCALE
from molforge.landscapes.model import (
    Floats,
    Integers,
    PropertyModel,
    Sighting,
    landscape,
    nearest_grain,
)
from molforge.landscapes.tokens import Tokens, TokenTable
from molforge.landscapes.world import Draw, World

PARTS = ("train", "validation", "test")
_BLOCK = 128
_PROJECTED = 256
"""Designs that are projected at once."""
_INT16 = 32767
_FORMAT = 1
"""Counts changes of what a kept projection holds."""
_lock = threading.Lock()
_loaded: dict[str, Pool] = {}


@cache
def cache_folder() -> Path | None:
    """Return the folder that keeps projections between processes, None where nothing can be kept.

    ``MOLFORGE_CACHE`` names it (an empty name: none); by default it is ``molforge`` in the user's cache.
    """
    named = os.environ.get("MOLFORGE_CACHE")
    try:
        users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(users) / "molforge" if named is None else Path(named)
        if named == "":
            return None
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a read-only root; no home
        return None
    return folder if os.access(folder, os.W_OK) else None


@dataclass(frozen=True, slots=True)
class Projection:
    """A pool seen by one model."""

    centres: Integers
    """Posterior means in grains."""
    nearest: Integers
    """Similarity to the nearest measured ligand, in 65535ths."""
    bank: npt.NDArray[np.int16]
    """Design by weight; times ``steps`` it is kernel sums."""
    steps: Integers

    def values(self, draw: Draw) -> Floats:
        """Return the values of all designs in one world, in the property's unit."""
        weights = draw.weights.astype(np.float64)
        sums = np.empty(len(self.steps), np.float64)
        for start in range(0, len(sums), _BLOCK):
            sums[start : start + _BLOCK] = self.bank[start : start + _BLOCK].astype(np.float64) @ weights
        deviations = nearest_grain(sums.astype(np.int64) * self.steps)
        return draw.landscape.values(self.centres, deviations, self.nearest) / 1000


class Pool:
    """The reference designs of one target, in the order of the data file."""

    def __init__(self, content: artefact.Artefact, *, cache: Path | None = None) -> None:
        arrays = content.arrays
        self.name: str = content.header["name"]
        self.digest = content.digest
        self.smiles = _lines(arrays["smiles"])
        """Canonical SMILES, in the drawing that a laboratory registers."""
        self.identities = _lines(arrays["identities"])
        self._alerts = _lines(arrays["alerts"])
        self._described: dict[int, tuple[Mapping[str, float], tuple[str, ...]]] = {}
        self._computed = {name: arrays[name] for name in content.header["computed"]}
        self.sa: Floats = self._computed["sa_score"]
        """Synthetic accessibility (Ertl and Schuffenhauer 2009), 1 easy to 10 hard."""
        self.nearest: Floats = np.round(arrays["nearest"] / SCALE, 3)
        """Similarity to the nearest measured ligand of the target."""
        self.part: tuple[str, ...] = tuple(PARTS[i] for i in arrays["part"].tolist())
        """Split of each design's generic framework."""
        self.is_in: dict[str, npt.NDArray[np.bool_]] = {
            name: arrays["part"] == i for i, name in enumerate(PARTS)
        }
        """Split to which designs belong to it, shape (pool,)."""
        self._table = TokenTable.unpack(arrays)
        self._cache = cache
        self._projections: dict[str, Projection] = {}
        self._locks: dict[str, threading.Lock] = {}

    @staticmethod
    def load(name: str) -> Pool:
        """Return the shipped pool of a potency model; its projections are kept in ``cache_folder()``."""
        if name not in TARGETS:
            raise EnvironmentFault(f"no pool for {name!r}{did_you_mean(name, TARGETS)}")
        with _lock:
            if (pool := _loaded.get(name)) is None:
                pool = _loaded[name] = Pool.read(DATA / pool_file(name), cache=cache_folder())
        return pool

    @staticmethod
    def read(path: Path, *, cache: Path | None = None) -> Pool:
        """Read a pool from a data file; ``cache`` keeps projections (2 MB a model) for all to map."""
        return Pool(artefact.read(path), cache=cache)

    def __len__(self) -> int:
        return len(self.smiles)

    def described(self, member: int) -> tuple[Mapping[str, float], tuple[str, ...]]:
        """Return the computed properties of a design and its alerts, as ``chem.properties`` has them.

        The same objects every time: thousands of sessions hold them.
        """
        found = self._described.get(member)
        if found is None:
            computed = {name: values[member].item() for name, values in self._computed.items()}
            alerts = tuple(self._alerts[member].split())
            found = self._described[member] = MappingProxyType(computed), alerts
        return found

    def values(self, world: World) -> dict[str, Floats]:
        """Return every property of every design in a world, to 0.001, by role."""
        draws = {role: world.draw(role) for role in world.roles}
        return {role: self._project(draw.landscape).values(draw) for role, draw in draws.items()}

    def mean_values(self, roles: Mapping[str, str]) -> dict[str, Floats]:
        """Return every property of every design under the mean models, to 0.001, by role."""
        return {role: self.seen_by(landscape(name)) for role, name in roles.items()}

    def seen_by(self, seen: PropertyModel) -> Floats:
        """Return the values of all designs under one mean model."""
        projection = self._project(seen)
        still = np.zeros(len(self), np.int64)
        return seen.values(projection.centres, still, projection.nearest) / 1000

    @cached_property
    def tokens(self) -> tuple[Tokens, ...]:
        """Fingerprint tokens of the designs."""
        return tuple(self._table)

    @cached_property
    def _features(self) -> npt.NDArray[np.int8]:
        return np.stack([minhash.signs(tokens).astype(np.int8) for tokens in self.tokens])

    def _project(self, seen: PropertyModel) -> Projection:
        with _lock:
            lock = self._locks.setdefault(seen.digest, threading.Lock())
        with lock:
            if (projection := self._projections.get(seen.digest)) is None:
                projection = self._projections[seen.digest] = self._kept(seen)
        return projection

    def _kept(self, seen: PropertyModel) -> Projection:
        """Map the projection from the cache folder, or make it and leave it there."""
        if self._cache is None:
            return self._made(seen)
        path = self._cache / f"{self.name}-{seen.name}-{self.digest[:16]}-{seen.digest[:16]}-{_FORMAT}.npy"
        kept = _map(path)
        if kept is None or kept.bank.shape != (len(self), seen.columns):
            made = self._made(seen)
            with suppress(OSError):  # disk full or read-only: made again next time
                _save(path, made)
            kept = _map(path) or made
        return kept

    def _made(self, seen: PropertyModel) -> Projection:
        """Project the pool on a model (0.3 s), a block at a time: kernel rows of all would be 70 MB."""
        count = len(self)
        whole = Projection(
            np.empty(count, np.int64),
            np.empty(count, np.int64),
            np.empty((count, seen.columns), np.int16),
            np.empty(count, np.int64),
        )
        for start in range(0, count, _PROJECTED):
            block = slice(start, start + _PROJECTED)
            sightings = [Sighting(tokens) for tokens in self.tokens[block]]
            rows = np.stack([sighting.row(seen) for sighting in sightings])
            exact = seen.project(self._features[block].astype(np.float32), rows)
            steps = np.ldexp(1.0, np.frexp(np.abs(exact).max(1) / _INT16)[1]).astype(np.int64)
            whole.centres[block] = [seen.centre(sighting) for sighting in sightings]
            whole.nearest[block] = [seen.nearest(sighting) for sighting in sightings]
            whole.bank[block] = np.rint(exact / steps[:, None]).astype(np.int16)
            whole.steps[block] = steps
        return whole


def _lines(text: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(text.tobytes().decode().split("\n"))


def _record(columns: int) -> np.dtype[Any]:
    fields = [("centres", "<i8"), ("nearest", "<i8"), ("steps", "<i8"), ("bank", "<i2", (columns,))]
    return np.dtype(fields)


def _save(path: Path, projection: Projection) -> None:
    records = np.empty(len(projection.steps), _record(projection.bank.shape[1]))
    for name in ("centres", "nearest", "steps", "bank"):
        records[name] = getattr(projection, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            np.save(file, records)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _map(path: Path) -> Projection | None:
    """Return what a file keeps, None where it is missing or damaged."""
    try:
        records = np.load(path, mmap_mode="r")
        centres, nearest, steps = (np.array(records[name]) for name in ("centres", "nearest", "steps"))
    except (OSError, EOFError, ValueError, IndexError):
        return None
    return Projection(centres, nearest, records["bank"], steps)
