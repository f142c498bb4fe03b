"""The in-process engine: one call at a time, and threads that do not come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from app.engine import InProcessEngine
from app.errors import CallTimedOut, EnvironmentLost, FactoryFailed, Overloaded, SessionBusy
from molforge.actions import Action
from molforge.contract import Step
from tests.app.fake import FakeEnvironment


class HeldEnvironment(FakeEnvironment):
    """Steps last until the gate opens."""

    gate: threading.Event
    entered: threading.Event

    def step(self, action: Action) -> Step:
        self.entered.set()
        assert self.gate.wait(10)
        return super().step(action)


@pytest.fixture
async def engine() -> AsyncIterator[InProcessEngine]:
    HeldEnvironment.gate, HeldEnvironment.entered = threading.Event(), threading.Event()
    FakeEnvironment.alive, FakeEnvironment.closed_while_busy = set(), 0
    engine = InProcessEngine(HeldEnvironment, threads=2)
    await engine.start()
    yield engine
    HeldEnvironment.gate.set()
    await engine.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - threads end when they end
            await asyncio.sleep(0.005)


async def opened(engine: InProcessEngine, session_id: str = "s") -> None:
    await engine.open(session_id, seconds=5)
    await engine.reset(session_id, {}, seconds=5)


async def test_second_call_in_a_session_is_refused_while_one_runs(engine: InProcessEngine) -> None:
    await opened(engine)
    running = asyncio.create_task(engine.step("s", {"command": "x"}, seconds=5))
    await until(HeldEnvironment.entered.is_set)

    with pytest.raises(SessionBusy):
        await engine.state("s", seconds=5)

    HeldEnvironment.gate.set()
    await running
    assert (await engine.state("s", seconds=5))["step_count"] == 1


async def test_timed_out_environment_is_retired_and_closed_after_its_thread(engine: InProcessEngine) -> None:
    await opened(engine)

    with pytest.raises(CallTimedOut):
        await engine.step("s", {"command": "x"}, seconds=0.05)

    HeldEnvironment.gate.set()
    with pytest.raises(EnvironmentLost):  # it is to be made anew from the record
        await engine.step("s", {"command": "x"}, seconds=5)
    await until(lambda: not FakeEnvironment.alive)
    assert FakeEnvironment.closed_while_busy == 0


async def test_engine_whose_threads_all_hang_is_not_ready(engine: InProcessEngine) -> None:
    for name in ("a", "b"):
        await opened(engine, name)
        assert engine.is_ready
        with pytest.raises(CallTimedOut):
            await engine.step(name, {"command": "x"}, seconds=0.05)
    assert not engine.is_ready

    HeldEnvironment.gate.set()
    await until(lambda: engine.is_ready)


async def test_call_that_never_began_did_not_happen(engine: InProcessEngine) -> None:
    for name in ("a", "b", "c"):
        await opened(engine, name)
    running = [asyncio.create_task(engine.step(name, {"command": "x"}, seconds=5)) for name in ("a", "b")]
    await until(HeldEnvironment.entered.is_set)

    with pytest.raises(Overloaded):
        await engine.step("c", {"command": "x"}, seconds=0.05)

    HeldEnvironment.gate.set()
    await asyncio.gather(*running)
    assert (await engine.state("c", seconds=5))["step_count"] == 0
    assert (await engine.step("c", {"command": "x"}, seconds=5)).reward == 0.25


async def test_a_caller_that_leaves_does_not_interrupt_the_call(engine: InProcessEngine) -> None:
    await opened(engine)
    running = asyncio.create_task(engine.step("s", {"command": "x"}, seconds=5))
    await until(HeldEnvironment.entered.is_set)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert engine.has_stragglers
    HeldEnvironment.gate.set()

    await until(lambda: not engine.has_stragglers)
    await asyncio.sleep(0)
    assert (await engine.state("s", seconds=5))["step_count"] == 1


async def test_discarded_session_is_gone_at_once_and_closed_later(engine: InProcessEngine) -> None:
    await opened(engine)
    running = asyncio.create_task(engine.step("s", {"command": "x"}, seconds=5))
    await until(HeldEnvironment.entered.is_set)

    engine.discard("s")

    with pytest.raises(EnvironmentLost):
        await engine.state("s", seconds=5)
    assert len(FakeEnvironment.alive) == 1
    HeldEnvironment.gate.set()
    await running
    await until(lambda: not FakeEnvironment.alive)
    assert FakeEnvironment.closed_while_busy == 0


async def test_factory_that_fails_is_named_and_leaves_no_session() -> None:
    def broken() -> FakeEnvironment:
        raise OSError("no disk")

    engine = InProcessEngine(broken, threads=1)

    with pytest.raises(FactoryFailed, match="broken"):
        await engine.open("s", seconds=5)

    with pytest.raises(EnvironmentLost):
        await engine.state("s", seconds=5)
    await engine.close()


async def test_engine_is_ready_once_its_warm_up_is_over() -> None:
    gate = threading.Event()
    engine = InProcessEngine(FakeEnvironment, threads=1, warm_up=lambda: gate.wait(5) and None)

    await engine.start()
    assert not engine.is_ready
    gate.set()

    await until(lambda: engine.is_ready)
    await engine.close()
