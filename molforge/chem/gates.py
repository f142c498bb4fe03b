"""What a laboratory would make: one gate after another, cheapest first, the first refusal explained.

Limits and their measured pass rates: see ``docs`` and the tests. Gates that stand before ``check`` in
``GATES`` belong to ``structure.parse``: what they refuse is no ``Structure`` at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from molforge.chem import environments as known
from molforge.chem import instability, properties
from molforge.chem.standard import MAX_HEAVY_ATOMS, name
from molforge.chem.structure import Structure
from molforge.chem.tautomers import preferred
from molforge.errors import RefusedStructure

READING_GATES = (
    "length", "characters", "syntax", "fragments", "size", "rings", "element", "isotope", "valence",
    "aromaticity", "radical",
)  # fmt: skip
MIN_HEAVY_ATOMS = 12
MAX_NET_CHARGE, MAX_CHARGES = 1, 4
MAX_RINGS, MAX_RING_SIZE, MAX_SMALL_RINGS, MAX_BRIDGEHEADS = 7, 8, 2, 4
MAX_STEREOCENTRES = 6
MAX_NOVEL_SHARE = 0.15
"""Share of a compound's radius-2 environments that no reference compound has."""
LOGP_RANGE = (-2.0, 6.5)
MAX_TPSA, MAX_HBD, MAX_ROTATABLE_BONDS = 180.0, 6, 14
MAX_ACCESSIBILITY = 4.5
"""Ertl and Schuffenhauer's synthetic accessibility, 1 easy to 10 hard."""


def check(structure: Structure) -> None:
    """Raise ``RefusedStructure`` at the first gate; atoms are counted in ``structure.smiles``, from 0."""
    for refuse in _CHECKS.values():
        refuse(structure)


def refusals(structure: Structure) -> tuple[str, ...]:
    """Return every gate that refuses a structure, not only the first."""
    return tuple(gate for gate, refuse in _CHECKS.items() if _refuses(refuse, structure))


def admit(structure: Structure) -> Structure:
    """Return a compound in the drawing that is registered; raise ``RefusedStructure`` where none may be made.

    That is the preferred drawing of its tautomers, unless only the drawing as given passes the gates.
    """
    better = redrawn(structure)
    if better is structure:
        check(structure)
    return better


def redrawn(structure: Structure) -> Structure:
    """Return the preferred drawing where it may be made, else the structure as it is; gates unasked."""
    better = preferred(structure)
    return better if better is not structure and is_makeable(better) else structure


def admitted(structure: Structure) -> Structure | None:
    """Return what ``admit`` does, None where it refuses."""
    try:
        return admit(structure)
    except RefusedStructure:
        return None


def is_makeable(structure: Structure) -> bool:
    """Return whether every gate lets the structure pass."""
    return not _refuses(check, structure)


def _refuses(refuse: Callable[[Structure], None], structure: Structure) -> bool:
    try:
        refuse(structure)
    except RefusedStructure:
        return True
    return False


def _check_size(structure: Structure) -> None:
    heavy = structure.mol.GetNumHeavyAtoms()
    if not MIN_HEAVY_ATOMS <= heavy <= MAX_HEAVY_ATOMS:
        _refuse(structure, "size", f"{heavy} heavy atoms; {MIN_HEAVY_ATOMS} to {MAX_HEAVY_ATOMS} are allowed")


def _check_charge(structure: Structure) -> None:
    if "+" not in structure.smiles and "-" not in structure.smiles:
        return
    charges = [atom.GetFormalCharge() for atom in structure.mol.GetAtoms()]
    net, total = sum(charges), sum(map(abs, charges))
    if abs(net) > MAX_NET_CHARGE or total > MAX_CHARGES:
        atom = next(index for index, charge in enumerate(charges) if charge)
        reason = f"net charge {net:+d} and {total} charged positions after neutralisation; at most 1 and 4"
        _refuse(structure, "charge", reason, atom)


def _check_rings(structure: Structure) -> None:
    mol = structure.mol
    rings = mol.GetRingInfo().AtomRings()
    if len(rings) > MAX_RINGS:
        _refuse(structure, "rings", f"{len(rings)} rings; at most {MAX_RINGS} are allowed")
    for ring in rings:
        if len(ring) > MAX_RING_SIZE:
            reason = f"a ring of {len(ring)} atoms at {_atom(mol, ring[0])}; at most {MAX_RING_SIZE}"
            _refuse(structure, "rings", reason, ring[0])
    small = [ring for ring in rings if len(ring) <= 4]
    if len(small) > MAX_SMALL_RINGS:
        reason = f"{len(small)} three- and four-membered rings; at most {MAX_SMALL_RINGS}"
        _refuse(structure, "rings", reason, small[-1][0])
    bridgeheads = rdMolDescriptors.CalcNumBridgeheadAtoms(mol)
    if bridgeheads > MAX_BRIDGEHEADS:
        _refuse(structure, "rings", f"{bridgeheads} bridgehead atoms; at most {MAX_BRIDGEHEADS}")


def _check_stereocentres(structure: Structure) -> None:
    centres = rdMolDescriptors.CalcNumAtomStereoCenters(structure.mol)
    if centres > MAX_STEREOCENTRES:
        _refuse(structure, "stereocentres", f"{centres} stereocentres; at most {MAX_STEREOCENTRES}")


def _check_environments(structure: Structure) -> None:
    found = known.environments_of(structure)
    if rare := known.unknown(found.near, known.reference().near):
        atom = known.centre(structure.mol, rare[0])
        reason = (
            f"{_atom(structure.mol, atom)} with its direct neighbours is a bonding pattern that fewer "
            "than 5 reference compounds have; use a familiar functional group there"
        )
        _refuse(structure, "environment", reason, atom)


def _check_novelty(structure: Structure) -> None:
    found = known.environments_of(structure)
    novel = known.unknown(found.far, known.reference().far)
    if novel and len(novel) > MAX_NOVEL_SHARE * len(found.far):
        atom = known.centre(structure.mol, novel[0])
        reason = (
            f"{len(novel)} of {len(found.far)} two-bond surroundings are in no reference compound, "
            f"for instance around {_atom(structure.mol, atom)}; at most {MAX_NOVEL_SHARE:.0%} may be new"
        )
        _refuse(structure, "novelty", reason, atom)


def _check_instability(structure: Structure) -> None:
    found = instability.find(structure)
    if found is not None:
        where = ", ".join(_atom(structure.mol, atom) for atom in found.atoms[:3])
        reason = f"{found.name} at {where}: unstable or unmakeable, not allowed"
        _refuse(structure, "instability", reason, found.atoms[0])


def _check_ring_systems(structure: Structure) -> None:
    systems = {system.key: system for system in known.ring_systems_of(structure)}
    if not systems:
        return
    if rare := known.unknown(frozenset(systems), known.reference().rings):
        system = systems[rare[0]]
        drawn = Chem.MolFragmentToSmiles(structure.mol, (*system.atoms, *system.outer), isomericSmiles=False)
        reason = (
            f"the ring system {drawn} at {_atom(structure.mol, system.atoms[0])} is in fewer than 10 known "
            "compounds; use a familiar one"
        )
        _refuse(structure, "ring_system", reason, system.atoms[0])


def _check_logp(structure: Structure) -> None:
    low, high = LOGP_RANGE
    if not low <= (logp := properties.logp(structure)) <= high:
        _refuse(structure, "logp", f"computed logP {logp:.2f}; {low:g} to {high:g} is allowed")


def _check_tpsa(structure: Structure) -> None:
    if (tpsa := rdMolDescriptors.CalcTPSA(structure.mol)) > MAX_TPSA:
        _refuse(structure, "tpsa", f"polar surface {tpsa:.0f} A^2; at most {MAX_TPSA:.0f}")


def _check_hbd(structure: Structure) -> None:
    if (donors := rdMolDescriptors.CalcNumHBD(structure.mol)) > MAX_HBD:
        _refuse(structure, "hbd", f"{donors} hydrogen-bond donors; at most {MAX_HBD}")


def _check_rotatable_bonds(structure: Structure) -> None:
    mol = structure.mol
    chain_bonds = mol.GetNumBonds() - len({bond for ring in mol.GetRingInfo().BondRings() for bond in ring})
    if chain_bonds <= MAX_ROTATABLE_BONDS:
        return
    if (rotors := rdMolDescriptors.CalcNumRotatableBonds(mol)) > MAX_ROTATABLE_BONDS:
        _refuse(structure, "rotatable_bonds", f"{rotors} rotatable bonds; at most {MAX_ROTATABLE_BONDS}")


def _check_synthesis(structure: Structure) -> None:
    score = properties.accessibility(structure)
    if score > MAX_ACCESSIBILITY:
        reason = f"synthetic accessibility {score:.2f} (1 easy, 10 hard); at most {MAX_ACCESSIBILITY} is made"
        _refuse(structure, "synthesis", reason)


def _refuse(structure: Structure, gate: str, reason: str, atom: int | None = None) -> NoReturn:
    raise RefusedStructure(structure.smiles, gate=gate, reason=reason, atom=atom)


def _atom(mol: Any, index: int) -> str:
    return name(mol.GetAtomWithIdx(index))


_CHECKS: Mapping[str, Callable[[Structure], None]] = {
    "size": _check_size,
    "charge": _check_charge,
    "rings": _check_rings,
    "stereocentres": _check_stereocentres,
    "environment": _check_environments,
    "novelty": _check_novelty,
    "instability": _check_instability,
    "ring_system": _check_ring_systems,
    "logp": _check_logp,
    "tpsa": _check_tpsa,
    "hbd": _check_hbd,
    "rotatable_bonds": _check_rotatable_bonds,
    "synthesis": _check_synthesis,
}
MAKING_GATES: tuple[str, ...] = tuple(_CHECKS)
GATES: tuple[str, ...] = tuple(dict.fromkeys((*READING_GATES, *MAKING_GATES)))
"""Every gate a refusal can name, in order."""
