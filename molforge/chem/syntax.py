r"""What a raw string may be before RDKit sees it, and what is wrong with one that RDKit cannot read.

Long or deeply nested input makes RDKit hang or crash, and it reads ``CC N``, ``CC\nN`` and ``Cé`` as
something shorter without a word: so the string is judged first.
"""

from __future__ import annotations

import re
from typing import NoReturn

from molforge.errors import RefusedStructure

MAX_LENGTH = 250
"""Characters in a SMILES string."""

_ALLOWED = re.compile(r"[A-Za-z0-9@+\-\[\]()=#/\\%]+")
_FORBIDDEN = re.compile(r"[^A-Za-z0-9@+\-\[\]()=#/\\%]")
_RING_BOND = re.compile(r"%(\d\d)|%\((\d+)\)|(\d)")
_BRACKET_ATOM = re.compile(r"\[[^\]]*\]")
_WORD = re.compile(r"[A-Za-z]+")
_ORGANIC = re.compile(r"(?:Cl|Br|[BCNOPSFIbcnops])+")
_HINTS = {
    ".": "give one molecule, without salt, solvent or second component",
    "*": "wildcard atoms are not structures",
    ":": "write aromatic atoms in lower case, without ':' bonds or atom maps",
    "$": "quadruple bonds are not allowed",
    "~": "any-bonds are not structures",
    ">": "give a structure, not a reaction or a dative bond",
    "|": "CXSMILES extensions are not read",
    " ": "write the string without spaces",
}


def check_text(smiles: str) -> None:
    """Refuse a string that is empty, too long or holds anything but plain SMILES characters."""
    if not smiles:
        raise RefusedStructure(smiles, gate="length", reason="the SMILES string is empty")
    if len(smiles) > MAX_LENGTH:
        reason = f"the SMILES string has {len(smiles)} characters; at most {MAX_LENGTH} are allowed"
        raise RefusedStructure(smiles[:MAX_LENGTH], gate="length", reason=reason)
    if _ALLOWED.fullmatch(smiles):
        return
    found = _FORBIDDEN.search(smiles)
    character = found.group() if found else ""
    hint = _HINTS.get(character, "allowed are letters, digits and @ + - [ ] ( ) = # / \\ %")
    position = found.start() + 1 if found else 1
    gate = "fragments" if character == "." else "characters"
    raise RefusedStructure(
        smiles, gate=gate, reason=f"character {character!r} at position {position}: {hint}"
    )


def refuse_unreadable(smiles: str) -> NoReturn:
    """Raise the most helpful reason why RDKit could not read ``smiles``."""
    raise RefusedStructure(smiles, gate="syntax", reason=f"not valid SMILES: {_diagnose(smiles)}")


def _diagnose(smiles: str) -> str:
    if smiles.count("[") != smiles.count("]"):
        return "a bracket [ ] is not closed"
    bare = _BRACKET_ATOM.sub(lambda atom: "C".ljust(len(atom.group()), "\0"), smiles)
    if trouble := _parentheses(bare):
        return trouble
    if open_rings := _open_rings(bare):
        label = ", ".join(open_rings)
        return f"ring bond {label} is opened and never closed"
    for word in _WORD.findall(bare):
        if not _ORGANIC.fullmatch(word):
            return f"{word!r} is not a run of element symbols (others than B C N O P S F Cl Br I go in [ ])"
    return "check ring digits, branches and bracket atoms"


def _parentheses(bare: str) -> str | None:
    depth = 0
    for position, character in enumerate(bare, start=1):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return f"')' at position {position} closes nothing"
    return f"{depth} '(' not closed" if depth else None


def _open_rings(bare: str) -> list[str]:
    opened: dict[str, None] = {}
    for match in _RING_BOND.finditer(bare):
        label = next(group for group in match.groups() if group is not None)
        if label in opened:
            del opened[label]
        else:
            opened[label] = None
    return list(opened)
