"""Baseline agent: plays every task of MolForge with a language model and prints one block of lines a task.

    [START] task=<id> env=molforge model=<name>
    [STEP] step=<n> action=<one line> reward=<0.00> done=<true|false> error=<msg|null>
    [END] success=<true|false> steps=<n> score=<0.000> rewards=<r1,r2,...>

Nothing else is ever written to stdout; what happens meanwhile is told on stderr. Settings, all from the
environment:

    API_BASE_URL        OpenAI-compatible endpoint           (the Hugging Face router)
    MODEL_NAME          model to play with                   (Qwen/Qwen2.5-72B-Instruct)
    HF_TOKEN, API_KEY   credential; with neither, the reference planner plays instead, and says so
    LOCAL_IMAGE_NAME, IMAGE_NAME    start this image with MolforgeEnv.from_docker_image(...)
    ENV_BASE_URL        connect to this server instead; with none of the three, a server is started here
    MOLFORGE_TASK       play this task alone
    MOLFORGE_BENCHMARK  the name after env=                  (molforge)

The model's text goes to the environment as it is, as ``command``: nothing here reads or repairs it. A call
that failed after retries sends an empty command, which costs the step. The whole run keeps its own deadline.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

from molforge.actions import Action, ActionType
from molforge.agent.conversation import Conversation, Message
from molforge.agent.lines import Block, claim_stdout
from molforge.agent.local_server import local_server
from molforge.client import MolforgeEnv, MolforgeObservation, ServerRefusal
from molforge.container import Container
from molforge.policies import make

RUN_SECONDS = 17 * 60.0
"""The whole run; evaluators allow 20 minutes."""
CLOSING_SECONDS = 5.0
"""Kept back from each task's time for its last step, and allowed for closing a session."""
ATTEMPT_SECONDS = 60.0
ATTEMPTS = 4
TEMPERATURE = 0.0
MAX_TOKENS = 4096
"""Room for a model that thinks before it answers."""
COMMAND_CHARACTERS = 8000
"""Longest command the wire takes; of a longer answer the end is sent, where the action is."""
PROGRAMME: dict[str, Any] = {"split": "test", "seed": 0}
"""What is played of every task: a held-out programme, the same in every run."""
OUT_OF_TIME = Action(action_type=ActionType.STOP, reason="out_of_time")

_MALFORMED = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What an answer that is no completion makes of reading it."""
BUSY = ("OVERLOADED", "STEP_TIMEOUT", "JOURNAL_FAILED")
"""Causes of a server that could not do now what it may do later: nothing happened."""

Result = TypeVar("Result")

log = logging.getLogger("inference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment variables above, read once."""

    api_base_url: str
    model_name: str
    api_key: str | None
    image: str | None
    env_base_url: str | None
    task: str | None
    benchmark: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; an empty variable counts as not set."""

        def first(*names: str) -> str | None:
            return next((value for name in names if (value := environ.get(name, "").strip())), None)

        return cls(
            api_base_url=first("API_BASE_URL") or "https://router.huggingface.co/v1",
            model_name=first("MODEL_NAME") or "Qwen/Qwen2.5-72B-Instruct",
            api_key=first("HF_TOKEN", "API_KEY"),
            image=first("LOCAL_IMAGE_NAME", "IMAGE_NAME"),
            env_base_url=first("ENV_BASE_URL"),
            task=first("MOLFORGE_TASK"),
            benchmark=first("MOLFORGE_BENCHMARK") or "molforge",
        )


# --- who plays ------------------------------------------------------------------------------------


class Player(Protocol):
    """Whoever chooses the actions of one programme after another."""

    name: str

    def begin(self, observation: MolforgeObservation) -> None:
        """Open a programme with the observation of its reset."""

    async def act(self, observation: MolforgeObservation, *, until: float) -> Action:
        """Return the next action; the monotonic clock stops this programme at ``until``."""

    def report(self) -> str:
        """Return what is worth telling of the programme just played."""

    async def close(self) -> None:
        """Release connections."""


class ModelPlayer:
    """A language model behind an OpenAI-compatible endpoint."""

    def __init__(self, settings: Settings) -> None:
        import openai

        self.name = settings.model_name
        self._openai = openai
        self._client = openai.AsyncOpenAI(
            base_url=settings.api_base_url,
            api_key=settings.api_key,
            max_retries=ATTEMPTS - 1,
            timeout=ATTEMPT_SECONDS,
        )
        self._options: dict[str, Any] = {"temperature": TEMPERATURE, "max_tokens": MAX_TOKENS}

    def begin(self, observation: MolforgeObservation) -> None:
        """Start a new conversation with the brief."""
        self._conversation = Conversation(observation.text)
        self._answer: str | None = None
        self._calls = self._failed = 0
        self._seconds = 0.0

    async def act(self, observation: MolforgeObservation, *, until: float) -> Action:
        """Ask for the next action; an empty command where the call failed."""
        if self._answer is not None:
            self._conversation.add(answer=self._answer, reply=observation.text)
        calls_left = self._calls_left(observation.steps_left, until - time.monotonic())
        started = time.monotonic()
        self._calls += 1
        try:
            self._answer = await self._ask(self._conversation.messages(calls_left=calls_left))
        except (self._openai.OpenAIError, *_MALFORMED) as why:
            log.warning("model call %d failed: %s: %s", self._calls, type(why).__name__, str(why)[:300])
            self._answer = ""
        self._failed += not self._answer
        self._seconds += time.monotonic() - started
        return Action(command=self._answer[-COMMAND_CHARACTERS:])

    def _calls_left(self, steps_left: int, seconds: float) -> int:
        if self._calls == 0:
            return steps_left
        return max(1, min(steps_left, int(seconds * self._calls / max(self._seconds, 1e-3))))

    async def _ask(self, messages: list[Message]) -> str:
        try:
            return await self._complete(messages)
        except self._openai.BadRequestError:
            if not self._options:
                raise
            log.warning("the endpoint refused the request; trying without %s", ", ".join(self._options))
            self._options = {}
            return await self._complete(messages)

    async def _complete(self, messages: list[Message]) -> str:
        create: Any = self._client.chat.completions.create
        completion = await create(model=self.name, messages=messages, stream=False, **self._options)
        if not completion.choices:
            raise ValueError("the endpoint sent no choices")
        text: str = completion.choices[0].message.content or ""
        return text.encode("utf-8", "replace").decode().strip()

    def report(self) -> str:
        """Return how many calls were made and how many gave nothing."""
        return f"{self._calls} model calls, {self._failed} without an answer, {self._seconds:.0f} s"

    async def close(self) -> None:
        """Close the connections to the endpoint."""
        await self._client.close()


class PlannerPlayer:
    """The reference planner of ``molforge.policies``: plays from the same observations as a model."""

    name = "reference-planner"

    def __init__(self) -> None:
        self._policy = make("planner")

    def begin(self, observation: MolforgeObservation) -> None:
        """Open its logbook."""
        self._policy.begin(_fields(observation))

    async def act(self, observation: MolforgeObservation, *, until: float) -> Action:  # noqa: ARG002 (it is quick)
        """Let it plan in a thread: the connection must go on answering pings."""
        return await asyncio.to_thread(self._policy.act, _fields(observation))

    def report(self) -> str:
        """Return that no model was asked."""
        return "no model calls"

    async def close(self) -> None:
        """Do nothing: it holds no connection."""


def _fields(observation: MolforgeObservation) -> dict[str, Any]:
    fields: dict[str, Any] = observation.model_dump(mode="json", exclude={"done", "reward", "metadata"})
    return fields


# --- how it is played -----------------------------------------------------------------------------


class Interruption:
    """SIGTERM and SIGINT: the programme in play is settled, its block closed, and nothing more is begun."""

    def __init__(self) -> None:
        self.number = 0
        self.event = asyncio.Event()
        self._timeout: asyncio.Timeout | None = None

    def __call__(self, number: int) -> None:
        """Be the handler of a signal."""
        if not self.number and self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + CLOSING_SECONDS)
        self.number = self.number or number
        self.event.set()

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Bound what is awaited inside: without limit until the signal comes, then by a few seconds."""
        try:
            async with asyncio.timeout(CLOSING_SECONDS if self.number else None) as self._timeout:
                yield
        finally:
            self._timeout = None

    async def or_none(self, turn: Coroutine[Any, Any, Action], *, seconds: float) -> Action | None:
        """Return what the turn gives; None if it took longer than ``seconds`` or the signal came first."""
        playing, stopping = asyncio.ensure_future(turn), asyncio.ensure_future(self.event.wait())
        both = (playing, stopping)
        try:
            await asyncio.wait(both, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
            return playing.result() if playing.done() and not self.number else None
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)


async def connect(settings: Settings, stack: AsyncExitStack) -> MolforgeEnv:
    """Return a connected client: of an image, of a running server, or of a server started here."""
    env: MolforgeEnv
    if settings.image:
        container = Container()
        stack.callback(container.stop_container)  # also of one that was started and never connected to
        env = await MolforgeEnv.from_docker_image(settings.image, provider=container)
    else:
        url = settings.env_base_url or await stack.enter_async_context(local_server(Path(__file__).parent))
        env = MolforgeEnv(base_url=url)
        await env.connect()
    stack.push_async_callback(_close, env)
    return env


async def _close(env: MolforgeEnv) -> None:
    try:
        await env.close()
    except Exception:  # a container that does not stop in time must not cost the exit code
        log.warning("the environment did not close cleanly", exc_info=True)


async def task_ids(env: MolforgeEnv, settings: Settings) -> list[str]:
    """Return the ids to play: the one asked for, or the server's catalogue."""
    if settings.task:
        return [settings.task]
    try:
        return [str(task["task_id"]) for task in await env.tasks()]
    except (OSError, ValueError, LookupError) as why:
        from envs import CATALOGUE

        log.warning("the server does not list its tasks (%s): playing those of this checkout", why)
        return list(CATALOGUE)


async def insist(call: Callable[[], Awaitable[Result]], *, until: float) -> Result:
    """Make a call, again where the server had no time for it; the client sees to it that it counts once."""
    while True:
        try:
            return await call()
        except (TimeoutError, ServerRefusal) as why:
            is_busy = isinstance(why, TimeoutError) or why.details.get("cause") in BUSY
            if not is_busy or time.monotonic() > until:
                raise
            log.warning("the server had no time: %s", str(why) or "no reply")


async def play(
    env: MolforgeEnv, player: Player, block: Block, *, task: str, until: float, interruption: Interruption
) -> None:
    """Play one programme to its end; out of time or interrupted, settle it at the floor."""
    score: float | None = None
    try:
        async with interruption.patience():
            result = await insist(lambda: env.reset(task_id=task, **PROGRAMME), until=until)
            player.begin(result.observation)
            while not result.done:
                seconds = until - time.monotonic()
                turn = player.act(result.observation, until=until)
                action = await interruption.or_none(turn, seconds=seconds) or OUT_OF_TIME
                result = await insist(partial(env.step, action), until=until)
                block.step(
                    action=_shown(action),
                    reward=result.reward or 0.0,
                    done=result.done,
                    error=result.observation.last_action_error,
                )
            score = result.observation.score
        log.info("%s: score %s, %s", task, score, player.report())
    finally:
        with suppress(Exception):
            async with asyncio.timeout(CLOSING_SECONDS):
                await env.disconnect()
        block.end(score)


def _shown(action: Action) -> str:
    if action.command is not None:
        return action.command
    return json.dumps(action.as_message(), separators=(",", ":"))


async def run(settings: Settings, out: TextIO, interruption: Interruption) -> int:
    """Play all tasks one after another; return the exit code."""
    deadline = time.monotonic() + RUN_SECONDS
    failures = 0
    async with AsyncExitStack() as stack:
        player: Player = ModelPlayer(settings) if settings.api_key else PlannerPlayer()
        stack.push_async_callback(player.close)
        async with interruption.patience():
            env = await connect(settings, stack)
            tasks = await task_ids(env, settings)
        for number, task in enumerate(tasks):
            if interruption.number:
                break
            now = time.monotonic()
            until = now + (deadline - now) / (len(tasks) - number) - CLOSING_SECONDS
            block = Block(out, task=task, benchmark=settings.benchmark, model=player.name)
            try:
                await play(env, player, block, task=task, until=until, interruption=interruption)
            except Exception:
                log.exception("task %s broke off", task)
                failures += 1
    return 1 if failures else 0


async def main(out: TextIO) -> int:
    """Play; on SIGTERM and SIGINT stop early but in good order."""
    interruption = Interruption()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interruption, number)
    try:
        code = await run(Settings.from_environ(os.environ), out, interruption)
    except (OSError, RuntimeError, ImportError) as why:  # no server, no container engine, no openai
        log.error("cannot play: %s: %s", type(why).__name__, why)  # noqa: TRY400 (the message is the answer)
        code = 1
    return 128 + interruption.number if interruption.number else code


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    log.setLevel(logging.INFO)
    sys.exit(asyncio.run(main(claim_stdout())))
