"""The typed client: plays programmes on a MolForge server, from async or sync code.

    async with MolforgeEnv(base_url="http://localhost:8000") as env:
        result = await env.reset(task_id="potency", seed=7)
        result = await env.step(MolforgeAction(command="suggest M1"))

``from_docker_image`` and ``from_env`` (a Hugging Face Space) start a server first; ``.sync()`` gives
the same client to synchronous code. Everything but the types is the stock client of OpenEnv, and works
with openenv-core 0.3 and with openenv 0.10: this is the only module that imports them.

What this client does better than stock: errors keep the server's code and details (``ServerRefusal``), a
lost connection is made again in the same session, without losing or doubling a step, and logged as a warning
(``MolforgeEnv.resumed`` counts), a reply that came too late is never taken for another's, and calls that
overlap, as in ``asyncio.gather`` or from several threads on ``.sync()``, are served one after another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

from molforge.actions import MAX_COMPOUNDS, MAX_REPLICATES, MAX_STRUCTURES, Action
from molforge.bookmark import Bookmark
from molforge.container import Container

__all__ = ["MolforgeAction", "MolforgeEnv", "MolforgeObservation", "MolforgeState", "ServerRefusal"]

_CHOICES = (
    "molforge.client needs an OpenEnv client; install one of the two (never both, they share a module): "
    "`pip install openenv-core` (0.3) or `pip install openenv` (0.10)"
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

from pydantic import Field, StringConstraints  # noqa: E402 (comes with openenv)
from websockets.asyncio.client import connect  # noqa: E402 (comes with openenv)
from websockets.exceptions import ConnectionClosed, InvalidHandshake  # noqa: E402
from websockets.protocol import State as SocketState  # noqa: E402

from molforge.views import (  # noqa: E402
    PredictionMessage,
    ProgrammeView,
    SuggestionView,
)

log = logging.getLogger(__name__)

ATTACHED = "ALREADY_ATTACHED"
ATTACHED_SECONDS = 45.0
"""How long to wait for a session that the server thinks in use: it finds a dead socket within 40 s."""

# --- what is sent ---------------------------------------------------------------------------------

_Smiles = Annotated[str, StringConstraints(max_length=1000)]
_Name = Annotated[str, StringConstraints(max_length=64)]


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


class MolforgeObservation(ProgrammeView, _ObservationBase):
    """What changed, plus totals. ``brief`` comes with reset, ``score`` with the last step."""

    ignored: list[str] = Field(default_factory=list)
    suggestions: list[SuggestionView] = Field(default_factory=list)
    last_action_error: str | None = None
    text: str = ""
    """All of it for a language model to read."""


class MolforgeState(ProgrammeView, _StateBase):
    """The whole public notebook of the session's programme."""

    last_reply: dict[str, Any] | None = None
    """The last reply to reset or step, its ``metadata`` left out, for a client that lost it to go on from."""


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

    reconnect_seconds: float = 10.0
    """How long a server that cannot be reached, as while it restarts, is tried again; 0: never."""
    resumed: int = 0
    """How often this client came back to its session after the connection was lost; each is logged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bookmark = Bookmark()
        self._turns = asyncio.Lock()
        self._turns_loop: asyncio.AbstractEventLoop | None = None

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

        Calls that overlap are served one after another, in the order they were made; ``close`` ends those
        that wait. A connection that breaks, before the call or under it, is made again and the session
        resumed: a call that had been carried out is not sent a second time, its reply is taken from the
        session. After a call that timed out, which raises, the next call does the same.
        """
        turns = self._own_turns()
        async with turns:
            return await self._carry_out(message, turns)

    def _own_turns(self) -> asyncio.Lock:
        """Return the lock that calls queue for: one for each loop, since a client may move to another."""
        loop = asyncio.get_running_loop()
        if self._turns_loop is not loop:
            self._turns, self._turns_loop = asyncio.Lock(), loop
        return self._turns

    async def _carry_out(self, message: dict[str, Any], turns: asyncio.Lock) -> dict[str, Any]:
        """Exchange one frame for its reply, on a second connection if the first one breaks."""
        for is_last in (False, True):
            if self._turns is not turns:
                raise ConnectionError("the client was closed before this call was answered")
            try:
                return await self._exchange(message)
            except ConnectionClosed as closed:
                session_id = self._bookmark.session_id
                if is_last or not (session_id or message["type"] == "reset"):
                    told = f"the server closed the session ({closed}): reset opens another"
                    raise ConnectionError(told) from closed
                log.warning("the connection of session %s was lost: %s", session_id or "-", closed)
        raise AssertionError("unreachable")

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one frame on a connection to our session, made where there is none; return its reply."""
        frame = json.dumps(message)
        if self._is_dead() and self._bookmark.session_id:
            self._drop_socket()
        if self._ws is None and self._bookmark.session_id:
            is_repeated = message == self._bookmark.open_call
            reply = await self._resume(is_needed=message["type"] != "reset")
            if reply is not None and is_repeated:
                return {"type": "observation", "data": reply}
        if self._ws is None:
            await self._ensure_connected()
        self._bookmark.sent(message)
        try:
            reply = await self._ask(frame)
        except ServerRefusal:
            self._bookmark.refused()
            raise
        self._bookmark.answered(message, reply.get("data", {}))
        return reply

    async def _ask(self, frame: str) -> dict[str, Any]:
        """Send a frame and return its reply."""
        try:
            with suppress(ConnectionClosed):  # a refusal may lie in the queue of a closed socket
                await self._ws.send(frame)
            reply = await self._receive()
        except BaseException:
            self._drop_socket()  # the reply that still comes would be taken for the next one
            raise
        return dict(_checked(reply))

    async def _resume(self, *, is_needed: bool) -> Mapping[str, Any] | None:
        """Come back to our session; return the reply to a call that was under way if it was carried out.

        A session that is gone raises ``ConnectionError`` if it ``is_needed``; else another one is opened.
        """
        session_id = self._bookmark.session_id
        try:
            state = await self._find_session(session_id)
        except ServerRefusal as refusal:
            self._drop_socket()
            if refusal.code != "SESSION_ERROR" or refusal.details.get("cause") == ATTACHED:
                raise
            self._bookmark = Bookmark()
            if is_needed:
                raise ConnectionError(
                    f"session {session_id} is gone ({refusal}): reset opens another"
                ) from refusal
            return None
        call = self._bookmark.open_call
        reply = self._bookmark.come_back(state)
        self.resumed += 1
        told = "" if call is None else f"; its {call['type']} had {'' if reply else 'not '}been carried out"
        log.warning("session %s was resumed at step %d%s", session_id, self._bookmark.steps, told)
        return reply

    async def _find_session(self, session_id: str) -> dict[str, Any]:
        """Connect to a session, also while the server restarts or sees our old socket; return its state."""
        clock = asyncio.get_running_loop().time
        began, pause = clock(), 0.05
        while True:
            try:
                await self._connect_to(f"{self._ws_url}?{urlencode({'session_id': session_id})}")
                return dict((await self._ask(json.dumps({"type": "state"})))["data"])
            except ServerRefusal as refusal:
                is_attached = refusal.details.get("cause") == ATTACHED
                patience = ATTACHED_SECONDS if is_attached else self.reconnect_seconds
                if clock() - began > patience or not (is_attached or refusal.code == "CAPACITY_REACHED"):
                    raise
            except (OSError, ConnectionClosed, InvalidHandshake) as why:
                if clock() - began >= self.reconnect_seconds:
                    raise ConnectionError(f"session {session_id} cannot be reached: {why}") from why
            self._drop_socket()
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    async def _connect_to(self, url: str) -> None:
        """Connect to an address of the server; stock can only open new sessions, and 0.10 then closes all."""
        is_local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
        options: dict[str, Any] = {"proxy": None} if is_local else {}
        if (headers := getattr(self, "_headers", None)) is not None:
            options["additional_headers"] = headers
        for name in ("ping_interval", "ping_timeout"):  # settings of 0.10
            options[name] = getattr(self, f"_websocket_{name}_s", 20.0)
        self._ws = await connect(
            url, open_timeout=self._connect_timeout, max_size=self._max_message_size, **options
        )
        self._ws_loop = asyncio.get_running_loop()  # where 0.10 looks for it

    def _is_dead(self) -> bool:
        if self._ws is None:
            return False
        loop = getattr(self, "_ws_loop", None)  # 0.10 lets a client move, as from asyncio.run to .sync()
        moved = loop is not None and loop is not asyncio.get_running_loop()
        return moved or self._ws.state in (SocketState.CLOSING, SocketState.CLOSED)

    def _drop_socket(self) -> None:
        connection: Any = self._ws
        self._ws = None
        if connection is None:
            return
        with suppress(RuntimeError):  # its loop is closed
            connection.transport.abort()
            return
        with suppress(OSError):
            connection.transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    @classmethod
    def from_docker_image(cls, image: str, provider: Any = None, **options: Any) -> Any:
        """Start a container of the image and connect to it; ``close`` removes it, however long that takes."""
        return super().from_docker_image(image, provider=provider or Container(), **options)

    def disconnect(self) -> Any:
        """Close the session: there is nothing to come back to."""
        self._bookmark = Bookmark()
        self._turns = asyncio.Lock()
        return super().disconnect()

    async def _disconnect_async(self) -> None:  # how 0.10 closes
        self._turns = asyncio.Lock()
        await super()._disconnect_async()

    @property
    def http_url(self) -> str:
        """The server's base URL for plain HTTP, without a trailing slash."""
        if self._ws_url is None:
            raise RuntimeError("the server has no address before connect")
        return "http" + str(self._ws_url).removeprefix("ws").removesuffix("/ws")

    async def tasks(self) -> list[dict[str, Any]]:
        """Return the server's catalogue: ``task_id``, ``title``, ``level`` and so on of every task."""
        return await asyncio.to_thread(_get_tasks, f"{self.http_url}/tasks")


def _checked(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply that is no error frame; raise ``ServerRefusal``."""
    if reply.get("type") != "error":
        return reply
    details = reply.get("data", {})
    raise ServerRefusal(
        str(details.get("message", "unknown error")),
        code=str(details.get("code", "UNKNOWN")),
        details=details,
    )


def _get_tasks(url: str) -> list[dict[str, Any]]:
    is_local = any(host in url for host in ("//localhost", "//127.0.0.1"))
    handlers = [urllib.request.ProxyHandler({})] if is_local else []
    with urllib.request.build_opener(*handlers).open(url, timeout=10.0) as reply:
        answer = json.load(reply)
    return list(answer["tasks"] if isinstance(answer, dict) else answer)
