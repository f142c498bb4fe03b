"""Worker processes: killed, stopped, hanging, poisoned; sessions notice nothing but time."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.channel import Calls, Kind
from app.errors import CallCrashed, CallTimedOut, SessionNotFound
from app.faults.server import stopped
from app.forks import Order
from app.journal import MemoryJournal
from app.service import Service
from app.sessions import Origin, Session, SessionTable
from app.workers import WorkerEngine
from molforge.actions import Action
from tests.app.fake import FakeEnvironment
from tests.app.harness import ROOT, connected, process


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    engine = WorkerEngine(Order(factory="tests.app.fake:fake_factory"), workers=2, call_seconds=2.0)
    table = SessionTable(capacity=100, rest_capacity=100, idle_seconds=60)
    service = Service(engine=engine, sessions=table, journal=MemoryJournal(), call_seconds=2.0)
    await service.start()
    await until(lambda: len(engine.pids) == 2)
    yield service
    await service.stop()


def engine_of(service: Service) -> WorkerEngine:
    assert isinstance(service.engine, WorkerEngine)
    return service.engine


async def until(condition: object, *, seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - processes end when they end
            await asyncio.sleep(0.01)


async def playing(service: Service, *, seed: int = 7) -> Session:
    session = await service.open(Origin.SOCKET)
    await service.reset(session, {"seed": seed})
    return session


def played_alone(seed: int, session_id: str, commands: list[str]) -> list[str]:
    environment = FakeEnvironment()
    environment.reset({"seed": seed}, session_id=session_id)
    return [str(environment.step(Action(command=command)).observation["text"]) for command in commands]


async def test_killed_workers_are_replaced_and_no_reply_is_lost_doubled_or_wrong(service: Service) -> None:
    commands = [f"echo {number}" for number in range(40)]

    async def play(seed: int) -> tuple[list[str], list[str]]:
        session = await playing(service, seed=seed)
        texts = []
        for command in commands:
            texts.append(str((await service.step(session, Action(command=command))).observation["text"]))
            await asyncio.sleep(0.01)
        return texts, played_alone(seed, session.id, commands)

    async def kill() -> None:
        rng = random.Random(1)
        while True:
            await asyncio.sleep(0.2)
            with suppress(ProcessLookupError, IndexError):
                os.kill(rng.choice(engine_of(service).pids), signal.SIGKILL)

    killing = asyncio.create_task(kill())
    results = await asyncio.gather(*(play(seed) for seed in range(16)))
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)

    assert all(played == alone for played, alone in results)
    assert engine_of(service).restarts >= 2


async def test_call_that_ends_its_worker_is_tried_again(service: Service, tmp_path: Path) -> None:
    session = await playing(service)

    step = await service.step(session, Action(command=f"die-once {tmp_path / 'mark'}"))

    assert step.reward == 0.25
    assert (await service.state(session))["step_count"] == 1


async def test_call_that_ends_every_worker_is_given_up_and_the_others_go_on(service: Service) -> None:
    victim, *others = [await playing(service, seed=number) for number in range(6)]
    await service.step(victim, Action(command="before"))

    async def go_on(session: Session) -> None:
        for _ in range(20):
            await service.step(session, Action(command="x"))
            await asyncio.sleep(0.01)

    going = [asyncio.create_task(go_on(session)) for session in others]
    with pytest.raises(CallCrashed):
        await service.step(victim, Action(command="die"))
    await asyncio.gather(*going)

    assert (await service.state(victim))["step_count"] == 1
    assert [(await service.state(session))["step_count"] for session in others] == [20] * 5


async def test_call_that_hangs_is_given_up_with_its_worker_and_the_others_move(service: Service) -> None:
    sessions = [await playing(service, seed=number) for number in range(4)]
    hanging = asyncio.create_task(service.step(sessions[0], Action(command="sleep 60")))
    await asyncio.sleep(0.05)

    began = time.monotonic()
    for session in sessions[1:]:
        await service.step(session, Action(command="x"))
    with pytest.raises(CallTimedOut):
        await hanging
    seconds = time.monotonic() - began
    await service.step(sessions[0], Action(command="x"))

    assert seconds < 6
    assert (await service.state(sessions[0]))["step_count"] == 1
    await until(lambda: len(engine_of(service).pids) == 2)


async def test_stopped_worker_is_replaced(service: Service) -> None:
    sessions = [await playing(service, seed=number) for number in range(4)]
    for pid in engine_of(service).pids:
        os.kill(pid, signal.SIGSTOP)

    began = time.monotonic()
    await asyncio.gather(*(service.step(session, Action(command="x")) for session in sessions))

    assert time.monotonic() - began < 2.0
    assert engine_of(service).restarts == 2


async def test_sessions_of_a_lost_worker_wait_for_the_next_one(service: Service) -> None:
    sessions = [await playing(service, seed=number) for number in range(8)]
    seats = engine_of(service)._seats
    before = {name: seat.link.pid for name, seat in seats.items()}
    lost = before[sessions[0].id]

    os.kill(lost, signal.SIGKILL)
    await asyncio.gather(*(service.step(session, Action(command="x")) for session in sessions))

    after = [seats[name].link.pid for name, pid in before.items() if pid == lost]
    assert len([pid for pid in after if pid not in before.values()]) > len(after) / 2


async def test_worker_that_does_not_come_is_not_waited_for_where_there_is_another(service: Service) -> None:
    sessions = [await playing(service, seed=number) for number in range(4)]
    lost = engine_of(service)._seats[sessions[0].id].link.pid
    with stopped(parent_of(lost)):
        os.kill(lost, signal.SIGKILL)

        began = time.monotonic()
        await asyncio.gather(*(service.step(session, Action(command="x")) for session in sessions))

        assert time.monotonic() - began < 1.5


async def test_record_that_takes_long_to_play_is_gone_on_with(service: Service) -> None:
    session = await playing(service)
    await service.step(session, Action(command="sleep 1"))
    service.engine.discard(session.id)

    began = time.monotonic()
    await service.step(session, Action(command="x"))

    assert time.monotonic() - began < 1.9
    assert (await service.state(session))["step_count"] == 2


async def test_long_call_moves_only_who_is_called_meanwhile_and_no_worker_is_lost(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    engine = engine_of(service)
    sessions = [await playing(service, seed=number) for number in range(8)]
    seats = {session.id: engine._seats[session.id].link.pid for session in sessions}
    caller, called, *uncalled = [s for s in sessions if seats[s.id] == seats[sessions[0].id]]

    calling = asyncio.create_task(service.step(caller, Action(command="sleep 1.6")))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await service.step(called, Action(command="x"))
    seconds = time.monotonic() - began
    await calling
    for session in sessions:
        await service.step(session, Action(command="x"))
    after = {session.id: engine._seats[session.id].link.pid for session in sessions}
    service.close(called)  # with it goes the worker that was one too many
    await until(lambda: len(engine.pids) == 2)

    assert seconds < 1.0
    assert uncalled
    assert [after[s.id] == seats[s.id] for s in (caller, called, *uncalled)] == [
        True,
        False,
        *[True] * len(uncalled),
    ]
    assert engine.restarts == 0
    assert all(record.levelname == "INFO" for record in caplog.records)


async def test_worker_that_gets_no_core_is_not_gone_round(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.link.waited_seconds", lambda _pid: time.monotonic())
    session = await playing(service)
    with caplog.at_level(logging.INFO, logger="app.workers"):
        await service.step(session, Action(command="sleep 1.6"))

    assert "one call for long" not in caplog.text


async def test_what_a_worker_waited_for_a_core_before_a_call_is_not_the_calls(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waited = 0.0
    monkeypatch.setattr("app.link.waited_seconds", lambda _pid: waited)
    session = await playing(service)
    waited = 5.0
    await service.step(session, Action(command="sleep 0.2"))
    with caplog.at_level(logging.INFO, logger="app.workers"):
        await service.step(session, Action(command="sleep 1.6"))

    assert "one call for long" in caplog.text


async def test_call_that_nobody_waits_for_any_more_is_not_begun(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    add = Calls.add

    def recorded(calls: Calls, number: int, kind: Kind, session_id: str, body: bytes = b"") -> None:
        if kind is not Kind.DISCARD:
            begun.append(session_id)
        add(calls, number, kind, session_id, body)

    monkeypatch.setattr(Calls, "add", recorded)
    sessions = [await playing(service, seed=number) for number in range(4)]
    seats = engine_of(service)._seats
    caller, waiter = [s for s in sessions if seats[s.id].link is seats[sessions[0].id].link]
    calling = asyncio.create_task(service.step(caller, Action(command="sleep 0.5")))
    await asyncio.sleep(0.2)
    waiting = asyncio.create_task(service.step(waiter, Action(command="x")))
    await asyncio.sleep(0.1)
    begun.clear()

    waiting.cancel()
    await calling
    await service.step(caller, Action(command="x"))

    assert begun == [caller.id]
    await service.step(waiter, Action(command="x"))
    assert (await service.state(waiter))["step_count"] == 1


async def test_dead_parent_is_replaced_with_its_workers(service: Service) -> None:
    session = await playing(service)
    pid = engine_of(service).pids[0]
    parent = parent_of(pid)

    os.kill(parent, signal.SIGKILL)
    await until(lambda: pid not in engine_of(service).pids)
    await service.step(session, Action(command="x"))

    assert (await service.state(session))["step_count"] == 1


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def alive(name: str, ancestor: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid,ppid,comm"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    family = {ancestor}
    for _ in range(4):
        family |= {int(pid) for pid, parent, _ in rows if int(parent) in family}
    return [int(pid) for pid, _, comm in rows if int(pid) in family and comm.startswith(name)]


@pytest.mark.skipif(sys.platform != "linux", reason="process names and parent death signals are Linux's")
async def test_server_process_has_named_children_that_die_with_it() -> None:
    with process("tests.app.fake_server", "--workers", "2") as (server, url, _):
        async with connected(url) as socket:
            await socket.reset()
            await socket.step(command="x")
        parents, workers = alive("molforge-parent", server.pid), alive("molforge-w", server.pid)
        server.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.wait, 5)
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (*parents, *workers)))

    assert (len(parents), len(workers)) == (1, 2)


def test_server_with_workers_loads_no_chemistry_of_its_own() -> None:
    code = (
        "import sys, asyncio; from app.config import Config; import app.main, app.workers, app.forks;"
        "app.main.create_app(Config(workers=2));"
        "print([m for m in ('rdkit', 'numpy', 'envs.environment') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "[]"


async def test_a_new_session_does_not_wait_behind_a_long_call_of_one_that_is_gone(service: Service) -> None:
    held, *others = [await playing(service) for _ in range(8)]
    seats = engine_of(service)._seats
    for other in others:
        if seats[other.id].link is seats[held.id].link:
            service.close(other)  # its worker has the fewest sessions now
    calling = asyncio.create_task(service.step(held, Action(command="sleep 1.9")))
    await asyncio.sleep(0.3)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)

    began = time.monotonic()
    await service.open(Origin.SOCKET)

    assert time.monotonic() - began < 1.0


async def test_workers_forked_before_all_was_loaded_go_when_their_sessions_have_gone() -> None:
    order = Order(factory="tests.app.fake:fake_factory", warm_ups="tests.app.fake:two_pieces")
    engine = WorkerEngine(order, workers=1, call_seconds=60.0)
    table = SessionTable(capacity=10, rest_capacity=10, idle_seconds=60)
    service = Service(engine=engine, sessions=table, journal=MemoryJournal(), call_seconds=60.0)
    await service.start()
    try:
        early = await playing(service)
        [old] = engine.pids
        await until(lambda: len(engine.pids) == 2)
        late = await playing(service)
        await service.step(early, Action(command="x"))
        await service.step(late, Action(command="x"))
        both = sorted(engine.pids)
        service.close(early)
        await until(lambda: len(engine.pids) == 1)
        await service.step(late, Action(command="x"))

        assert old in both
        assert engine.pids != [old]
        assert engine.restarts == 0
    finally:
        await service.stop()


async def test_a_session_closed_while_its_call_waits_hears_that_and_leaves_nothing(service: Service) -> None:
    engine = engine_of(service)
    sessions = [await playing(service, seed=seed) for seed in range(4)]
    long = [asyncio.create_task(service.step(s, Action(command="sleep 0.3"))) for s in sessions[:2]]
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(service.step(s, Action(command="go"))) for s in sessions[2:]]
    await asyncio.sleep(0.05)
    for session in sessions[2:]:
        service.close(session)

    told = await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*long)

    assert [type(answer) for answer in told] == [SessionNotFound] * 2
    assert not any(engine.holds(session.id) for session in sessions[2:])
    assert sorted(link.sessions for link in engine._links) == [1, 1]
