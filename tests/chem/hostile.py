"""Run by ``test_bombs`` in a process of its own: answers hostile strings and prints how long each took."""

import json
import sys
import time

from molforge.chem import gates
from molforge.chem.structure import parse
from molforge.errors import RefusedStructure


def ladderane(rungs: int) -> str:
    """Return fused cyclobutanes: up one side, down the other, a ring bond for every rung but the last."""
    side = [f"C%({10 + rung})" for rung in range(rungs - 1)]
    return "".join(side) + "CC" + "".join(reversed(side))


def lattice(side: int, atom: str) -> str:
    """Return a square grid of atoms with every neighbour bonded by ring-closure digits."""
    labels = {}
    rows = []
    for y in range(side):
        row = ""
        for x in range(side):
            row += atom
            if (x, y) in labels:
                row += f"%{labels[x, y]:02d}"
            if y + 1 < side:
                labels[x, y + 1] = 10 + (y * side + x) % 90
                row += f"%{labels[x, y + 1]:02d}"
        rows.append(row)
    return ".".join(rows)


def dense(atom: str, atoms: int, step: int) -> str:
    """Return a chain in which every atom is bonded to the one ``step`` further."""
    text = ""
    for index in range(atoms):
        text += atom
        if index >= step:
            text += f"%{10 + (index - step) % 80}"
        if index + step < atoms:
            text += f"%{10 + index % 80}"
    return text


BOMBS = {
    "100,000 carbons": "C" * 100_000,
    "nested 50,000 deep": "C(" * 50_000 + "C" + ")" * 50_000,
    "nested 5,000 deep": "C(" * 5_000 + "C" + ")" * 5_000,
    "nested 80 deep": "C(" * 80 + "C" + ")" * 80,
    "2,000 branches": "C" + "(C)" * 2_000,
    "ladderane 1,000": ladderane(1_000),
    "ladderane 14": ladderane(14),
    "lattice of wildcards": lattice(40, "*"),
    "lattice of carbons": lattice(6, "C"),
    "macrocycle 3,000": "C1" + "C" * 2_998 + "C1",
    "macrocycle 48": "C1" + "C" * 46 + "C1",
    "polyether 2,000": "CCO" * 2_000,
    "1,000 benzenes": "c1ccccc1" * 1_000,
    "6 benzenes": "c1ccccc1" * 6,
    "3,000 fragments": "C." * 3_000,
    "120 fragments": "C." * 120,
    "dense boron": dense("B", 30, 3),
    "dense phosphorus": dense("P", 24, 4),
    "dense uranium": dense("[U]", 24, 4),
    "complete graph of iodine": dense("I", 20, 5),
    "one atom, 40 ring bonds": "C" + "".join(f"%{n}" for n in range(10, 50)) * 2,
    "fullerene-like": "C12=C3C4=C5C6=C1C7=C8C9=C1C%10=C%11C(=C29)C3=C2C3=C4C4=C5C5=C9C6=C7C6=C7C8=C1C1=C8"
    "C%10=C%10C%11=C2C2=C3C3=C4C4=C5C5=C%11C%12=C(C6=C95)C7=C1C1=C%12C5=C%11C4=C3C3=C5C(=C81)C%10=C23",
    "acene of 11 rings": "c1ccc2cc3cc4cc5cc6cc7cc8cc9ccccc9cc8cc7cc6cc5cc4cc3cc2c1",
    "cage": "C12C3C4C1C5C2C3C45",
    "cage of phosphorus": "P12P3P4P1P5P2P3P45",
    "unkekulisable": "c1" * 2 + "c" * 45,
    "pyrroles without hydrogen": "c1ccnc1" * 9,
    "stereo everywhere": "C[C@H](O)" * 16,
    "ring stereo everywhere": "O[C@H]1[C@H](O)[C@H](O)[C@H](O)[C@H](O)[C@H](O)[C@H](O)[C@H]1O",
    "symmetric stars": "C(C(C(C)(C)C)(C(C)(C)C)C(C)(C)C)(C(C(C)(C)C)(C(C)(C)C)C(C)(C)C)C",
    "double bonds 24": "C/C=C/" * 12 + "C",
    "charges": "[NH3+]" + "C[NH2+]" * 20,
    "huge charge": "[C+999999]",
    "huge isotope": "[9999C]",
    "huge hydrogen count": "[CH999999]",
    "huge ring label": "C%(99999)CCCCC%(99999)",
    "explicit hydrogens": "[H]" + "C([H])([H])" * 15 + "[H]",
    "hydrogens only": "[H]" * 60,
    "brackets": "[" * 250,
    "open brackets and parentheses": "([" * 125,
    "digits": "1" * 250,
    "bonds": "=" * 250,
    "slashes": "C/" * 125,
    "percent signs": "C%" * 125,
    "a megabyte of junk": "Zq" * 500_000,
    "a megabyte of spaces": "C" + " " * 1_000_000 + "C",
    "not ASCII": "Cé" * 60,
    "null bytes": "C\0C",
    "quaternary dots": "CC N",
    "stereo groups": "C[C@H](O)C |o1:1|",
    "empty": "",
    "element Z": "[Zz]",
    "aromatic tellurium": "c1cc[te]c1",
    "dative": "N->[Fe]<-N",
    "wildcard ring": "*1****1",
    "recursive look-alike": "[$([#6])]",
}


def answer(smiles: str) -> str:
    """Return what became of a string."""
    try:
        structure = parse(smiles)
        gates.check(structure)
    except RefusedStructure as refused:
        return f"{refused.gate}: {refused.reason}"
    return structure.smiles


def main() -> None:
    """Print one JSON object: name to seconds and answer."""
    answer(
        "CC(=O)Nc1ccc(OCCN2CCOCC2)cc1"
    )  # tables and fragment file are loaded once per process, not per string
    answers = {}
    for name, smiles in BOMBS.items():
        started = time.perf_counter()
        outcome = answer(smiles)
        answers[name] = {"seconds": time.perf_counter() - started, "answer": outcome[:200]}
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
