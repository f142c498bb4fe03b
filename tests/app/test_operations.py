"""What an operator relies on: figures, readiness, log lines with ids, rate limits, a ceiling on memory."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app import logs
from app.config import Config
from app.errors import MemoryExceeded
from app.forks import Order
from app.journal import MemoryJournal
from app.limits import Limits, payer_of
from app.metrics import BUCKETS, Metrics
from app.service import Service
from app.sessions import Origin, SessionTable
from app.workers import WorkerEngine
from molforge.actions import Action
from tests.app.harness import connected, process, serving
from tests.app.test_workers import alive


async def figures(url: str) -> dict[str, float]:
    """Return the samples of /metrics by name and labels, read by the official parser."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as reply:
        assert reply.status == 200
        assert reply.content_type == "text/plain"
        text = await reply.text()
    return {
        " ".join([sample.name, *(str(value) for value in sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_count_sessions_calls_and_refusals() -> None:
    async with serving(Config(max_sessions=3)) as url, connected(url) as one, connected(url) as two:
        await one.reset()
        for _ in range(4):
            await one.step(command="x")
        await two.call('{"type": "step", "data": {}}')
        await two.call("nonsense")
        await two.call({"type": "step", "data": {"command": "x"}})
        found = await figures(url)

    assert found["molforge_sessions socket"] == 2
    assert found["molforge_capacity socket"] == 3
    assert found["molforge_call_seconds_count step"] == 4
    assert found["molforge_call_seconds_count reset"] == 1
    assert found["molforge_refused_total VALIDATION_ERROR"] == 1
    assert found["molforge_refused_total INVALID_JSON"] == 1
    assert found["molforge_refused_total NOT_RESET"] == 1
    assert found["molforge_ready"] == 1
    assert found["process_open_fds"] > 3


async def test_a_killed_worker_is_counted() -> None:
    with process("tests.app.fake_server", "--workers", "1") as (server, url, _):
        async with connected(url) as socket:
            await socket.reset()
            before = await figures(url)
            os.kill(*alive("molforge-w", server.pid), signal.SIGKILL)
            await socket.step(command="x")
            after = await figures(url)

    assert (before["molforge_worker_restarts_total"], after["molforge_worker_restarts_total"]) == (0, 1)
    assert after["molforge_workers"] == 1


async def test_a_full_server_is_not_ready() -> None:
    async with serving(Config(max_sessions=1)) as url, aiohttp.ClientSession() as http:
        async with connected(url) as socket:
            await socket.reset()
            async with http.get(f"{url}/ready") as reply:
                assert (reply.status, (await reply.json())["status"]) == (503, "full")
        await asyncio.sleep(0.1)
        async with http.get(f"{url}/ready") as reply:
            assert reply.status == 200


async def test_times_are_told_as_the_library_itself_tells_them() -> None:
    times = (0.0, 0.0005, 0.00051, 0.004, 0.01, 59.9, 60.0, 61.0, 1e4)
    registry = CollectorRegistry()
    reference = Histogram("molforge_call_seconds", "x", ["kind"], buckets=BUCKETS, registry=registry).labels(
        "step"
    )
    metrics = Metrics()
    for seconds in times:
        reference.observe(seconds)
        metrics.took["step"](seconds)

    def samples(text: bytes) -> set[str]:
        return {
            line for line in text.decode().splitlines() if 'kind="step"' in line and "_created" not in line
        }

    assert samples(await metrics.text()) == samples(generate_latest(registry))


def test_buckets_refill_and_hold_two_seconds() -> None:
    now = 0.0
    limits = Limits(per_address=2, total=3, clock=lambda: now)

    assert [limits.wait("10.0.0.1") for _ in range(4)] == [0.0] * 4
    assert limits.wait("10.0.0.1") == pytest.approx(0.5)
    assert [limits.wait("10.0.0.2") for _ in range(2)] == [0.0] * 2
    assert limits.wait("10.0.0.2") == pytest.approx(1 / 3)
    assert limits.wait(None) == 0.0
    now = 0.5
    assert limits.wait("10.0.0.1") == 0.0


@pytest.mark.parametrize(
    ("address", "payer"),
    [
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:4711", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"),
        ("x", "x"),
    ],
)
def test_calls_count_against_an_address_without_its_port_and_an_ipv6_network(
    address: str, payer: str | None
) -> None:
    assert payer_of(address) == payer


async def test_requests_that_come_too_fast_hear_429_and_frames_wait() -> None:
    config = Config(calls_per_second_per_address=5, trust_forwarded=True)
    other = {"X-Forwarded-For": "spoofed, 203.0.113.7"}
    async with serving(config) as url, aiohttp.ClientSession() as http:
        async with connected(url, headers=other) as socket:
            await socket.reset()
            began = time.monotonic()
            for _ in range(12):
                await socket.step(command="x")
            waited = time.monotonic() - began
        async with http.get(f"{url}/tasks", headers=other) as reply:
            status, retry, body = reply.status, reply.headers.get("Retry-After"), await reply.json()
        two_lines = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.7")]
        async with http.get(f"{url}/tasks", headers=two_lines) as reply:
            spoofed = reply.status
        async with http.get(f"{url}/health", headers=other) as reply:
            health = reply.status
        async with http.get(f"{url}/tasks") as reply:
            own = reply.status

    assert waited > 0.4
    assert (status, retry, body["code"]) == (429, "1", "RATE_LIMITED")
    assert (spoofed, health, own) == (429, 200, 200)


async def test_log_lines_are_json_with_the_ids_of_request_and_session() -> None:
    with process("tests.app.fake_server", "--log-format", "json", "--log-level", "DEBUG") as (server, url, _):
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{url}/reset", headers={"X-Request-ID": "mine-1"}) as reply:
                echoed = reply.headers["X-Request-ID"]
                session_id = reply.headers["X-Session-ID"]
            body = {"action": {"command": "boom payload"}, "session_id": session_id}
            async with http.post(f"{url}/step", json=body, headers={"X-Request-ID": "bad id\t"}) as reply:
                made = reply.headers["X-Request-ID"]
        server.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(server.communicate, None, 10)
    lines = [json.loads(line) for line in errors.splitlines()]

    assert echoed == "mine-1"
    assert len(made) == 16
    assert any(line.get("request") == "mine-1" and session_id in line["message"] for line in lines)
    failed = next(line for line in lines if line["level"] == "ERROR" and line.get("request") == made)
    assert failed["session"] == session_id
    assert "RuntimeError" in failed["traceback"] or "EnvironmentCrashed" in failed["traceback"]
    assert not any("payload" in line["message"] for line in lines)


def test_text_lines_end_with_the_ids(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("app", logging.INFO, "", 0, "hello", (), None)
    logs.session_id.set("s1")
    try:
        assert logs.Text().format(record).endswith("INFO app: hello [session=s1]")
    finally:
        logs.session_id.set("")


async def test_a_step_that_takes_all_memory_is_given_up_and_a_grown_worker_is_replaced() -> None:
    order = Order(factory="tests.app.fake:fake_factory", memory_mb=100)
    engine = WorkerEngine(order, workers=1, call_seconds=20.0)
    table = SessionTable(capacity=10, rest_capacity=10, idle_seconds=60)
    service = Service(engine=engine, sessions=table, journal=MemoryJournal(), call_seconds=20.0)
    await service.start()
    try:
        session = await service.open(Origin.SOCKET)
        await service.reset(session, {})
        with pytest.raises(MemoryExceeded):
            await service.step(session, Action(command="hog 1000"))
        first = engine.pids
        await service.step(session, Action(command="keep 150"))
        async with asyncio.timeout(10):
            while engine.recycled == 0 or engine.pids == first:  # noqa: ASYNC110 - it is weighed when it is
                await asyncio.sleep(0.05)
        await service.step(session, Action(command="x"))
        assert (await service.state(session))["step_count"] == 2
        assert engine.restarts == 0
    finally:
        await service.stop()


def test_resident_memory_of_a_process_that_is_gone_is_none() -> None:
    from app.memory import proportional_kb, resident_mb

    assert resident_mb(os.getpid()) > 10
    assert proportional_kb(os.getpid()) > proportional_kb(os.getpid(), part="Pss_Anon") > 10_000
    assert resident_mb(2**22 + 1) == 0.0
    assert Path("/proc").exists()
