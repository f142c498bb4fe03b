"""Calls that overlap on one client: each gets its own reply, in the order they were made."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("openenv", reason="neither openenv-core nor openenv is installed")

from molforge.client import MolforgeAction, MolforgeEnv
from tests.client.cable import cable_to

PROGRAMME = {"task_id": "potency", "split": "train", "seed": 0}
SUGGEST = MolforgeAction(command="suggest M1")


def assay(number: int) -> MolforgeAction:
    """Return a step whose reply tells it from the others: so many readings."""
    return MolforgeAction(command=f"assay M1: potency x{number}")


def readings(result) -> int:
    return sum(reading.assay == "potency" for reading in result.observation.readings)


async def test_gathered_steps_get_their_own_replies_in_order(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        opening, *results = await asyncio.gather(
            env.reset(**PROGRAMME), *map(env.step, map(assay, (3, 1, 2)))
        )
        after, state = await asyncio.gather(env.step(SUGGEST), env.state())

    assert opening.observation.brief is not None
    assert [readings(result) for result in results] == [3, 1, 2]
    assert [result.observation.steps_left for result in results] == [29, 28, 27]
    assert len(after.observation.suggestions) == 8
    assert (state.step_count, env.resumed) == (4, 0)


def test_threads_on_the_sync_client_get_their_own_replies(server_url):
    with MolforgeEnv(base_url=server_url).sync() as env, ThreadPoolExecutor(3) as pool:
        env.reset(**PROGRAMME)
        results = list(pool.map(env.step, map(assay, (3, 1, 2))))
        after = env.step(SUGGEST)

    assert [readings(result) for result in results] == [3, 1, 2]
    assert sorted(result.observation.steps_left for result in results) == [27, 28, 29]
    assert len(after.observation.suggestions) == 8


async def test_whatever_ends_a_call_before_its_reply_does_not_shift_later_replies(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)

        async def fail() -> None:
            del env._receive
            raise KeyError("not one of the expected")

        env._receive = fail
        with pytest.raises(KeyError):
            await env.step(assay(3))
        after = await env.step(SUGGEST)
        state = await env.state()

    assert (len(after.observation.suggestions), after.observation.steps_left) == (8, 28)
    assert (state.step_count, env.resumed) == (2, 1)


async def test_what_cannot_be_sent_changes_nothing(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)
        with pytest.raises(TypeError, match="JSON"):
            await env.reset(seed=object())
        after = await env.step(SUGGEST)

    assert (after.observation.steps_left, env.resumed) == (29, 0)


async def test_a_cancelled_call_leaves_the_queue_unsent(server_url):
    async with MolforgeEnv(base_url=server_url) as env:
        await env.reset(**PROGRAMME)
        calls = [asyncio.ensure_future(env.step(assay(number))) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        calls[1].cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        state = await env.state()

    assert isinstance(results[1], asyncio.CancelledError)
    assert [readings(results[0]), readings(results[2])] == [1, 3]
    assert (state.step_count, env.resumed) == (2, 0)


async def test_close_ends_the_calls_that_wait(server_url):
    async with cable_to(server_url) as (cable, url):
        env = MolforgeEnv(base_url=url)
        await env.reset(**PROGRAMME)
        cable.hold_reply.clear()
        calls = [asyncio.ensure_future(env.step(assay(number))) for number in (1, 2)]
        await asyncio.sleep(0.1)
        closing = asyncio.ensure_future(env.close())
        await asyncio.sleep(0.1)
        cable.cut()
        results = await asyncio.gather(*calls, return_exceptions=True)
        await closing

    assert [type(result) for result in results] == [ConnectionError] * 2
    assert "the client was closed" in str(results[1])
    assert cable.connections == 1


def test_a_client_that_moves_to_another_loop_queues_there(server_url):
    env = MolforgeEnv(base_url=server_url)

    async def play() -> list[int]:
        _, *results = await asyncio.gather(env.reset(**PROGRAMME), *map(env.step, map(assay, (2, 1))))
        env._drop_socket()
        return [readings(result) for result in results]

    assert [asyncio.run(play()), asyncio.run(play())] == [[2, 1], [2, 1]]
