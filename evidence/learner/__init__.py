"""A learner for a laptop: a small network over what to do next, trained through the real server.

    choices   what may be done now -> options with features, from observations alone
    policy    a small network that scores options (JAX)
    arena     many sessions at once through the real server and client
    training  groups of rollouts, clipped policy gradient, evaluation on held-out seeds, the control
    curves    pictures with bands, and the table
    command   ``python -m evidence.learner`` (``make learn``)

The network never sees a structure: it chooses among suggesting, making, reading, nominating and stopping.
Structures come from ``suggest``. Needs the extra ``learn``; the server needs none of it.
"""

from __future__ import annotations
