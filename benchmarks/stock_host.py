"""The stock OpenEnv server (FastAPI, uvicorn) around an environment of this project.

Run by a Python that has openenv 0.10 with PYTHONPATH at the checkout:
``python benchmarks/stock_host.py MODULE:FACTORY PORT``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import uvicorn
from openenv.core.env_server.http_server import create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State
from pydantic import ConfigDict

from molforge.actions import Action as MolforgeAction
from molforge.actions import ActionType

module, name = sys.argv[1].split(":")
make = getattr(import_module(module), name)(None)


class StockAction(Action):
    """Any field."""

    model_config = ConfigDict(extra="allow")


class StockObservation(Observation):
    """Any field."""

    model_config = ConfigDict(extra="allow")


class StockEnvironment(Environment):  # type: ignore[type-arg]
    """The same environment behind the stock interface."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._inside = make()

    def reset(self, seed: int | None = None, episode_id: str | None = None, **more: Any) -> StockObservation:
        given = {"seed": seed, "episode_id": episode_id, **more}
        return self._observed(self._inside.reset({k: v for k, v in given.items() if v is not None}))

    def step(self, action: StockAction, **_more: Any) -> StockObservation:
        fields = dict(action.model_extra or {})
        if "action_type" in fields:
            fields["action_type"] = ActionType(fields["action_type"])
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        return self._observed(self._inside.step(MolforgeAction(**{**fields, **lists})))

    def _observed(self, step: Any) -> StockObservation:
        return StockObservation(**step.observation, reward=step.reward, done=step.done)

    @property
    def state(self) -> State:
        return State(step_count=0)


if __name__ == "__main__":
    app = create_fastapi_app(StockEnvironment, StockAction, StockObservation, max_concurrent_envs=4096)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
