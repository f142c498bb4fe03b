"""Attacks: what somebody gains who holds the package, or the truth, and not only the brief.

    memory   policies that nominate from the shipped models and pools without learning anything
    ladder   the table of all of them beside the honest reference policies

Everything here may import whatever the package holds except the internals of ``app``. What is measured
is published: an attack that works is a row of the table, not a secret.
"""

from __future__ import annotations
