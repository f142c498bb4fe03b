"""The typed client: plays programmes on a MolForge server, from async or sync code.

    async with MolforgeEnv(base_url="http://localhost:8000") as env:
        result = await env.reset(task_id="potency", seed=7)
        result = await env.step(MolforgeAction(command="suggest M1"))

``from_docker_image`` and ``from_env`` (a Hugging Face Space) start a server first; ``.sync()`` gives
the same client to synchronous code. Everything but the types is the stock client of OpenEnv, and works
with openenv-core 0.3 and with openenv 0.10: this is the only module that imports them.

What this client does better than stock: errors keep the server's code and details (``ServerRefusal``),
a lost connection says what to do next, and a reply that came too late is never taken for another's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated, Any, Literal

from molforge.actions import MAX_COMPOUNDS, MAX_REPLICATES, MAX_STRUCTURES, Action

__all__ = ["MolforgeAction", "MolforgeEnv", "MolforgeObservation", "MolforgeState", "ServerRefusal"]

_CHOICES = (
    "molforge.client needs an OpenEnv client; install one of the two (never both, they share a module): "
    "`pip install 'openenv-molforge[client]'` (openenv-core 0.3) or `pip install openenv` (0.10)"
)
_LIGHT_RELEASES = {"openenv-core": "0.3.", "openenv": "0.10."}


@contextmanager
def _without_server() -> Iterator[None]:
    """Let ``openenv.core.<module>`` be imported without the server side of OpenEnv (3 s, 150 MB).

    Importing anything below ``openenv.core`` runs two ``__init__`` files that load gradio, pandas and
    FastAPI. Empty stand-ins with the same search path take their place and go again, so that a
    later full import works and finds the same classes. Only for releases this was tried with, and
    only where nothing of it has been imported yet; otherwise the plain import is right, just slower.
    """
    names = ("openenv.core", "openenv.core.env_server")
    if names[0] in sys.modules or not _is_light_release():
        yield
        return
    spec = find_spec("openenv")
    roots = (spec and spec.submodule_search_locations) or []
    for name in names:
        stand_in = ModuleType(name)
        stand_in.__path__ = [f"{root}/{'/'.join(name.split('.')[1:])}" for root in roots]
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


def _is_light_release() -> bool:
    for distribution, release in _LIGHT_RELEASES.items():
        with suppress(PackageNotFoundError):
            return version(distribution).startswith(release)
    return False


if find_spec("openenv") is None:
    raise ImportError(_CHOICES, name="openenv")

with _without_server():
    from openenv.core import sync_client as _sync_client  # noqa: F401 (.sync() imports it by name)
    from openenv.core.client_types import StepResult
    from openenv.core.env_client import EnvClient
    from openenv.core.env_server.types import Action as _ActionBase
    from openenv.core.env_server.types import Observation as _ObservationBase
    from openenv.core.env_server.types import State as _StateBase

from pydantic import BaseModel, Field, StringConstraints  # noqa: E402 (comes with openenv)
from websockets.exceptions import ConnectionClosed  # noqa: E402 (comes with openenv)
from websockets.protocol import State as SocketState  # noqa: E402

# --- what is sent ---------------------------------------------------------------------------------

_Smiles = Annotated[str, StringConstraints(max_length=1000)]
_Name = Annotated[str, StringConstraints(max_length=64)]


class PredictionMessage(BaseModel):
    """Predicted value of one objective of the nominee with the ends of its central 90 % interval."""

    value: float
    low: float
    high: float


class MolforgeAction(_ActionBase):
    """One action: ``action_type`` with its fields, or ``command`` alone (text, as a model writes it).

    suggest: compound, transformation, n. design: smiles, rationale. assay: compounds and/or smiles,
    assays, replicates. nominate: compound, predicted. stop: reason.
    """

    action_type: Literal["suggest", "design", "assay", "nominate", "stop"] | None = None
    compound: _Smiles | None = None
    transformation: _Name | None = None
    n: int = Field(default=MAX_STRUCTURES, ge=1, le=MAX_STRUCTURES)
    smiles: list[_Smiles] = Field(default_factory=list, max_length=MAX_STRUCTURES)
    rationale: str | None = Field(default=None, max_length=4000)
    compounds: list[_Smiles] = Field(default_factory=list, max_length=MAX_COMPOUNDS)
    assays: list[_Name] = Field(default_factory=list, max_length=12)
    replicates: int = Field(default=1, ge=1, le=MAX_REPLICATES)
    predicted: dict[_Name, PredictionMessage] = Field(default_factory=dict, max_length=16)
    reason: str | None = Field(default=None, max_length=500)
    command: str | None = Field(default=None, max_length=8000)


# --- what comes back (fields a newer server adds are ignored) -------------------------------------


class ObjectiveView(BaseModel):
    """One line of the target product profile."""

    name: str
    unit: str
    kind: Literal["up", "down", "window"]
    limits: list[float]
    weight: float
    assays: list[str]
    prior_width: float


class AssayView(BaseModel):
    """One line of the assay menu; ``se`` and ``run_se`` in ``unit``, ``price`` in credits."""

    assay: str
    reads: str
    unit: str
    price: float
    se: float
    run_se: float
    range: list[float] | None = None


class Brief(BaseModel):
    """What the programme asks for."""

    title: str
    objectives: list[ObjectiveView]
    menu: list[AssayView]
    budget: float
    max_steps: int
    rules: list[str]


class RefusalView(BaseModel):
    """Why a structure was not taken."""

    gate: str
    atom: int | None = None
    reason: str


class CompoundView(BaseModel):
    """One compound; or, with only ``smiles`` and ``refused``, a structure that was not taken."""

    id: str | None = None
    smiles: str
    made: bool | None = None
    make_price: float | None = None
    properties: dict[str, float] | None = None
    alerts: list[str] | None = None
    refused: RefusalView | None = None


class ReadingView(BaseModel):
    """One reading; ``qualifier`` says that the true value lies below or above what can be read."""

    compound: str
    assay: str
    value: float
    unit: str
    qualifier: Literal["", "<", ">"]
    se: float
    call: int


class SuggestionView(BaseModel):
    """One suggested structure."""

    smiles: str
    transformation: str


class MolforgeObservation(_ObservationBase):
    """What changed, plus totals. ``brief`` comes with reset, ``score`` with the last step."""

    task_id: str = ""
    split: str = ""
    seed: int = 0
    session_id: str = ""
    phase: str = ""
    brief: Brief | None = None
    ignored: list[str] = Field(default_factory=list)
    compounds: list[CompoundView] = Field(default_factory=list)
    readings: list[ReadingView] = Field(default_factory=list)
    suggestions: list[SuggestionView] = Field(default_factory=list)
    budget_left: float = 0.0
    steps_left: int = 0
    last_action_error: str | None = None
    text: str = ""
    """All of the above for a language model to read."""
    score: float | None = None
    score_parts: dict[str, float] | None = None


class MolforgeState(_StateBase):
    """The whole public notebook of the session's programme."""

    last_reply: dict[str, Any] | None = None
    """The last reply to reset or step, so that a client that lost it can take it from here."""
    task_id: str = ""
    split: str = ""
    seed: int = 0
    session_id: str = ""
    phase: str = ""
    brief: Brief | None = None
    compounds: list[CompoundView] = Field(default_factory=list)
    readings: list[ReadingView] = Field(default_factory=list)
    budget_left: float = 0.0
    steps_left: int = 0
    score: float | None = None
    score_parts: dict[str, float] | None = None


# --- the client -----------------------------------------------------------------------------------


class ServerRefusal(RuntimeError):
    """The server answered with an error frame. Stock code that expects a ``RuntimeError`` gets one."""

    def __init__(self, message: str, *, code: str, details: Mapping[str, Any]) -> None:
        told = "; ".join(
            f"{'.'.join(map(str, entry.get('loc', ())))}: {entry.get('msg', '')}"
            for entry in details.get("errors", ())
        )
        super().__init__(f"Server error: {message} (code: {code})" + (f": {told}" if told else ""))
        self.code = code
        """Stable name of what went wrong, for instance ``VALIDATION_ERROR`` or ``CAPACITY_REACHED``."""
        self.details = details
        """Everything the error frame said."""


class MolforgeEnv(EnvClient[MolforgeAction, MolforgeObservation, MolforgeState]):
    """One session on a MolForge server: one connection, one programme at a time."""

    _ws: Any
    _ws_url: Any

    def _step_payload(self, action: MolforgeAction | Action | Mapping[str, Any]) -> dict[str, Any]:
        """Return the wire form of a typed action, of a reference policy's, or of a plain mapping."""
        if isinstance(action, MolforgeAction):
            payload: dict[str, Any] = action.model_dump(mode="json", exclude_defaults=True)
            return payload
        if isinstance(action, Action):
            return action.as_message()
        if isinstance(action, Mapping):
            return dict(action)
        raise TypeError(f"an action is a MolforgeAction or a mapping of its fields, not {action!r}")

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[MolforgeObservation]:
        """Return the typed reply to reset or step."""
        known = MolforgeObservation.model_fields
        fields = {name: value for name, value in payload.get("observation", {}).items() if name in known}
        reward, done = payload.get("reward"), bool(payload.get("done", False))
        observation = MolforgeObservation(**{**fields, "reward": reward, "done": done})
        return StepResult(observation=observation, reward=reward, done=done)

    def _parse_state(self, payload: dict[str, Any]) -> MolforgeState:
        """Return the typed notebook."""
        return MolforgeState(**payload)

    async def _send_and_receive(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one frame and return its reply; raise ``ServerRefusal`` for an error frame.

        A connection that broke or timed out is dropped: the next call opens a fresh session, which
        wants a reset first. (Stock 0.3 would go on with it and pair every reply with the wrong call.)
        """
        try:
            if message["type"] != "reset" and self._is_dead():
                await self._receive()  # raises what ended it (stock 0.10 would silently open a new session)
            with suppress(ConnectionClosed):  # a refusal may lie in the queue of a closed socket
                await self._send(message)
            reply: dict[str, Any] = await self._receive()
        except ConnectionClosed as closed:
            self._drop_socket()
            raise ConnectionError(
                f"the server closed the session ({closed}): reset opens another"
            ) from closed
        except (TimeoutError, asyncio.CancelledError):
            self._drop_socket()
            raise
        if reply.get("type") == "error":
            details = reply.get("data", {})
            raise ServerRefusal(
                str(details.get("message", "unknown error")),
                code=str(details.get("code", "UNKNOWN")),
                details=details,
            )
        return reply

    def _is_dead(self) -> bool:
        socket: Any = self._ws
        return socket is not None and socket.state is SocketState.CLOSED

    def _drop_socket(self) -> None:
        socket: Any = self._ws
        self._ws = None
        if socket is not None:
            socket.transport.abort()

    @property
    def http_url(self) -> str:
        """The server's base URL for plain HTTP, without a trailing slash."""
        if self._ws_url is None:
            raise RuntimeError("the server has no address before connect")
        return "http" + str(self._ws_url).removeprefix("ws").removesuffix("/ws")

    async def tasks(self) -> list[dict[str, Any]]:
        """Return the server's catalogue: ``task_id``, ``title``, ``level`` and so on of every task."""
        return await asyncio.to_thread(_get_tasks, f"{self.http_url}/tasks")


def _get_tasks(url: str) -> list[dict[str, Any]]:
    is_local = any(host in url for host in ("//localhost", "//127.0.0.1"))
    handlers = [urllib.request.ProxyHandler({})] if is_local else []
    with urllib.request.build_opener(*handlers).open(url, timeout=10.0) as reply:
        answer = json.load(reply)
    return list(answer["tasks"] if isinstance(answer, dict) else answer)
