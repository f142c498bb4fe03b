"""Measures policies on programmes: who plays, how often, and how far apart they end.

    match   one policy plays one programme to its end -> Row
    ladder  many policies on many seeds, in several processes, resumable from a JSONL file
    journal  JSONL files that survive whoever wrote them
    provenance  the version and artefacts that figures were made with
    progress  where a command that takes long says how far it is
    table   rows -> means with standard errors, and paired gaps between neighbours

Environments and policies are handed in as factories, so that this package imports neither ``envs``
nor any attack. Every policy meets the same programmes under the same noise: gaps are paired by seed.
"""

from __future__ import annotations
