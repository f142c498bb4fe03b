"""One model plays one programme."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import openai

from molforge.agent.conversation import Conversation
from molforge.client import MolforgeAction, MolforgeEnv
from molforge.command import parse_command
from molforge.errors import AgentError

COMMAND_CHARACTERS = 8000
"""Longest command that the wire takes; of a longer answer the end is sent, where the action is."""

log = logging.getLogger(__name__)


class EndpointFailed(Exception):
    """No answer came from the endpoint: no fault of the model, and no score of its."""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """What came of one programme."""

    model: str
    settings: str = ""
    """What else decides how it plays: limits, temperature, the server it was told of."""
    number: int = 1
    """Above 1 where an earlier attempt was cut and another one asked for."""
    task: str
    split: str
    seed: int
    score: float = 0.01
    parts: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    parsed: int = 0
    """Answers that were an action."""
    refused: int = 0
    """Actions, among those, that could not be carried out."""
    failed_calls: int = 0
    """Calls answered with no text or an empty one, or refused for what they said (too long, for instance)."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    spent: float = 0.0
    """Credits for syntheses and assays."""
    ending: str = "cut"
    seconds: float = 0.0
    made_with: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Attempt:
        """Read one back."""
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model answers, and how it is asked."""

    base_url: str
    model: str
    api_key: str
    temperature: float = 0.0
    max_tokens: int = 4096
    attempts: int = 4
    """Of each call."""
    seconds: float = 120.0
    """For each attempt of a call."""


class Model:
    """The endpoint, asked."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.model
        self._options: dict[str, Any] = {
            "temperature": endpoint.temperature,
            "max_tokens": endpoint.max_tokens,
        }
        self._client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            max_retries=endpoint.attempts - 1,
            timeout=endpoint.seconds,
        )

    async def check(self) -> None:
        """Ask once, with the options of the game; raise ``EndpointFailed`` if that comes to nothing."""
        try:
            await self._create([{"role": "user", "content": "Answer with one word: ready"}])
        except openai.OpenAIError as why:
            raise EndpointFailed(_told(why)) from why

    async def answer(self, messages: list[dict[str, str]], attempt: Attempt) -> str:
        """Return the model's text, empty where there was none; tokens are counted in ``attempt``.

        Raises ``EndpointFailed`` where the endpoint does not answer, after all attempts of the call.
        """
        try:
            reply = await self._create(messages)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as why:
            log.warning("%s %s: call refused: %s", attempt.task, attempt.seed, why)
            attempt.failed_calls += 1
            return ""
        except openai.OpenAIError as why:
            raise EndpointFailed(_told(why)) from why
        usage = getattr(reply, "usage", None)
        attempt.prompt_tokens += int(getattr(usage, "prompt_tokens", 0) or 0)
        attempt.completion_tokens += int(getattr(usage, "completion_tokens", 0) or 0)
        try:
            text = reply.choices[0].message.content
        except (LookupError, TypeError, AttributeError):
            text = None
        text = text.strip() if isinstance(text, str) else ""
        attempt.failed_calls += not text
        return text

    async def _create(self, messages: list[dict[str, str]]) -> Any:
        create: Any = self._client.chat.completions.create
        return await create(model=self.name, messages=messages, stream=False, **self._options)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


async def play(
    env: MolforgeEnv,
    model: Model,
    attempt: Attempt,
    arguments: Mapping[str, Any],
    begun: Callable[[], None] = lambda: None,
) -> Attempt:
    """Play the programme of ``attempt`` to its end; ``begun`` is called when the server has opened it."""
    began = time.monotonic()
    result = await env.reset(task_id=attempt.task, split=attempt.split, seed=attempt.seed, **arguments)
    begun()
    first = result.observation
    conversation = Conversation(first.text)
    assays = tuple(line.assay for line in first.brief.menu) if first.brief else ()
    while not result.done:
        left = result.observation.steps_left
        text = await model.answer(conversation.messages(calls_left=left), attempt)
        sent = text[-COMMAND_CHARACTERS:]
        result = await env.step(MolforgeAction(command=sent))
        attempt.steps += 1
        if _is_action(sent, assays):
            attempt.parsed += 1
            attempt.refused += result.observation.last_action_error is not None
        conversation.add(answer=text, reply=result.observation.text)
    last = result.observation
    attempt.score, attempt.parts = float(last.score or 0.0), dict(last.score_parts or {})
    attempt.spent = round(first.budget_left - last.budget_left, 2)
    attempt.ending, attempt.seconds = last.phase, round(time.monotonic() - began, 2)
    return attempt


def _told(why: Exception) -> str:
    return f"{type(why).__name__}: {str(why)[:300]}"


def _is_action(text: str, assays: tuple[str, ...]) -> bool:
    try:
        parse_command(text, assays=assays)
    except AgentError:
        return False
    return True
