"""Named medicinal-chemistry edits: what ``suggest`` offers to an agent that cannot write SMILES.

The rows are in ``transformation_table``. A suggestion has passed every gate and is another compound than the
one it came from; whether it is a better one, only an assay tells.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdChemReactions

from molforge.chem import gates
from molforge.chem.structure import Structure, parse
from molforge.chem.transformation_table import ROWS
from molforge.errors import AgentError, RefusedStructure, did_you_mean

MAX_PRODUCTS = 64
"""Products of one reaction on one structure that are looked at."""


@dataclass(frozen=True, slots=True)
class Transformation:
    """One named edit."""

    name: str
    description: str
    reactions: tuple[str, ...]
    """Reaction SMARTS, tried alike."""
    before: str
    after: str
    """A worked example: ``after`` is among the products of ``before``."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One structure that a named edit makes of another."""

    smiles: str
    transformation: str


TRANSFORMATIONS: Mapping[str, Transformation] = MappingProxyType(
    {row.name: Transformation(*row) for row in ROWS}
)


def suggest(
    structure: Structure, *, transformation: str | None, n: int, rng: random.Random
) -> list[Suggestion]:
    """Return up to ``n`` makeable compounds one named edit away, distinct and other than the input.

    With ``transformation`` None the edits take turns in random order. Fewer come back, or none, where the
    edits do not apply. The same structure and state of ``rng`` give the same list. Raises ``AgentError`` for
    a name that is not in ``TRANSFORMATIONS``.
    """
    if transformation is not None and transformation not in TRANSFORMATIONS:
        hint = did_you_mean(transformation, tuple(TRANSFORMATIONS))
        raise AgentError(f"no transformation named {transformation!r}{hint}")
    structure = structure.in_full()
    names = [transformation] if transformation else rng.sample(list(TRANSFORMATIONS), len(TRANSFORMATIONS))
    turns = [(name, _shuffled(structure, name, rng)) for name in names]
    seen = {structure.identity}
    found: list[Suggestion] = []
    while turns and len(found) < n:
        waiting = []
        for name, products in turns:
            if len(found) == n:
                break
            product = _next_makeable(products, seen)
            if product is not None:
                seen.add(product.identity)
                found.append(Suggestion(product.smiles, name))
                waiting.append((name, products))
        turns = waiting
    return found


def products(structure: Structure, transformation: Transformation) -> list[Structure]:
    """Return all distinct products of one edit, gates not asked, in a fixed order."""
    found: dict[str, Structure] = {}
    for smiles in _product_texts(structure, transformation.name):
        product = _parsed(smiles)
        if product is not None and product.identity != structure.identity:
            found.setdefault(product.identity, product)
    return list(found.values())


def _shuffled(structure: Structure, name: str, rng: random.Random) -> Iterator[str]:
    # a number is drawn per edit whether it applies or not: the order of the others does not hang on it
    own = random.Random(rng.getrandbits(64))
    return _shuffled_products(structure, name, own)


def _shuffled_products(structure: Structure, name: str, rng: random.Random) -> Iterator[str]:
    texts = _product_texts(structure, name)
    rng.shuffle(texts)
    yield from texts


def _next_makeable(products: Iterator[str], seen: set[str]) -> Structure | None:
    for smiles in products:
        product = _parsed(smiles)
        if product is None or product.identity in seen:
            continue
        admitted = gates.admitted(product)
        if admitted is not None:
            return admitted
    return None


def _parsed(smiles: str) -> Structure | None:
    try:
        return parse(smiles)
    except RefusedStructure:
        return None


def _product_texts(structure: Structure, name: str) -> list[str]:
    """Return the distinct products of an edit as RDKit writes them, unsanitised, sorted."""
    texts = set()
    for reaction in _reactions(name):
        if reaction.IsMoleculeReactant(structure.mol):
            for (product,) in reaction.RunReactants((structure.mol,), maxProducts=MAX_PRODUCTS):
                texts.add(Chem.MolToSmiles(product))
    return sorted(texts)


@cache
def _reactions(name: str) -> tuple[Any, ...]:
    return tuple(_compile(smarts) for smarts in TRANSFORMATIONS[name].reactions)


def _compile(smarts: str) -> Any:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    reaction.Initialize()
    return reaction
