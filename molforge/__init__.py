"""MolForge: a medicinal-chemistry laboratory for language-model agents.

The kernel, and the way in for library users. Importing this package is cheap (no RDKit, numpy, aiohttp,
pydantic or openenv is loaded); what needs them lies one import deeper:

    molforge.client      talk to a MolForge server, local, in a container or on a Space (needs openenv)
    molforge.chem        structures, gates, properties, edits: the typed edge of RDKit
    molforge.landscapes  the hidden property models and the worlds drawn from them
    molforge.policies    reference agents, which know only what an agent may see
    molforge.contract    what an environment is: reset, step, state
    molforge.errors      everything that can go wrong, split by whose fault it is

The programmes themselves are in ``envs``, their scores in ``graders``, the server in ``app``.
"""

from __future__ import annotations

from molforge.actions import Action, ActionType, Prediction
from molforge.contract import Environment, Phase, Step
from molforge.errors import AgentError, CallerError, EnvironmentFault, MolforgeError

__version__ = "0.2.0"

__all__ = [
    "Action",
    "ActionType",
    "AgentError",
    "CallerError",
    "Environment",
    "EnvironmentFault",
    "MolforgeError",
    "Phase",
    "Prediction",
    "Step",
    "__version__",
]
