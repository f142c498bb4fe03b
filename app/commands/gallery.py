"""``molforge gallery``: what the targets' compounds look like, one picture a target and a page around them.

A picture shows the lead and the witness of one programme, then ten designs of the target's reference pool,
drawn by lot. The page names every compound, so that a chemist can look at what leads are asked to become.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from envs import CATALOGUE, DEFAULT_TASK
from envs.environment import MolforgeEnvironment
from molforge.chem.properties import DOUBTS, properties
from molforge.chem.structure import parse
from molforge.landscapes.catalogue import MODELS, TARGETS
from molforge.landscapes.pool import Pool
from molforge.programme import Programme

SPLIT, INDEX = "validation", 999
"""The programme of each target that is shown: far from those that people play first."""
DESIGNS = 10
COLUMNS, WIDTH, HEIGHT = 4, 250, 230
"""Pictures a row, and the size of each in pixels."""
BOND = 21.0
"""Longest bond in pixels."""
COLOURS = 48
"""Line drawings need no more; a third of the size."""
PAGE = "gallery.md"
HEAD = """# Gallery

For every target: the lead and the witness of one programme (split `validation`, index 999), then ten designs
of its reference pool, drawn by lot. The lead is what an agent starts from, the witness one compound that
meets the whole profile in that world, and the pool is what limits, leads and witnesses are chosen from: our
own designs, all of which pass the gates. Groups that pass and that a chemist would still ask about are
flagged in `alerts`, and counted here. `molforge gallery` makes this page and its pictures.

"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One compound of a picture."""

    legend: str
    smiles: str


def gallery(out: Path, targets: Sequence[str] = TARGETS) -> int:
    """Write the page and the pictures into a folder; return the exit code."""
    (out / "pictures").mkdir(parents=True, exist_ok=True)
    sections = []
    for target in targets:
        task_id = _family_of(target)
        if task_id is None:
            print(f"{target}: no family with design is about it")
            continue
        programme = _programme(task_id, target)
        shown = [*_ends(programme), *_designs(target)]
        picture = draw(shown)
        (out / "pictures" / f"{target}.png").write_bytes(picture)
        sections.append(_section(target, task_id, shown))
        print(f"{target}: {len(shown)} compounds, {len(picture) / 1000:.0f} kB", flush=True)
    (out / PAGE).write_text(HEAD + "\n".join(sections), encoding="utf-8")
    return 0


def _family_of(target: str) -> str | None:
    """Return a family with design that offers a target: the default one, or else the first."""
    for task_id in (DEFAULT_TASK, *CATALOGUE):
        if target in CATALOGUE[task_id].targets and _programme(task_id, target).designs:
            return task_id
    return None


def _programme(task_id: str, target: str) -> Programme:
    environment = MolforgeEnvironment()
    environment.reset({"task_id": task_id, "split": SPLIT, "index": INDEX, "targets": [target]})
    return environment.episode.programme


def _ends(programme: Programme) -> list[Shown]:
    """Return lead and witness with their true potencies."""
    found = []
    for name, smiles in (("lead", programme.given[0].smiles), ("witness", programme.plan.witness)):
        potency = programme.world.values(parse(smiles))["potency"]
        found.append(Shown(f"{name}, potency {potency:.1f}", smiles))
    return found


def _designs(target: str) -> list[Shown]:
    pool = Pool.load(target)
    picked = sorted(random.Random(target).sample(range(len(pool)), DESIGNS))
    return [Shown(f"design {index}, SA {pool.sa[index]:.1f}", pool.smiles[index]) for index in picked]


def draw(shown: Sequence[Shown]) -> bytes:
    """Return a PNG of compounds in rows, each under its legend."""
    rows = -(-len(shown) // COLUMNS)
    canvas = rdMolDraw2D.MolDraw2DCairo(COLUMNS * WIDTH, rows * HEIGHT, WIDTH, HEIGHT)
    options = canvas.drawOptions()
    options.fixedBondLength = BOND
    options.legendFontSize = 15
    options.padding = 0.04
    canvas.DrawMolecules([parse(one.smiles).mol for one in shown], legends=[one.legend for one in shown])
    canvas.FinishDrawing()
    return _in_few_colours(canvas.GetDrawingText())


def _in_few_colours(png: bytes) -> bytes:
    from PIL import Image  # comes with RDKit, which needs it itself

    image: Any = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _doubts(target: str) -> str:
    """Return how many designs of a pool carry which of the project's own alerts."""
    pool = Pool.load(target)
    patterns = {name: Chem.MolFromSmarts(smarts) for name, smarts in DOUBTS.items()}
    mols = [Chem.MolFromSmiles(smiles) for smiles in pool.smiles]
    found = Counter(
        name for mol in mols for name, pattern in patterns.items() if mol.HasSubstructMatch(pattern)
    )
    told = ", ".join(f"`{name}` {count}" for name, count in found.most_common()) or "none"
    return f"Of its {len(pool):,} designs a chemist would ask about: {told}."


def _section(target: str, task_id: str, shown: Sequence[Shown]) -> str:
    title = MODELS[target].title
    rows = []
    for one in shown:
        told = properties(parse(one.smiles))
        rows.append(
            f"| {one.legend} | {told['molecular_weight']:.0f} | {told['logp']:.1f} | `{one.smiles}` |"
        )
    table = "\n".join(["| compound | MW | logP | SMILES |", "|---|---|---|---|", *rows])
    return (
        f"## {title}\n\nFamily `{task_id}`. {_doubts(target)}\n\n![Lead, witness and ten designs: {title}]"
        f"(pictures/{target}.png)\n\n<details><summary>Structures</summary>\n\n{table}\n\n</details>\n"
    )
