"""Rows to JSON lines or Parquet, and the card beside them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from molforge.evaluation import provenance

_CARD = """\
---
license: cc-by-sa-3.0
task_categories: [{category}]
tags: [chemistry, drug-design, reinforcement-learning, agents, openenv, molforge]
configs: [{{config_name: default, data_files: {file}}}]
---

# {title}

{what}

* Rows: {rows} ({by_task}).
* Made with MolForge {stamp}, the public secret, by `molforge export {kind}`.
* Columns: {columns}.
{score}* Structures come from MolForge's own searches and edits. Landscapes are computed from models of public
  measurements (ChEMBL, CC BY-SA 3.0; Biogen ADME, MIT): values are those of invented worlds, not of real
  compounds. Do not read them as facts about any molecule.
* The public secret makes these worlds computable by anybody who holds the package: train on them, and rank
  on a server with a secret of your own.
"""
_KINDS = {
    "sft": ("text-generation", "MolForge episodes"),
    "tasks": ("reinforcement-learning", "MolForge tasks"),
}
_WHAT = {
    "sft": """\
Games of a reference policy as conversations, for supervised fine-tuning: column `messages`, roles system,
user and assistant; every assistant message is one action as text.""",
    "tasks": """\
Programmes to play, for reinforcement learning: `prompt` opens the programme, and the other columns can be
handed to `reset` as they are (unknown ones are ignored and named).""",
}


def write(rows: Iterable[dict[str, Any]], out: Path, *, kind: str) -> int:
    """Write rows to ``out`` (.jsonl or .parquet) and a card beside it; return how many there were."""
    if out.suffix not in (".jsonl", ".parquet"):
        raise ValueError(f"{out.name}: the file has to end with .jsonl or .parquet")
    beside = out.parent / "README.md"
    if beside.exists() and f"data_files: {out.name}}}]" not in beside.read_text(encoding="utf-8"):
        raise ValueError(f"{beside} is not the card of {out.name}: export into a folder of its own")
    out.parent.mkdir(parents=True, exist_ok=True)
    kept: list[dict[str, Any]] = []
    if out.suffix == ".jsonl":
        with out.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                kept.append(row)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kept = list(rows)
        pq.write_table(pa.Table.from_pylist(kept), out)
    beside.write_text(card(kept, out.name, kind=kind), encoding="utf-8")
    return len(kept)


def card(rows: list[dict[str, Any]], file: str, *, kind: str) -> str:
    """Return the data card."""
    category, title = _KINDS[kind]
    by_task = Counter(f"{row['task_id']}/{row['split']}" for row in rows)
    scores = [row["score"] for row in rows if "score" in row]
    return _CARD.format(
        category=category,
        file=file,
        title=title,
        what=_WHAT[kind],
        rows=len(rows),
        by_task=", ".join(f"{count} {name}" for name, count in by_task.items()) or "none",
        stamp=provenance.stamp(),
        kind=kind,
        columns=", ".join(f"`{name}`" for name in rows[0]) if rows else "none",
        score=f"* Mean score {fmean(scores):.3f}.\n" if scores else "",
    )
