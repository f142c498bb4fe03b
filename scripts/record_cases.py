"""Record the finished episodes that the graders are called on from a checkout: graders/cases/*.json.

One file per task: the reference plan (near 1), a given compound nominated (0 outside triage) and no
decision at all (0), on the default programme. Run it again after a change of the game.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from envs.reference import ReferencePlan
from molforge.actions import Action, ActionType

CASES = Path(__file__).parent.parent / "graders" / "cases"


def main() -> None:
    """Play and write the cases of every task."""
    CASES.mkdir(exist_ok=True)
    for task_id, spec in CATALOGUE.items():
        module, name = spec.grader.split(":")
        grade = getattr(import_module(module), name)
        cases = []
        for case in ("reference_plan", "first_given_compound", "stopped"):
            environment = MolforgeEnvironment()
            step = environment.reset({"task_id": task_id, "seed": 0})
            policy = ReferencePlan(environment.episode)
            while not step.done:
                if case == "reference_plan":
                    action = policy.act(step.observation)
                elif case == "first_given_compound":
                    action = Action(action_type=ActionType.NOMINATE, compound="M1")
                else:
                    action = Action(action_type=ActionType.STOP, reason="no candidate")
                step = environment.step(action)
            record = environment.episode.record()
            cases.append({"case": case, "score": grade(record).value, "episode": record})
        (CASES / f"{task_id}.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
