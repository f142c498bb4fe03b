"""What every engine guarantees, asked of each of them, alone and under the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.engine import Engine, InProcessEngine
from app.errors import CallTimedOut, EnvironmentLost, SessionBusy
from app.forks import Order
from app.hosting import Entry, Reply
from app.journal import MemoryJournal
from app.service import Service
from app.sessions import Origin, Session, SessionTable
from app.workers import WorkerEngine
from molforge.actions import Action
from molforge.errors import AgentError, BadArgument, EnvironmentFault, EpisodeOver, NotReset
from tests.app.fake import FakeEnvironment

SECONDS = 20.0


def make_engine(kind: str) -> Engine:
    if kind == "threads":
        return InProcessEngine(FakeEnvironment, threads=4)
    return WorkerEngine(Order(factory="tests.app.fake:fake_factory"), workers=2, call_seconds=SECONDS)


@pytest.fixture(params=["threads", "workers"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    engine = make_engine(request.param)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def service(engine: Engine) -> Service:
    table = SessionTable(capacity=100, rest_capacity=100, idle_seconds=60)
    return Service(engine=engine, sessions=table, journal=MemoryJournal(), call_seconds=SECONDS)


async def opened(engine: Engine, session_id: str = "s") -> Reply:
    await engine.open(session_id, seconds=SECONDS)
    return await engine.reset(session_id, {"seed": 7}, seconds=SECONDS)


async def playing(service: Service) -> Session:
    session = await service.open(Origin.SOCKET)
    await service.reset(session, {"seed": 7})
    return session


async def test_replies_are_the_environments_own(engine: Engine) -> None:
    first = await opened(engine)
    second = await engine.step("s", {"command": "echo hello"}, seconds=SECONDS)
    alone = FakeEnvironment()
    alone.reset({"seed": 7}, session_id="s")
    expected = alone.step(Action(command="echo hello"))

    assert second.as_step() == expected
    assert first.memory == {"resets": 0}
    assert (await engine.state("s", seconds=SECONDS))["token"] == alone.state()["token"]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        pytest.param("agent-error", AgentError, id="agent"),
        pytest.param("boom", Exception, id="bug"),
    ],
)
async def test_errors_arrive_as_what_they_are(engine: Engine, command: str, kind: type[Exception]) -> None:
    await engine.open("s", seconds=SECONDS)
    with pytest.raises(NotReset):
        await engine.step("s", {"command": "x"}, seconds=SECONDS)
    with pytest.raises(BadArgument) as refused:
        await engine.reset("s", {"task_id": "cooking"}, seconds=SECONDS)
    await engine.reset("s", {}, seconds=SECONDS)
    with pytest.raises(kind):
        await engine.step("s", {"command": command}, seconds=SECONDS)
    await engine.step("s", {"command": "end"}, seconds=SECONDS)
    with pytest.raises(EpisodeOver):
        await engine.step("s", {"command": "x"}, seconds=SECONDS)

    assert (refused.value.argument, refused.value.value) == ("task_id", "cooking")
    assert refused.value.allowed == "potency, triage"


async def test_second_call_in_a_session_is_refused(engine: Engine) -> None:
    await opened(engine)
    running = asyncio.create_task(engine.step("s", {"command": "sleep 0.2"}, seconds=SECONDS))
    await asyncio.sleep(0.05)

    with pytest.raises(SessionBusy):
        await engine.state("s", seconds=SECONDS)

    await running
    assert (await engine.state("s", seconds=SECONDS))["step_count"] == 1


async def test_sessions_do_not_share_anything(engine: Engine) -> None:
    async def play(number: int) -> str:
        await engine.open(f"s{number}", seconds=SECONDS)
        await engine.reset(f"s{number}", {"seed": number % 5}, seconds=SECONDS)
        for _ in range(5):
            await engine.step(f"s{number}", {"command": "x"}, seconds=SECONDS)
        token: str = (await engine.state(f"s{number}", seconds=SECONDS))["token"]
        return token

    tokens = await asyncio.gather(*(play(number) for number in range(50)))

    assert tokens == tokens[:5] * 10
    assert len(set(tokens)) == 5


async def test_an_environment_is_opened_where_its_record_ends(engine: Engine) -> None:
    first = await opened(engine)
    second = await engine.step("s", {"command": "one"}, seconds=SECONDS)
    history = [
        Entry(
            kind="reset",
            message={"seed": 7},
            reward=0.0,
            done=False,
            digest=first.digest,
            memory=first.memory,
        ),
        Entry(kind="step", message={"command": "one"}, reward=0.25, done=False, digest=second.digest),
    ]
    before = await engine.state("s", seconds=SECONDS)

    engine.discard("s")
    with pytest.raises(EnvironmentLost):
        await engine.state("s", seconds=SECONDS)
    await engine.open("s", history, seconds=SECONDS)

    assert await engine.state("s", seconds=SECONDS) == before


async def test_a_record_that_plays_differently_is_not_gone_on_with(engine: Engine) -> None:
    wrong = Entry(kind="reset", message={}, reward=0.0, done=False, digest="0" * 16, memory={})

    with pytest.raises(EnvironmentFault, match="the replay says"):
        await engine.open("s", [wrong], seconds=SECONDS)

    assert not engine.holds("s")


async def test_call_that_takes_too_long_is_given_up_and_its_environment_with_it(engine: Engine) -> None:
    await opened(engine)

    with pytest.raises(CallTimedOut):
        await engine.step("s", {"command": "sleep 0.4"}, seconds=0.1)

    assert not engine.holds("s")


async def test_session_goes_on_from_its_record_whatever_happened_to_its_environment(service: Service) -> None:
    session, twin = await playing(service), await playing(service)
    await service.step(session, Action(command="one"))
    service.engine.discard(session.id)
    await service.step(session, Action(command="two"))
    with pytest.raises(CallTimedOut):
        await service.step(session, Action(command="sleep 0.5"), seconds=0.1)
    with pytest.raises(Exception):  # noqa: B017 - what the environment raised differs by engine, and is nobody's business
        await service.step(session, Action(command="boom"))
    last = await service.step(session, Action(command="three"))

    for command in ("one", "two"):
        await service.step(twin, Action(command=command))
    expected = await service.step(twin, Action(command="three"))
    assert last.observation["text"] == expected.observation["text"]
    assert (await service.state(session))["step_count"] == 3


async def test_caller_that_leaves_in_the_middle_leaves_the_record_as_it_was(service: Service) -> None:
    session = await playing(service)
    running = asyncio.create_task(service.step(session, Action(command="sleep 0.2")))
    await asyncio.sleep(0.05)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (await service.state(session))["step_count"] == 0
    await service.step(session, Action(command="x"))
    assert (await service.state(session))["step_count"] == 1


async def test_resets_without_a_seed_are_counted_across_environments(service: Service) -> None:
    session = await playing(service)
    first = (await service.state(session))["episode_id"]
    service.engine.discard(session.id)
    await service.reset(session, {})
    service.engine.discard(session.id)

    assert (first, (await service.state(session))["episode_id"]) == (f"{session.id}-1", f"{session.id}-2")
