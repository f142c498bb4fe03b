"""The session table: capacity, idleness, ids."""

from __future__ import annotations

import pytest

from app.errors import CapacityReached, SessionNotFound
from app.sessions import Origin, SessionTable


class Clock:
    """A clock moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Peer:
    """A socket that nobody dismisses."""

    def dismiss(self, code: int, reason: str) -> None:
        raise AssertionError((code, reason))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(clock: Clock) -> SessionTable:
    return SessionTable(capacity=2, rest_capacity=1, idle_seconds=10.0, clock=clock)


def test_rest_and_socket_sessions_do_not_take_each_others_places(table: SessionTable) -> None:
    table.open(Origin.REST)
    table.open(Origin.SOCKET)
    table.open(Origin.CREATED)

    with pytest.raises(CapacityReached) as refused:
        table.open(Origin.SOCKET)

    assert refused.value.numbers == {"active_sessions": 2, "max_sessions": 2}


def test_a_released_place_is_free_once(table: SessionTable) -> None:
    session = table.open(Origin.REST)

    assert table.release(session)
    assert not table.release(session)

    assert table.open(Origin.REST).id != session.id
    with pytest.raises(SessionNotFound):
        table.get(session.id)


def test_ids_are_unguessable(table: SessionTable) -> None:
    session = table.open(Origin.SOCKET)

    assert len(bytes.fromhex(session.id)) * 8 >= 128


def test_idle_sessions_expire_and_busy_ones_do_not(table: SessionTable, clock: Clock) -> None:
    idle, busy = table.open(Origin.SOCKET), table.open(Origin.CREATED)
    busy.calls_running = 1

    clock.now = 10.5

    assert table.expired() == [idle]
    table.touch(idle)
    assert table.expired() == []


def test_finished_sessions_are_the_first_to_be_forgotten(clock: Clock) -> None:
    table = SessionTable(capacity=9, rest_capacity=9, idle_seconds=10.0, detached=2, clock=clock)
    running, finished, last = (table.open(Origin.REST) for _ in range(3))
    running.steps = last.steps = 1
    finished.is_finished = True

    assert [table.detach(session) for session in (running, finished, last)] == [[], [], [finished]]
    clock.now = 1000.0
    assert table.stale() == [running, last]


def test_a_long_idle_session_that_makes_room_can_be_resumed_for_as_long_as_any(clock: Clock) -> None:
    table = SessionTable(capacity=1, rest_capacity=1, idle_seconds=3600.0, resume_seconds=900.0, clock=clock)
    session = table.open(Origin.REST)
    session.steps = 1
    clock.now = 1800.0
    table.release(session)
    table.remember([session])

    assert table.stale() == []
    clock.now = 2701.0
    assert table.stale() == [session]


def test_a_finished_rest_session_is_least_wanted_then_a_long_idle_then_an_unused_one(clock: Clock) -> None:
    table = SessionTable(capacity=2, rest_capacity=3, idle_seconds=600.0, rest_idle_seconds=60.0, clock=clock)
    table.open(Origin.SOCKET)
    first, second = table.open(Origin.REST), table.open(Origin.REST)
    first.steps = second.steps = 1
    clock.now = 30.0
    fresh = table.open(Origin.REST)

    assert table.least_wanted(is_rest=True) is None
    fresh.episode = 1
    assert table.least_wanted(is_rest=True) is fresh
    clock.now = 90.0
    assert table.least_wanted(is_rest=True) is first
    second.is_finished = True
    assert table.least_wanted(is_rest=True) is second
    second.calls_running = first.calls_running = 1
    assert table.least_wanted(is_rest=True) is fresh
    fresh.steps = 1
    assert table.least_wanted(is_rest=True) is None


def test_a_finished_session_that_was_just_looked_at_is_not_the_first_to_go(clock: Clock) -> None:
    table = SessionTable(capacity=2, rest_capacity=2, idle_seconds=600.0, detached=1, clock=clock)
    old, read = table.open(Origin.SOCKET), table.open(Origin.SOCKET)
    read.is_finished = True
    table.detach(old)

    assert table.detach(read, is_wanted=True) == [old]
    assert table.known(read.id) is read


def test_a_session_that_was_created_and_left_alone_makes_room_for_a_socket(clock: Clock) -> None:
    table = SessionTable(capacity=2, rest_capacity=1, idle_seconds=600.0, rest_idle_seconds=60.0, clock=clock)
    created, driven = table.open(Origin.CREATED), table.open(Origin.SOCKET)
    driven.connection = Peer()

    assert table.least_wanted(is_rest=False) is None
    clock.now = 90.0
    assert table.least_wanted(is_rest=False) is created
    created.connection = Peer()
    assert table.least_wanted(is_rest=False) is None


def test_a_fresh_rest_session_is_not_the_first_to_go(clock: Clock) -> None:
    table = SessionTable(
        capacity=2, rest_capacity=2, idle_seconds=600.0, rest_idle_seconds=60.0, detached=1, clock=clock
    )
    old, fresh, left = table.open(Origin.SOCKET), table.open(Origin.REST), table.open(Origin.REST)
    table.detach(old)

    assert table.detach(fresh) == [old]
    clock.now = 90.0
    assert table.detach(left) == [left]
