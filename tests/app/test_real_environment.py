"""The real environment behind the real server: the same play as in process, in the published shape."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from app.config import Config
from app.engine import InProcessEngine
from app.environments import environment_factory
from app.main import create_app
from app.wire import ActionMessage, Observation, State
from envs import CATALOGUE
from envs.environment import MolforgeEnvironment
from tests.app.harness import Socket, connected, running

SESSIONS = 64
FAMILIES = tuple(CATALOGUE)
SMILES = (
    "O=C(Nc1ccc(Cl)cc1)c1ccc(N2CCOCC2)cc1",
    "CC(C)N1CCC(NC(=O)c2ccc(-c3ccncc3)cc2)CC1",
    "c1ccccc1",
    "COc1ccc(CN2CCN(C(=O)c3cccs3)CC2)cc1",
    "not a molecule",
)


def script(number: int) -> list[dict[str, Any]]:
    """Return a reset and a few actions, different for every number."""
    rng = random.Random(number)
    assays = ["potency", "logd", "solubility"]
    made = [
        {"action_type": "suggest", "compound": "M1", "n": rng.randint(1, 3)},
        {"action_type": "design", "smiles": rng.sample(SMILES, 2)},
        {"action_type": "assay", "compounds": ["M1"], "assays": rng.sample(assays, 2), "replicates": 2},
        {"command": f"assay {rng.choice(SMILES)}: potency, logd"},
        {"command": "no action at all"},
    ]
    rng.shuffle(made)
    last = {"predicted": {"potency": {"value": 7.5, "low": 6.5, "high": 8.5}}}
    end = {"action_type": "nominate", "compound": f"M{rng.randint(1, 3)}", **last}
    opening = {"task_id": FAMILIES[number % len(FAMILIES)], "seed": number}
    return [opening, *made[: rng.randint(2, 5)], end]


def comparable(observation: dict[str, Any], reward: float, done: bool) -> str:
    """Return what must be the same however a programme is played, as text."""
    kept = {name: value for name, value in observation.items() if name not in ("session_id", "metadata")}
    return json.dumps([kept, reward, done], sort_keys=True)


def play_alone(messages: list[dict[str, Any]]) -> list[str]:
    environment = MolforgeEnvironment()
    steps = [environment.reset(messages[0])]
    steps += [environment.step(ActionMessage.model_validate(message).to_action()) for message in messages[1:]]
    return [comparable(step.observation, step.reward, step.done) for step in steps]


async def play_over_wire(socket: Socket, messages: list[dict[str, Any]], rng: random.Random) -> list[str]:
    replies = []
    for number, message in enumerate(messages):
        await asyncio.sleep(rng.random() * 0.02)
        data = await (socket.step(**message) if number else socket.reset(**message))
        replies.append(comparable(data["observation"], data["reward"], data["done"]))
    return replies


@pytest.mark.parametrize("workers", [0, 2])
async def test_64_interleaved_sessions_observe_what_each_observes_alone(workers: int) -> None:
    scripts = [script(number) for number in range(SESSIONS)]
    config = Config(workers=workers)
    async with running(await asyncio.to_thread(create_app, config), config) as url:

        async def one(number: int) -> list[str]:
            async with connected(url) as socket:
                return await play_over_wire(socket, scripts[number], random.Random(number))

        together = await asyncio.gather(*(one(number) for number in range(SESSIONS)))
    alone = await asyncio.to_thread(lambda: [play_alone(messages) for messages in scripts])

    assert together == alone
    assert len({replies[0] for replies in together}) == SESSIONS


@pytest.mark.parametrize("number", range(3))
def test_replies_have_the_published_shape(number: int) -> None:
    environment = MolforgeEnvironment()
    messages = script(number)

    State.model_validate(environment.state())
    steps = [environment.reset({**messages[0], "unknown": 1})]
    for message in messages[1:]:
        steps.append(environment.step(ActionMessage.model_validate(message).to_action()))
        State.model_validate(environment.state(), strict=True)

    for step in steps:
        wire = json.loads(json.dumps(step.observation))
        Observation.model_validate({**wire, "reward": step.reward, "done": step.done}, strict=True)
        assert set(wire) | {"done", "reward", "metadata"} == set(Observation.model_fields)


async def test_another_secret_is_another_world() -> None:
    texts = []
    for secret in (None, b"one", b"one", b"two"):
        engine = InProcessEngine(environment_factory(secret), threads=1)
        config = Config(secret=secret)
        app = await asyncio.to_thread(create_app, config, engine=engine)
        async with running(app, config) as url, connected(url) as socket:
            texts.append((await socket.reset(task_id="potency", seed=3))["observation"]["text"])

    assert texts[1] == texts[2]
    assert len(set(texts)) == 3
