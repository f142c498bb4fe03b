"""Blind random edits of a structure, for pools and searches: one small mutation, or a cross of two parents.

The moves are those of a graph genetic algorithm (Jensen 2019, doi:10.1039/C8SC05372C), done on a Kekule
copy of the molecule: attach, swap an atom, insert, delete, change a bond, close or open a ring, swap a ring,
walk a substituent, prune. Products are valid molecules and nothing more: whoever wants them makeable asks
``gates.check``. The same structure and the same state of the generator give the same product.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rdkit import Chem

from molforge.chem.fragments import PENDANTS, RINGS, SPACERS
from molforge.chem.structure import Structure, parse
from molforge.errors import RefusedStructure

ATTEMPTS = 8
"""Edits that are tried before giving up."""

_SINGLE, _DOUBLE, _TRIPLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE
_ORDERS = {1: _SINGLE, 2: _DOUBLE, 3: _TRIPLE}
_VALENCE = {6: 4, 7: 3, 8: 2, 16: 2, 9: 1, 17: 1, 35: 1}
_ELEMENTS = (6, 6, 6, 7, 7, 7, 8, 8, 9, 9, 17, 16, 35)
_RING_SIZES = (5, 6, 6, 5, 3, 7, 4)


def _query(smarts: str) -> Any:
    return Chem.MolFromSmarts(smarts)


_GROWABLE = _query("[*;!H0;+0]")
_NEUTRAL = _query("[+0]")
_CHAIN_BOND = _query("[+0]-;!@[+0]")
_CHAIN_END = _query("[D1;+0]~[*;+0]")
_CHAIN_LINK = _query("[+0]-[D2;+0;!a]-[+0]")
_RING_BOND = _query("[+0]@;!:[+0]")
_SATURATED_PAIR = _query("[#6;!H0;!a]-[#6,#7;!H0;!a]")
_MULTIPLE_PAIR = _query("[#6,#7,#8;!a]=,#[#6,#7;!a]")
_PENDANT = _query("[*;R;+0]-;!@[+0]")
_WALK = _query("[+0]-;!@[*;R;+0]~;@[*;R;!H0;+0]")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A Kekule copy under edit: ``mol`` is what was given, ``copy`` what changes."""

    mol: Any
    copy: Any
    rng: random.Random

    def pick(self, query: Any) -> tuple[int, ...] | None:
        """Return a random match of the query in the given molecule."""
        matches = self.mol.GetSubstructMatches(query, uniquify=False, maxMatches=400)
        return self.rng.choice(matches) if matches else None

    def join(self, first: int, second: int, order: int = 1) -> None:
        """Bond two atoms, or change the bond between them; hydrogens follow."""
        bond = self.copy.GetBondBetweenAtoms(first, second)
        if bond is None:
            self.copy.AddBond(first, second, _ORDERS[order])
        else:
            bond.SetBondType(_ORDERS[order])
        self.loosen(first, second)

    def cut(self, first: int, second: int) -> None:
        """Remove a bond; hydrogens follow."""
        self.copy.RemoveBond(first, second)
        self.loosen(first, second)

    def loosen(self, *atoms: int) -> None:
        """Let RDKit count the hydrogens of these atoms afresh."""
        for index in atoms:
            atom = self.copy.GetAtomWithIdx(index)
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)

    def graft(self, fragment: Any) -> int:
        """Add a fragment without bonding it; return the index of its first atom."""
        offset: int = self.copy.GetNumAtoms()
        self.copy.InsertMol(fragment)
        return offset

    def prune(self, atoms: tuple[int, ...] | list[int]) -> None:
        """Remove atoms; indices change, so this comes last."""
        self.copy.BeginBatchEdit()
        for index in atoms:
            self.copy.RemoveAtom(index)
        self.copy.CommitBatchEdit()

    def side(self, near: int, far: int) -> tuple[int, ...]:
        """Return the atoms on the ``near`` side of a bond that is cut already."""
        parts = Chem.GetMolFrags(self.copy)
        return next(part for part in parts if near in part and far not in part)


def mutate(structure: Structure, rng: random.Random, *, max_heavy_atoms: int = 50) -> Structure | None:
    """Return another compound one random edit away; None if nothing valid came out."""
    for mol in mutations(structure, rng, max_heavy_atoms=max_heavy_atoms):
        product = _written(mol)
        if product is not None and product.identity != structure.identity:
            return product
    return None


def crossover(
    a: Structure, b: Structure, rng: random.Random, *, max_heavy_atoms: int = 50
) -> Structure | None:
    """Return a part of ``a`` joined to a part of ``b`` by a single bond outside rings, or None."""
    for mol in recombinations(a, b, rng, max_heavy_atoms=max_heavy_atoms):
        product = _written(mol)
        if product is not None and product.identity not in (a.identity, b.identity):
            return product
    return None


def mutations(structure: Structure, rng: random.Random, *, max_heavy_atoms: int = 50) -> Iterator[Any]:
    """Yield sanitised RDKit molecules one random edit away, as many as ``ATTEMPTS`` bring.

    They are not yet written in their canonical form, which takes longer than the edit.
    """
    for _ in range(ATTEMPTS):
        draft = _Draft(structure.mol, _copy_to_edit(structure), rng)
        edit = rng.choices(_MOVES, _WEIGHTS)[0]
        if edit(draft) and _sanitised(draft.copy, max_heavy_atoms):
            yield draft.copy


def recombinations(
    a: Structure, b: Structure, rng: random.Random, *, max_heavy_atoms: int = 50
) -> Iterator[Any]:
    """Yield sanitised RDKit molecules made of a part of each, as many as ``ATTEMPTS`` bring."""
    for _ in range(ATTEMPTS):
        left, right = _cut_open(a, rng), _cut_open(b, rng)
        if left is None or right is None:
            return
        draft = _Draft(left.copy, left.copy, rng)
        offset = draft.graft(right.copy)
        draft.join(left.end, right.end + offset)
        keep = set(left.kept) | {offset + index for index in right.kept}
        if not 4 <= len(keep) <= max_heavy_atoms:
            continue
        draft.prune([index for index in range(draft.copy.GetNumAtoms()) if index not in keep])
        if _sanitised(draft.copy, max_heavy_atoms):
            yield draft.copy


@dataclass(frozen=True, slots=True)
class _Cut:
    copy: Any
    end: int
    kept: tuple[int, ...]


def _cut_open(structure: Structure, rng: random.Random) -> _Cut | None:
    draft = _Draft(structure.mol, _copy_to_edit(structure), rng)
    bond = draft.pick(_CHAIN_BOND)
    if bond is None:
        return None
    draft.cut(*bond)
    return _Cut(draft.copy, bond[0], draft.side(*bond))


def _copy_to_edit(structure: Structure) -> Any:
    return Chem.RWMol(structure.once("kekule", lambda whole: _editable(whole.mol)))


def _editable(mol: Any) -> Any:
    copy = Chem.RWMol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=True)
    # double-bond geometry is no part of identity, and its marks would dangle after an edit
    for bond in copy.GetBonds():
        if bond.GetStereo():
            bond.SetStereo(Chem.BondStereo.STEREONONE)
    return copy


def _sanitised(copy: Any, max_heavy_atoms: int) -> bool:
    """Sanitise in place; say whether a valid molecule of a sensible size came out."""
    if not 4 <= copy.GetNumAtoms() <= max_heavy_atoms:
        return False
    return bool(Chem.SanitizeMol(copy, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE)


def _written(mol: Any) -> Structure | None:
    try:
        return parse(Chem.MolToSmiles(mol))
    except RefusedStructure:
        return None


def _attach(draft: _Draft) -> bool:
    """Replace a hydrogen by a group."""
    atom = draft.pick(_GROWABLE)
    if atom is None:
        return False
    draft.join(atom[0], draft.graft(draft.rng.choice(PENDANTS)))
    return True


def _swap_atom(draft: _Draft) -> bool:
    """Exchange the element of one atom, where its bonds allow it."""
    match = draft.pick(_NEUTRAL)
    if match is None:
        return False
    atom = draft.copy.GetAtomWithIdx(match[0])
    bonds = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())
    fitting = [z for z in _ELEMENTS if _VALENCE[z] >= bonds and z != atom.GetAtomicNum()]
    if not fitting:
        return False
    atom.SetAtomicNum(draft.rng.choice(fitting))
    draft.loosen(match[0])
    return True


def _insert(draft: _Draft) -> bool:
    """Put a linker into a chain bond."""
    bond = draft.pick(_CHAIN_BOND)
    if bond is None:
        return False
    spacer = draft.rng.choice(SPACERS)
    first = draft.graft(spacer.mol)
    draft.copy.RemoveBond(*bond)
    draft.join(bond[0], first)
    draft.join(bond[1], first + spacer.exit)
    return True


def _delete(draft: _Draft) -> bool:
    """Remove a chain end, or a two-bonded atom whose neighbours then meet."""
    if draft.rng.random() < 0.5:
        match = draft.pick(_CHAIN_END)
        if match is None:
            return False
        draft.cut(*match)
        draft.prune(match[:1])
        return True
    link = draft.pick(_CHAIN_LINK)
    if link is None or draft.copy.GetBondBetweenAtoms(link[0], link[2]) is not None:
        return False
    draft.join(link[0], link[2])
    draft.prune(link[1:2])
    return True


def _change_bond(draft: _Draft) -> bool:
    """Saturate or unsaturate one bond outside aromatic rings."""
    if draft.rng.random() < 0.5:
        match = draft.pick(_SATURATED_PAIR)
        order = 2
    else:
        match = draft.pick(_MULTIPLE_PAIR)
        order = 1
    if match is None:
        return False
    draft.join(match[0], match[1], order)
    return True


def _close_ring(draft: _Draft) -> bool:
    """Bond two atoms that have hydrogens and lie a ring apart."""
    start = draft.pick(_GROWABLE)
    if start is None:
        return False
    size = draft.rng.choice(_RING_SIZES)
    distances = Chem.GetDistanceMatrix(draft.mol)[start[0]]
    ends = [index for (index,) in draft.mol.GetSubstructMatches(_GROWABLE) if distances[index] == size - 1]
    if not ends:
        return False
    draft.join(start[0], draft.rng.choice(ends))
    return True


def _open_ring(draft: _Draft) -> bool:
    """Cut one ring bond that is not aromatic."""
    bond = draft.pick(_RING_BOND)
    if bond is None:
        return False
    draft.cut(*bond)
    return True


def _swap_ring(draft: _Draft) -> bool:
    """Replace everything beyond a bond to a ring by another ring."""
    bond = draft.pick(_PENDANT)
    if bond is None:
        return False
    draft.cut(*bond)
    gone = draft.side(*bond)
    if len(gone) > 12:
        return False
    draft.join(bond[1], draft.graft(draft.rng.choice(RINGS)))
    draft.prune(gone)
    return True


def _walk(draft: _Draft) -> bool:
    """Move a substituent to the next ring atom."""
    match = draft.pick(_WALK)
    if match is None:
        return False
    substituent, here, there = match
    draft.cut(substituent, here)
    draft.join(substituent, there)
    return True


def _prune(draft: _Draft) -> bool:
    """Cut off the smaller side of a chain bond."""
    bond = draft.pick(_CHAIN_BOND)
    if bond is None:
        return False
    draft.cut(*bond)
    parts = [draft.side(bond[0], bond[1]), draft.side(bond[1], bond[0])]
    draft.prune(min(parts, key=len))
    return True


_MOVE_WEIGHTS: dict[Callable[[_Draft], bool], float] = {
    _attach: 0.28,
    _swap_atom: 0.18,
    _insert: 0.10,
    _delete: 0.12,
    _change_bond: 0.05,
    _close_ring: 0.05,
    _open_ring: 0.02,
    _swap_ring: 0.10,
    _walk: 0.06,
    _prune: 0.04,
}
_MOVES = list(_MOVE_WEIGHTS)
_WEIGHTS = list(_MOVE_WEIGHTS.values())
