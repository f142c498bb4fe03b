"""Probes: may one compound be drawn in another way to buy a second draw?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from envs.environment import MolforgeEnvironment
from molforge.actions import Action, ActionType
from molforge.chem.series import Series
from molforge.chem.structure import parse
from redteam.attacks import Finding

COMPOUNDS = (
    "CC(=O)Nc1ccc(OCCN2CCCCC2)cc1",
    "O=C(NCc1ccccc1)c1ccc(N2CCOCC2)nc1",
    "COc1ccc(CNC(=O)c2ccccc2Cl)cc1",
    "O=C(O)c1ccc(CN2CCN(c3ccccc3)CC2)cc1",
    "Cc1nc2ccccc2[nH]c1=O",
    "Nc1ncnc2c1ncn2Cc1ccc(C(=O)NC2CCCC2)cc1",
    "C[C@H](NC(=O)c1ccc(-c2c[nH]cn2)cc1)c1ccccc1",
)
CLAIMED = (
    (
        "Cc1n[nH]c2ccc(OCCCN3CCCC3)cc12",
        "CN(C)CCc1cccc(N/N=C2\\C(=O)NN=C2c2ccc3[nH]nc(O)c3c2)c1",
        "CN(C)CCc1cccc(N=Nc2c(-c3ccc4[nH][nH]c(=O)c4c3)n[nH]c2O)c1",
    ),
    ("CCc1cnc2ccccc2c1", "O=c1ccc2cc(CNC(=O)C3CCNCC3)ccc2[nH]1", "Oc1ccc2cc(CNC(=O)C3CCNCC3)ccc2n1"),
    ("CCn1cnc2ccccc21", "O=c1[nH]c2ccc(CN3CCOCC3)cc2[nH]1", "Oc1nc2ccc(CN3CCOCC3)cc2[nH]1"),
    ("Cc1nccc2ccccc12", "O=c1[nH]ccc2cc(CN3CCCCC3)ccc12", "Oc1nccc2cc(CN3CCCCC3)ccc12"),
)
"""A lead, and one compound in two drawings that has the lead's fused rings and little else of it."""
ASSAYS = ("potency", "logd")
MAX_QUOTE_GAP = 4.0
"""Credits, of a budget of 1,200, that shopping among drawings of one compound may save."""


def readings(drawings: tuple[str, ...]) -> list[Any]:
    """Return what a fresh programme says when these drawings are assayed one after the other.

    A pair each: what is told of the compound, and the readings.
    """
    environment = MolforgeEnvironment()
    environment.reset({"task_id": "potency", "seed": 3})
    told = []
    for smiles in drawings:
        step = environment.step(Action(action_type=ActionType.ASSAY, smiles=(smiles,), assays=ASSAYS))
        seen = step.observation
        told.append([seen["compounds"], [[r["assay"], r["value"]] for r in seen["readings"]]])
    return told


@lru_cache(maxsize=64)
def _base(smiles: str) -> Any:
    return readings((smiles,))[0]


def _verdict(kind: str, pairs: Iterator[tuple[str, str]]) -> Finding:
    """Every second drawing must be refused, or be the very same compound with the very same readings."""
    same = refused = 0
    dearest = 0.0
    for smiles, drawn in pairs:
        first, alone = _base(smiles), readings((drawn,))[0]
        if not alone[1] and alone[0] and "refused" in alone[0][0]:
            refused += 1
            continue
        if alone[1] != first[1] or not alone[1]:
            return Finding(held=False, detail=f"{drawn} is read {alone[1]}, {smiles} {first[1]}")
        both = readings((smiles, drawn))
        if both[1][0] and both[1][0][0]["id"] != both[0][0][0]["id"]:
            return Finding(held=False, detail=f"{drawn} was registered beside {smiles}")
        dearest = max(dearest, abs(alone[0][0]["make_price"] - first[0][0]["make_price"]))
        same += 1
    found = f"{kind}: {same} the same compound, {refused} refused, quotes {dearest:.1f} credits apart at most"
    return Finding(held=same + refused > 0 and dearest <= MAX_QUOTE_GAP, detail=found)


def _able() -> Iterator[tuple[str, Any]]:
    for smiles in COMPOUNDS:
        if "refused" not in str(_base(smiles)[0]):
            yield smiles, Chem.MolFromSmiles(smiles)


def atom_order() -> Finding:
    """Atoms in another order, rings opened elsewhere, Kekule form."""

    def pairs() -> Iterator[tuple[str, str]]:
        for smiles, mol in _able():
            for _ in range(3):
                yield smiles, Chem.MolToSmiles(mol, doRandom=True)
            kekule = Chem.Mol(mol)
            Chem.Kekulize(kekule, clearAromaticFlags=True)
            yield smiles, Chem.MolToSmiles(kekule, kekuleSmiles=True)
            yield smiles, Chem.MolToSmiles(Chem.AddHs(mol))

    return _verdict("orders and Kekule forms", pairs())


def tautomers() -> Finding:
    """Every tautomer that RDKit enumerates with hydrogens on heteroatoms moved."""

    def pairs() -> Iterator[tuple[str, str]]:
        enumerator = rdMolStandardize.TautomerEnumerator()
        enumerator.SetMaxTautomers(6)
        for smiles, mol in _able():
            carbons = _hydrogens_on_carbon(mol)
            for other in list(enumerator.Enumerate(mol))[:6]:
                if _hydrogens_on_carbon(other) == carbons:
                    yield smiles, Chem.MolToSmiles(other)

    return _verdict("tautomers", pairs())


def _hydrogens_on_carbon(mol: Any) -> list[int]:
    return [atom.GetTotalNumHs() for atom in mol.GetAtoms() if atom.GetSymbol() == "C"]


def charges() -> Finding:
    """Protonated amines, deprotonated acids, zwitterions."""
    pairs = (
        ("CC(=O)Nc1ccc(OCCN2CCCCC2)cc1", "CC(=O)Nc1ccc(OCC[NH+]2CCCCC2)cc1"),
        ("O=C(NCc1ccccc1)c1ccc(N2CCOCC2)nc1", "O=C(NCc1ccccc1)c1ccc(N2CCOCC2)[nH+]c1"),
        ("O=C(O)c1ccc(CN2CCN(c3ccccc3)CC2)cc1", "O=C([O-])c1ccc(CN2CCN(c3ccccc3)CC2)cc1"),
        ("O=C(O)c1ccc(CN2CCN(c3ccccc3)CC2)cc1", "O=C([O-])c1ccc(C[NH+]2CCN(c3ccccc3)CC2)cc1"),
    )
    return _verdict("charges", iter(pairs))


def isotopes() -> Finding:
    """Heavy carbon, deuterium, tritium."""

    def pairs() -> Iterator[tuple[str, str]]:
        for smiles, mol in _able():
            for number in (13, 14):
                marked = Chem.Mol(mol)
                next(a for a in marked.GetAtoms() if a.GetSymbol() == "C").SetIsotope(number)
                yield smiles, Chem.MolToSmiles(marked)
            yield smiles, "[2H]" + smiles if smiles[0] == "C" else smiles.replace("c1", "c([2H])1", 1)

    return _verdict("isotopes", pairs())


def salts() -> Finding:
    """Counter-ions, solvents, two copies."""

    def pairs() -> Iterator[tuple[str, str]]:
        for smiles, _ in _able():
            for other in ("Cl", "[Na+].[Cl-]", "O", smiles, "C(F)(F)(F)C(=O)O"):
                yield smiles, f"{smiles}.{other}"

    return _verdict("salts", pairs())


def atom_maps() -> Finding:
    """Atom map numbers."""

    def pairs() -> Iterator[tuple[str, str]]:
        for smiles, mol in _able():
            mapped = Chem.Mol(mol)
            for atom in mapped.GetAtoms():
                atom.SetAtomMapNum(atom.GetIdx() + 1)
            yield smiles, Chem.MolToSmiles(mapped)
            mapped.GetAtomWithIdx(0).SetAtomMapNum(999)
            yield smiles, Chem.MolToSmiles(mapped)

    return _verdict("atom maps", pairs())


def cxsmiles() -> Finding:
    """ChemAxon extensions, names after a blank, line ends, zero-width and full-width characters."""
    endings = (" |$R1;;;$|", " |o1:1|", " aspirin", "\tname", "\n", "\u200b", " |c:1|", "\x00")

    def pairs() -> Iterator[tuple[str, str]]:
        for smiles, _ in _able():
            for ending in endings:
                yield smiles, smiles + ending

    return _verdict("extensions", pairs())


def claims() -> Finding:
    """Two drawings of one compound, against claims on leads that share no more than fused rings with it."""
    leads = [Series(parse(smiles)) for smiles, _, _ in CLAIMED]
    apart, inside = [], 0
    for number, (_, smiles, drawn) in enumerate(CLAIMED):
        first, second = parse(smiles), parse(drawn)
        if first != second:
            return Finding(held=False, detail=f"{smiles} and {drawn} are two compounds")
        inside += leads[number].covers(first)
        apart += [drawn for lead in leads if lead.covers(first) != lead.covers(second)]
    detail = f"{inside} of {len(CLAIMED)} inside the claim they belong to; drawings that leave one: {apart}"
    return Finding(held=inside == len(CLAIMED) and not apart, detail=detail)


def duplicates() -> Finding:
    """One compound many times in one call: as SMILES, as id, in two drawings."""
    environment = MolforgeEnvironment()
    environment.reset({"task_id": "potency", "seed": 3})
    before = environment.state()["budget_left"]
    step = environment.step(
        Action(action_type=ActionType.ASSAY, compounds=("M1", "m1", " M1"), assays=("logd", "LOGD", "logd "))
    )
    seen = step.observation
    paid = round(before - seen["budget_left"], 6)
    values = {reading["value"] for reading in seen["readings"]}
    held = len(seen["readings"]) == 1 and len(values) == 1
    return Finding(held=held, detail=f"{len(seen['readings'])} reading for {paid:g} credits")
