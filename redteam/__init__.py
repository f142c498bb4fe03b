"""Attacks: what somebody gains who cheats, holds the package, or knows the truth.

    attacks   the list: policy attacks and probes, each with the claim it tests
    scripts   content-free policies
    thumb     rules of thumb, unread       memory    guesses without an assay
    holder    the true prior, a budget     twists    honest policies with one thing bent
    careful   the true prior and four      fixed_list   structures for a script
    replays   what is brought along        searches  genetic search for free
    insight   what the package gives away  servers   a real server to attack
    drawings, numbers, channels, sessions  the probes
    measure   plays, probes and judges     page, command   ``molforge redteam``
    ladder    policies and attacks from the command line: ``python -m redteam.ladder``
    report    the published page of the ladder

Everything here may import whatever the package holds except the internals of ``app``. What is measured
is published: an attack that works is a row of the table, not a secret.
"""

from __future__ import annotations
