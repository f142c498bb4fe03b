"""What falls apart, cannot be isolated or no chemist would propose: substructures that are refused.

The list is made against what optimisers find when nothing stops them: aminals, N-N chains, strained and
cumulated unsaturation, naked leaving groups. It is no list of toxicophores; those are flags
(``properties.alerts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rdkit.Chem import FilterCatalog

_ACYLATED = "$([#7]-[#6,#15,#16]=[#7,#8,#16])"
_ARYLATED = "$([#7]-a)"
_AMINE = f"NX3;!{_ACYLATED};!{_ARYLATED}"
_ACYL_OXYGEN = "$([#8]-[#6]=[#8])"
_HALOGEN = "F,Cl,Br,I"
_SINGLE_NITROGEN = "#7;!R;!$([#7]=*);!$([#7]-[#7]=*)"

UNSTABLE: dict[str, str] = {
    # halogens where they leave
    "nitrogen halide": f"[#7]-[{_HALOGEN}]",
    "hypohalite": f"[#8]-[{_HALOGEN}]",
    "sulphur halide": f"[#16;!$([#16](F)(F)(F)(F)F)]-[{_HALOGEN}]",
    "phosphorus or boron halide": f"[#5,#15]-[{_HALOGEN}]",
    "acyl or imidoyl halide": f"[CX3](=[#7,#8,#16])-[{_HALOGEN}]",
    "alkyl chloride, bromide or iodide": "[CX4;!$(C(F)(F)Cl)]-[Cl,Br,I]",
    "halogen beside a heteroatom": (
        "[F;!$(FC(F)(F)[N,O,S]);!$(F[CH](F)[N,O,S]);!$(FC(F)(*)[O,S;X2])]-[CX4]-[NX3,OX2,SX2]"
    ),
    "acyclic vinyl halide": "[CX3;!R]=[CX3;!R]-[Cl,Br,I]",
    "heteroatom on an alkyne": "[#7,#8,#16,F,Cl,Br,I]-[CX2]#[CX2]",
    # chains of heteroatoms
    "peroxide": "[OX2]-[OX2]",
    "hydroxylamine": "[NX3;!$(N-[#6]=[O,S]);!$([N+])]-[OX2H]",
    "N-hydroxyurea": "[OX2H]-[NX3]-[CX3](=O)-[NX3]",
    "open-chain hydrazine": f"[{_SINGLE_NITROGEN}]-[{_SINGLE_NITROGEN}]",
    "three linked heteroatoms": "[#7,#8,#16;!R;v2,v3]-[#7,#8,#16;!R;v2,v3]-[#7,#8,#16;!R;v2,v3]",
    "open chain of three nitrogens": "[#7;!R]~[#7;!R]~[#7;!R]",
    "nitrosamine or nitrite": "[#7,#8]-[NX2]=O",
    "aliphatic nitro group": "[CX4]-[N+](=O)[O-]",
    "azide or diazo group": "[#6,#7]=[N+]=[#7,#6]",
    "disulphide, sulphenamide or sulphenate": "[SX2;!a]-[NX3,OX2,SX2]",
    "sulphinamide or sulphinate": "[SX3;!a](=O)-[NX3,OX2]",
    "thiol": "[SX2H]",
    "alkyl sulphonate": "S(=O)(=O)-[OX2]-[CX4]",
    "acyl sulphone": "S(=O)(=O)-[CX3]=[O,N]",
    "N-acyloxyamine": f"[CX3](=O)-[OX2]-[NX3;!{_ACYLATED}]",
    "acyl cyanide, cyanate or thiocyanate": "[O,S,$(C=O),$(C=N)]-C#N",
    # carbons with two or three heteroatoms
    "open-chain aminal or hemiaminal ether": (f"[{_AMINE}]-!@[CX4]-!@[NX3,OX2;!{_ACYLATED};!{_ACYL_OXYGEN}]"),
    "open-chain geminal diamine": "[NX3]-!@[CX4;H1,H2]-!@[NX3]",
    "ring nitrogen aminal": f"[NX3;R;!{_ACYLATED}]-[CX4;R]-[NX3;!R]",
    "amide nitrogen aminal": "[NX3;R;$(N-C=O)]-[CX4;R]-[NX3;!R]",
    "thioaminal or hydroxyaminal": "[NX3]-!@[CX4;!R]-[SX2,OX2H]",
    "hemiacetal, hemiaminal or geminal diol": ("[OX2H]-[CX4;!$(C(F)(F)F)]-[OX2,SX2,NX3;!R;!$(N-C=O)]"),
    "ortho acid": "[CX4;!$(C(F)(F)F)](-[#7,#8,#16])(-[#7,#8,#16])-[#7,#8,#16]",
    "carbamic or carbonic acid": "[OX2H]-[CX3](=O)-[NX3,OX2]",
    "anhydride": "[CX3](=[O,S])-[OX2,SX2]-[CX3]=[N,O,S]",
    "chain of acylated ureas": "[CX3](=O)-[NX3;!R]-[CX3](=O)-[NX3;!R]-[CX3]=O",
    # reactive or tautomerising double bonds
    "enol": "[OX2H]-[CX3]=[CX3;!$(C-[#6]=O)]",
    "enethiol or thioimidic acid": "[SX2H]-[CX3]=[#6,#7]",
    "enamine with N-H": (f"[NX3;H1,H2;!{_ACYLATED}]-[CX3;!R]=[CX3;!$(C-[#6]=[O,N]);!$(C-C#N);!$(C-[N+]=O)]"),
    "methylene enol ether or enamine": "[CX3H2]=[CX3]-[NX3,OX2,SX2]",
    "methylene Michael acceptor": "[CX3H2]=[CX3]-[#6,#16]=O",
    "aldehyde": "[CX3H1](=O)-[#6]",
    "open-chain thiocarbonyl": "[#6;!R]=[SX1]",
    "N-H ketimine": "[NX2H]=[CX3;!$(C-[#7])]",
    "N-H imidate": "[NX2H;!R]=[CX3;!R]-[OX2,SX2]",
    "open-chain alkyl imine": "[CX4,#1]-!@[CX3;!R;!$(C-[#7,#8,#16])]=[NX2;!R]-[CX4]",
    "open-chain imine on sulphur": "[NX2;!R]=[CX3;!R]-[SX3,SX4]",
    "open-chain acyl imine": "[NX2;!R]=[CX3;!R]-[CX3]=[O,N]",
    "cumulated double bonds": "*=[CX2]=*",
    "open-chain polyene": "[CX3;!R]=[CX3;!R]-[CX3;!R]=[CX3;!R]-[CX3;!R]=[CX3;!R]",
    "three carbonyls in a row": "[CX3](=[N,O,S])-!@[CX3](=[N,O,S])-!@[CX3]=[N,O,S]",
    # strain
    "alkyne in a ring": "[r3,r4,r5,r6,r7,r8]#[r3,r4,r5,r6,r7,r8]",
    "double bond in a three-membered ring": "[r3]=,:[r3]",
    "double bond at a three-membered ring": "[r3]=[!r3]",
    "aromatic three- or four-membered ring": "[a;r3,r4]",
    "cyclobutadiene": "[r4]=[r4]-[r4]=[r4]",
    "epoxide, aziridine or thiirane": "[#7,#8,#16;r3]",
    "four-membered ring with linked heteroatoms": "[#7,#8,#16;r4]~[#7,#8,#16;r4]",
    "aromatic seven-membered ring": "[a;r7]",
    # unusual atoms
    "phosphorus other than phosphate or phosphonate": "[#15;!$(P(=O)([OX2,OX1-])[OX2,OX1-])]",
    "boron other than boronic acid or ester": "[#5;!$(B(-[OX2])-[OX2])]",
    "charged carbon": "[#6;+,-]",
    "sulphonium or oxonium": "[#8+,#16+;!$([#16+]-[O-])]",
    "alkyl chain of seven or more": "[CX4H2;!R][CX4H2;!R][CX4H2;!R][CX4H2;!R][CX4H2;!R][CX4H2;!R][CX4H2;!R]",
}
"""Name to SMARTS."""


@dataclass(frozen=True, slots=True)
class Instability:
    """The first unstable substructure that was found."""

    name: str
    atoms: tuple[int, ...]


def find(mol: Any) -> Instability | None:
    """Return the first refused substructure of a molecule, or None; one pass inside RDKit."""
    entry = _catalogue().GetFirstMatch(mol)
    if entry is None:
        return None
    match = entry.GetFilterMatches(mol)[0]
    return Instability(entry.GetDescription(), tuple(int(atom) for _, atom in match.atomPairs))


@cache
def _catalogue() -> Any:
    catalogue = FilterCatalog.FilterCatalog()
    for name, smarts in UNSTABLE.items():
        matcher = FilterCatalog.SmartsMatcher(name, smarts)
        catalogue.AddEntry(FilterCatalog.FilterCatalogEntry(name, matcher))
    return catalogue
