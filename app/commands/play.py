"""``molforge play``: a reference policy plays through a real server, and a table sums it up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from app.encoding import dumps, loads
from molforge.actions import Action, ActionType
from molforge.agent.lines import Block
from molforge.agent.local_server import local_server
from molforge.evaluation.progress import tell
from molforge.policies import Policy, make

ROOT = Path(__file__).parents[2]
MAX_REPLY = 16 * 2**20
NEXT_STEPS = """\
What to try next
  {bin}molforge play --policy greedy --seed 7    another policy, another programme
  {bin}molforge serve --port 8000                the server; then open http://localhost:8000
  {bin}python inference.py                       a language model plays (see README)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be played."""

    tasks: tuple[str, ...]
    policy: str
    split: str | None = None
    seed: int | None = None


@dataclass(slots=True, kw_only=True)
class Account:
    """What came of one programme."""

    task: str
    score: float | None = None
    steps: int = 0
    budget: float = 0.0
    left: float = 0.0
    outcome: str = "cut off"
    structures: dict[str, str] = field(default_factory=dict)
    """Compound id to SMILES."""

    def remember(self, observation: dict[str, Any]) -> None:
        """Note which structure each id stands for."""
        self.structures.update({c["id"]: c["smiles"] for c in observation["compounds"] if "id" in c})


class ServerRefused(RuntimeError):
    """The server answered with an error."""


def play(order: Order, *, base_url: str | None) -> int:
    """Play the order on ``base_url`` or on a server of our own; return the exit code."""
    try:
        accounts = asyncio.run(_play(order, base_url))
    except (RuntimeError, OSError, aiohttp.ClientError) as why:
        print(f"molforge play: {why}", file=sys.stderr)
        return 1
    print(f"\n{_table(accounts)}\n\n{NEXT_STEPS.format(bin=_folder_of_commands())}")
    return 0


def _folder_of_commands() -> str:
    """Return what to type before the name of a command: nothing, or the folder of this environment."""
    folder = Path(sys.executable).parent
    return f"{folder.relative_to(Path.cwd())}/" if folder.is_relative_to(Path.cwd()) else ""


async def _play(order: Order, base_url: str | None) -> list[Account]:
    async with _server(base_url) as url:
        accounts = []
        for task in order.tasks:
            tell(f"{order.policy} plays {task}")
            accounts.append(await _play_one(url, task, order))
        return accounts


@asynccontextmanager
async def _server(base_url: str | None) -> AsyncIterator[str]:
    if base_url is not None:
        yield (base_url if "://" in base_url else f"http://{base_url}").rstrip("/")
        return
    tell("starting the server")
    async with local_server(ROOT) as url:
        yield url


async def _play_one(url: str, task: str, order: Order) -> Account:
    account = Account(task=task)
    block = Block(sys.stdout, task=task, benchmark="molforge", model=f"{order.policy}-policy")
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{url}/ws", max_msg_size=MAX_REPLY) as socket,
        ):
            arguments = {"task_id": task, "split": order.split, "seed": order.seed}
            reply = await _call(socket, "reset", arguments)
            account.budget = account.left = reply["observation"]["budget_left"]
            account.remember(reply["observation"])
            policy = await asyncio.to_thread(_begin, order.policy, reply["observation"])
            while not reply["done"]:
                action = await asyncio.to_thread(policy.act, reply["observation"])
                reply = await _call(socket, "step", action.as_message())
                _note(account, action, reply, block)
    finally:
        block.end(account.score)
    return account


def _begin(name: str, observation: dict[str, Any]) -> Policy:
    policy = make(name)
    policy.begin(observation)
    return policy


async def _call(socket: aiohttp.ClientWebSocketResponse, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    await socket.send_str(dumps({"type": kind, "data": data}).decode())
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise ServerRefused(f"the server closed the connection with code {socket.close_code}")
    reply: dict[str, Any] = loads(message.data)
    if reply["type"] == "error":
        raise ServerRefused(f"{reply['data']['code']}: {reply['data']['message']}")
    result: dict[str, Any] = reply["data"]
    return result


def _note(account: Account, action: Action, reply: dict[str, Any], block: Block) -> None:
    observation = reply["observation"]
    account.steps += 1
    account.left = observation["budget_left"]
    account.score = observation["score"]
    account.remember(observation)
    if action.action_type is ActionType.NOMINATE and reply["done"]:
        account.outcome = f"{action.compound} {account.structures.get(action.compound or '', '')}".strip()
    elif action.action_type is ActionType.STOP:
        account.outcome = f"stopped: {action.reason}"
    block.step(
        action=dumps(action.as_message()).decode(),
        reward=reply["reward"],
        done=reply["done"],
        error=observation["last_action_error"],
    )


def _table(accounts: Iterable[Account]) -> str:
    rows = [("family", "score", "steps", "spent", "nominated")]
    rows += [
        (
            account.task,
            "-" if account.score is None else f"{account.score:.3f}",
            str(account.steps),
            f"{account.budget - account.left:.0f} of {account.budget:.0f}",
            account.outcome,
        )
        for account in accounts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
