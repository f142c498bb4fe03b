"""What falls apart, cannot be isolated or no chemist would propose: substructures that are refused.

The list is made against what optimisers find when nothing stops them: aminals, N-N chains, strained and
cumulated unsaturation, naked leaving groups. It is no list of toxicophores; those are flags
(``properties.alerts``). Patterns are grouped by the characters of which the SMILES of a match must hold
one, so that most structures meet only half of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from rdkit.Chem import FilterCatalog

from molforge.chem.structure import Structure

_ACYLATED = "$([#7]-[#6,#15,#16]=[#7,#8,#16])"
_AMINE = f"NX3;!{_ACYLATED};!$([#7]-a)"
_SINGLE_NITROGEN = "#7;!R;!$([#7]=*);!$([#7]-[#7]=*)"
_HALOGEN = "F,Cl,Br,I"
_CH2 = "[CX4H2;!R]"

_ANY = {
    "peroxide": "[OX2]-[OX2]",
    "hydroxylamine": "[OX2H]-[NX3;!$(N-[#6]=[O,S]);!$([N+])]",
    "open-chain hydrazine": f"[{_SINGLE_NITROGEN}]-[{_SINGLE_NITROGEN}]",
    "three linked heteroatoms": "[#7,#8,#16;!R;v2,v3]-[#7,#8,#16;!R;v2,v3]-[#7,#8,#16;!R;v2,v3]",
    "open chain of three nitrogens": "[#7;!R]~[#7;!R]~[#7;!R]",
    "open-chain aminal or hemiaminal ether": (
        f"[{_AMINE}]-!@[CX4]-!@[NX3,OX2;!{_ACYLATED};!$([#8]-[#6]=[#8])]"
    ),
    "open-chain geminal diamine": "[NX3]-!@[CX4;H1,H2]-!@[NX3]",
    "ring nitrogen aminal": f"[NX3;!R]-[CX4;R]-[NX3;R;!{_ACYLATED}]",
    "amide nitrogen aminal": "[NX3;!R]-[CX4;R]-[NX3;R;$(N-C=O)]",
    "hydroxyaminal": "[OX2H]-[CX4;!R]-!@[NX3]",
    "hemiacetal, hemiaminal or geminal diol": ("[OX2H]-[CX4;!$(C(F)(F)F)]-[OX2,SX2,NX3;!R;!$(N-C=O)]"),
    "ortho acid": "[CX4;!$(C(F)(F)F)](-[#7,#8,#16])(-[#7,#8,#16])-[#7,#8,#16]",
    "aromatic seven-membered ring": "[a;r7]",
    "alkyl chain of seven or more": _CH2 * 7,
}
_DOUBLE_BOND = {
    "N-hydroxyurea": "[OX2H]-[NX3]-[CX3](=O)-[NX3]",
    "nitrosamine or nitrite": "O=[NX2]-[#7,#8]",
    "N-acyloxyamine": f"[NX3;!{_ACYLATED}]-[OX2]-[CX3]=O",
    "carbamic or carbonic acid": "[OX2H]-[CX3](=O)-[NX3,OX2]",
    "anhydride": "[CX3](=[O,S])-[OX2,SX2]-[CX3]=[N,O,S]",
    "chain of acylated ureas": "[CX3](=O)-[NX3;!R]-[CX3](=O)-[NX3;!R]-[CX3]=O",
    "enol": "[OX2H]-[CX3]=[CX3;!$(C-[#6]=O)]",
    "enamine with N-H": (
        f"[CX3;!R](-[NX3;H1,H2;!{_ACYLATED}])=[CX3;!$(C-[#6]=[O,N]);!$(C-C#N);!$(C-[N+]=O)]"
    ),
    "methylene enol ether or enamine": "[CX3H2]=[CX3]-[NX3,OX2,SX2]",
    "methylene Michael acceptor": "[CX3H2]=[CX3]-[#6,#16]=O",
    "aldehyde": "[CX3H1](=O)-[#6]",
    "N-H ketimine": "[NX2H]=[CX3;!$(C-[#7])]",
    "N-H imidate": "[NX2H;!R]=[CX3;!R]-[OX2,SX2]",
    "open-chain alkyl imine": "[NX2;!R](-[CX4])=[CX3;!R;!$(C-[#7,#8,#16])]-!@[CX4,#1]",
    "open-chain acyl imine": "[NX2;!R]=[CX3;!R]-[CX3]=[O,N]",
    "cumulated double bonds": "[CX2](=*)=*",
    "open-chain polyene": "[CX3;!R]=[CX3;!R]-[CX3;!R]=[CX3;!R]-[CX3;!R]=[CX3;!R]",
    "three carbonyls in a row": "[CX3](=[N,O,S])-!@[CX3](=[N,O,S])-!@[CX3]=[N,O,S]",
}
_TRIPLE_BOND = {
    "heteroatom on an alkyne": "[CX2](#[CX2])-[#7,#8,#16,F,Cl,Br,I]",
    "acyl cyanide, cyanate or thiocyanate": "[NX1]#[CX2]-[O,S,$(C=O),$(C=N)]",
    "alkyne in a ring": "[R]#[R]",
}
_HALOGENS = {
    "nitrogen halide": f"[{_HALOGEN}]-[#7]",
    "hypohalite": f"[{_HALOGEN}]-[#8]",
    "sulphur halide": f"[{_HALOGEN}]-[#16;!$([#16](F)(F)(F)(F)F)]",
    "phosphorus or boron halide": f"[{_HALOGEN}]-[#5,#15]",
    "acyl or imidoyl halide": f"[{_HALOGEN}]-[CX3]=[#7,#8,#16]",
    "alkyl chloride, bromide or iodide": "[Cl,Br,I]-[CX4;!$(C(F)(F)Cl)]",
    "halogen beside a heteroatom": (
        "[F;!$(FC(F)(F)[N,O,S]);!$(F[CH](F)[N,O,S]);!$(FC(F)(*)[O,S;X2])]-[CX4]-[NX3,OX2,SX2]"
    ),
    "open-chain vinyl halide": "[Cl,Br,I]-[CX3;!R]=[CX3;!R]",
}
_SULPHUR = {
    "disulphide, sulphenamide or sulphenate": "[SX2;!a]-[NX3,OX2,SX2]",
    "sulphinamide or sulphinate": "[SX3;!a](=O)-[NX3,OX2]",
    "thiol": "[SX2H]",
    "alkyl sulphonate": "S(=O)(=O)-[OX2]-[CX4]",
    "acyl sulphone": "S(=O)(=O)-[CX3]=[O,N]",
    "thioaminal": "[SX2]-[CX4;!R]-!@[NX3]",
    "enethiol or thioimidic acid": "[SX2H]-[CX3]=[#6,#7]",
    "open-chain thiocarbonyl": "[SX1]=[#6;!R]",
    "open-chain imine on sulphur": "[SX3,SX4]-[CX3;!R]=[NX2;!R]",
}
_SMALL_RING = {
    "double bond in a three-membered ring": "[r3]=,:[r3]",
    "double bond at a three-membered ring": "[r3]=[!r3]",
    "aromatic three- or four-membered ring": "[a;r3,r4]",
    "cyclobutadiene": "[r4]=[r4]-[r4]=[r4]",
    "epoxide, aziridine or thiirane": "[#7,#8,#16;r3]",
    "four-membered ring with linked heteroatoms": "[#7,#8,#16;r4]~[#7,#8,#16;r4]",
}
_CHARGE = {
    "aliphatic nitro group": "[CX4]-[N+](=O)[O-]",
    "azide or diazo group": "[#6,#7]=[N+]=[#7,#6]",
    "charged carbon": "[#6;+,-]",
    "sulphonium or oxonium": "[#8+,#16+;!$([#16+]-[O-])]",
}
_RARE_ELEMENT = {
    "phosphorus other than phosphate or phosphonate": "[#15;!$(P(=O)([OX2,OX1-])[OX2,OX1-])]",
    "boron other than boronic acid or ester": "[#5;!$(B(-[OX2])-[OX2])]",
}
_SMALL = "3"
"""Stands for a ring of three or four atoms; digits of a string say nothing of ring sizes."""
_GROUPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("", _ANY),
    ("=", _DOUBLE_BOND),
    ("#", _TRIPLE_BOND),
    ("FClBrI", _HALOGENS),
    ("Ss", _SULPHUR),
    (_SMALL, _SMALL_RING),
    ("+-", _CHARGE),
    ("PpB", _RARE_ELEMENT),
)

UNSTABLE: Mapping[str, str] = MappingProxyType({k: v for _, group in _GROUPS for k, v in group.items()})
"""Name to SMARTS of everything that is refused."""


@dataclass(frozen=True, slots=True)
class Instability:
    """The first unstable substructure that was found."""

    name: str
    atoms: tuple[int, ...]


def find(structure: Structure) -> Instability | None:
    """Return the first refused substructure, or None."""
    for catalogue in _relevant(structure):
        entry = catalogue.GetFirstMatch(structure.mol)
        if entry is not None:
            match = entry.GetFilterMatches(structure.mol)[0]
            return Instability(entry.GetDescription(), tuple(int(atom) for _, atom in match.atomPairs))
    return None


def _relevant(structure: Structure) -> Iterator[Any]:
    marks = {mark for mark in structure.smiles if not mark.isdigit()}
    if any(len(ring) <= 4 for ring in structure.mol.GetRingInfo().AtomRings()):
        marks.add(_SMALL)
    for needed, catalogue in _catalogues():
        if not needed or marks.intersection(needed):
            yield catalogue


@cache
def _catalogues() -> tuple[tuple[str, Any], ...]:
    return tuple((needed, _catalogue(patterns)) for needed, patterns in _GROUPS)


def _catalogue(patterns: dict[str, str]) -> Any:
    catalogue = FilterCatalog.FilterCatalog()
    for name, smarts in patterns.items():
        matcher = FilterCatalog.SmartsMatcher(name, smarts)
        catalogue.AddEntry(FilterCatalog.FilterCatalogEntry(name, matcher))
    return catalogue
