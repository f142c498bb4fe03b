"""Defects planted in a server's process before it starts, by the check that has to notice."""

from __future__ import annotations

PRELUDES = {
    "runtime.reward_well_formed": """
from molforge.episode import Episode
Episode._progress = lambda self: 3.0
""",
    "runtime.rubric_introspectable": """
from molforge.episode import Episode
plain = Episode._settle
def settle(self):
    reward = plain(self)
    self.score_parts = {}
    return reward
Episode._settle = settle
""",
    "runtime.observation_schema": """
from molforge.episode import Episode
plain = Episode._observation
Episode._observation = lambda self, **changed: {**plain(self, **changed), "phase": 7}
""",
    "runtime.state_contract": """
from envs.environment import MolforgeEnvironment
plain = MolforgeEnvironment.state
MolforgeEnvironment.state = lambda self: {**plain(self), "step_count": 0}
""",
    "runtime.reward_attribution": """
from molforge.episode import Episode
plain = Episode._settle
Episode._settle = lambda self: plain(self) + 0.25
""",
    "runtime.seed_control": """
from molforge import seeding
plain = seeding.world_key
seeding.world_key = lambda secret, **names: plain(secret, **{**names, "seed": 0})
""",
    "runtime.episode_determinism": """
import os
from molforge import seeding
plain = seeding.normal
seeding.normal = lambda key, *names: plain(key, os.getpid(), *names)
""",
    "runtime.episode_isolation": """
import itertools
from molforge import seeding
plain, count = seeding.normal, itertools.count()
seeding.normal = lambda key, *names: plain(key, next(count), *names)
""",
    "runtime.oracle_containment": """
from molforge.episode import Episode
plain = Episode._observation
Episode._observation = lambda self, **changed: {
    **plain(self, **changed), "text": self.programme.plan.witness
}
""",
    "runtime.task_declaration_accuracy": """
import app.tasks
from envs import CATALOGUE
app.tasks.CATALOGUE = dict(list(CATALOGUE.items())[1:])
""",
    "runtime.tool_declaration_accuracy": """
from app.mcp_tools import Tool
plain = Tool.as_message
Tool.as_message = lambda self: {**plain(self), "name": self.name + "_2"}
""",
    "semantic.replayability": """
import itertools
from molforge import seeding
plain, count = seeding.normal, itertools.count()
seeding.normal = lambda key, *names: plain(key, next(count), *names)
""",
    "runtime.startup": """
import app.info
plain = app.info.json_reply
def reply(body, **options):
    healthy = body == {"status": "healthy"}
    return plain(body, **{**options, "status": 200 if healthy else 500})
app.info.json_reply = reply
""",
    "hub.cross_host_determinism": """
import os
from molforge import seeding
plain = seeding.normal
seeding.normal = lambda key, *names: plain(key, os.getpid(), *names)
""",
}

KEEPS_WRONGLY = """
from app.sqlite_journal import SqliteJournal
plain = SqliteJournal.append
async def append(self, session_id, origin, entry):
    if entry.number == 2:
        entry = entry._replace({change})
    return await plain(self, session_id, origin, entry)
SqliteJournal.append = append
"""
"""One step of each episode is recorded with a ``change``."""
