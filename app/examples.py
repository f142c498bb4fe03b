"""Examples of messages, for /openapi.json and the reference; tests hold them to the models."""

from __future__ import annotations

from typing import Any

SESSION_ID = "0f6a1e0c9b7d4c52a3e8d1f4b5c69788"

RESET_EXAMPLES: dict[str, Any] = {
    "default": {},
    "chosen": {"task_id": "potency", "split": "train", "seed": 7, "episode_id": "run-1"},
}
ACTION_EXAMPLES: dict[str, Any] = {
    "suggest": {"action_type": "suggest", "compound": "M1", "n": 4},
    "design": {
        "action_type": "design",
        "smiles": ["O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1"],
        "rationale": "a smaller lipophilic end",
    },
    "assay": {"action_type": "assay", "compounds": ["M1"], "assays": ["potency", "logd"], "replicates": 2},
    "nominate": {
        "action_type": "nominate",
        "compound": "M5",
        "predicted": {"potency": {"value": 8.1, "low": 7.5, "high": 8.7}},
    },
    "stop": {"action_type": "stop", "reason": "no compound meets the profile"},
    "command": {"command": "assay M1: potency x2"},
}
_READING = {
    "compound": "M1",
    "assay": "potency",
    "value": 8.15,
    "unit": "pKi",
    "qualifier": "",
    "se": 0.327,
    "call": 1,
}
_BRIEF = {
    "title": "Potency programme on target LW-429.",
    "objectives": [
        {
            "name": "potency",
            "unit": "pKi",
            "kind": "up",
            "limits": [7.22, 8.42],
            "weight": 1.0,
            "assays": ["potency"],
            "prior_width": 4.07,
        }
    ],
    "menu": [
        {
            "assay": "potency",
            "reads": "potency",
            "unit": "pKi",
            "price": 4.0,
            "se": 0.327,
            "run_se": 0.103,
            "range": [4.5, 11.0],
        }
    ],
    "budget": 1200.0,
    "max_steps": 30,
    "rules": ["Readings are noisy (se); those of one call share the run's offset."],
}
_COMPOUND = {
    "id": "M1",
    "smiles": "COC(=O)N[C@H](CC1CCCC1)C(=O)N1CCC[C@H]1C(=O)Nc1ccc(C(=N)N)cc1",
    "made": True,
    "make_price": 0.0,
    "properties": {"molecular_weight": 429.52, "logp": 2.205},
    "alerts": ["imine_1"],
}
_TOTALS = {
    "task_id": "potency",
    "split": "train",
    "seed": 7,
    "session_id": SESSION_ID,
    "phase": "running",
    "score": None,
    "score_parts": None,
}
RESET_REPLY: dict[str, Any] = {
    "observation": {
        **_TOTALS,
        "brief": _BRIEF,
        "ignored": [],
        "compounds": [_COMPOUND],
        "readings": [{**_READING, "call": 0}],
        "suggestions": [],
        "budget_left": 1200.0,
        "steps_left": 30,
        "last_action_error": None,
        "text": "Potency programme on target LW-429. ...",
        "metadata": {},
    },
    "reward": 0.0,
    "done": False,
    "metadata": {"session_id": SESSION_ID},
}
STEP_REPLY: dict[str, Any] = {
    "observation": {
        **_TOTALS,
        "brief": None,
        "ignored": [],
        "compounds": [],
        "readings": [_READING],
        "suggestions": [],
        "budget_left": 796.0,
        "steps_left": 29,
        "last_action_error": None,
        "text": "M1: potency 8.15\nBudget left 796 credits, 29 actions left.",
        "metadata": {},
    },
    "reward": 0.0,
    "done": False,
    "metadata": {"session_id": SESSION_ID},
}
STATE_REPLY: dict[str, Any] = {
    **_TOTALS,
    "episode_id": "run-1",
    "step_count": 1,
    "last_reply": {"observation": {}, "reward": 0.0, "done": False},
    "brief": _BRIEF,
    "compounds": [_COMPOUND],
    "readings": [{**_READING, "call": 0}, _READING],
    "budget_left": 796.0,
    "steps_left": 29,
}
GRADE: dict[str, Any] = {
    "session_id": SESSION_ID,
    "episode_id": "run-1",
    "task_id": "potency",
    "split": "train",
    "seed": 7,
    "phase": "nominated",
    "steps": 12,
    "grader": "graders.potency:grade",
    "score": 0.61,
    "score_parts": {"profile": 0.7, "evidence": 0.8, "calibration": 0.5, "economy": 0.4},
}
MCP_EXAMPLES: dict[str, Any] = {
    "initialize": {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "you", "version": "1"},
        },
    },
    "call": {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "brief", "arguments": {"task_id": "potency", "seed": 7}},
    },
    "openenv": {"jsonrpc": "2.0", "id": 3, "method": "openenv/session/create", "params": {}},
}
RPC_REPLY: dict[str, Any] = {"jsonrpc": "2.0", "id": 3, "result": {"session_id": SESSION_ID}}
