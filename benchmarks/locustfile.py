"""A check from outside: locust plays ``triage`` over /ws.

``locust -f benchmarks/locustfile.py --headless -u 32 -r 8 -t 30s --host http://127.0.0.1:8000``
(``pip install locust websocket-client``; neither is a dependency of this project).
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import websocket
from locust import User, constant, task

SEEDS = itertools.count()


class Agent(User):  # type: ignore[misc]
    """One session that opens a programme and measures its compounds until the steps are used up."""

    wait_time = constant(0)

    def on_start(self) -> None:
        url = self.host.replace("http", "ws", 1) + "/ws"
        self.socket = self._timed("connect", lambda: websocket.create_connection(url, timeout=60))

    def on_stop(self) -> None:
        self.socket.close()

    @task  # type: ignore[untyped-decorator]
    def programme(self) -> None:
        arguments = {"task_id": "triage", "seed": next(SEEDS)}
        observation = self._timed("reset", lambda: self._call("reset", arguments))["observation"]
        for compound in itertools.cycle(observation["compounds"]):
            command = {"command": f"assay {compound['id']}: potency"}
            reply = self._timed("step", lambda action=command: self._call("step", action))
            if reply["done"] or not reply["observation"]["steps_left"]:
                return

    def _call(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        self.socket.send(json.dumps({"type": kind, "data": data}))
        reply = json.loads(self.socket.recv())
        if reply["type"] == "error":
            raise RuntimeError(reply["data"]["message"])
        return reply["data"]

    def _timed(self, name: str, call: Any) -> Any:
        began, failure, result = time.perf_counter(), None, None
        try:
            result = call()
        except Exception as why:  # noqa: BLE001 - locust counts it
            failure = why
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=failure,
        )
        if failure is not None:
            raise failure
        return result
