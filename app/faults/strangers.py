"""Aborted connections, intruders; a thousand sockets at SIGTERM."""

from __future__ import annotations

import asyncio
import random
import signal
import time

import aiohttp

from app.faults.kills import playing
from app.faults.players import MAX_REPLY, settle
from app.faults.raw import RESET, Raw, frame
from app.faults.server import Server, served
from app.faults.verdict import Verdict


async def _half_open(raw: Raw) -> None:
    raw.writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
    await raw.writer.drain()


async def _opened(raw: Raw) -> None:
    await raw.upgrade()


async def _reset(raw: Raw) -> None:
    await raw.upgrade()
    raw.send(RESET)
    await raw.receive()


async def _mid_frame(raw: Raw) -> None:
    await _reset(raw)
    raw.writer.write(frame(b'{"type":"step","data":{"command":"x"}}')[:20])
    await raw.writer.drain()


async def _mid_step(raw: Raw) -> None:
    await _reset(raw)
    raw.send(b'{"type":"step","data":{"command":"sleep 0.01"}}')
    await raw.writer.drain()


WAYS = (_half_open, _opened, _reset, _mid_frame, _mid_step)


async def aborts(share: float) -> Verdict:
    """20,000 connections that are aborted, in five ways."""
    count = max(500, int(20_000 * share))
    verdict = Verdict(scenario=f"{count} connections aborted half-open, open, reset, mid-frame, mid-step")
    options = ("--workers", "2", "--idle-seconds", "8", "--resume-seconds", "2", "--max-sessions", "256")
    async with served(*options) as server:
        await _abort_many(server, max(500, count // 10))  # what is allocated once is not left behind
        await asyncio.sleep(6.0)
        memory, files = server.memory_mb, server.files
        failed = await _abort_many(server, count)
        await asyncio.sleep(8.0)
        left = server.memory_mb - memory, server.files - files  # before another connection asks for figures
        figures = await server.figures()
        verdict.note("could not connect", failed, most=0)
        verdict.note("slots left", figures['molforge_sessions{kind="socket"}'], most=0)
        verdict.note("detached left", figures['molforge_sessions{kind="detached"}'], most=0)
        verdict.note("files left", left[1], most=0)
        verdict.note("MB left", left[0], most=5.0)
    return verdict


async def _abort_many(server: Server, count: int, *, at_once: int = 24) -> int:
    rng = random.Random(3)
    failed = 0
    ways = iter([rng.choice(WAYS) for _ in range(count)])

    async def go_on() -> None:
        nonlocal failed
        for way in ways:
            raw = Raw(server.port)
            try:
                await raw.connect()
                async with asyncio.timeout(20.0):
                    await way(raw)
                raw.abort()
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                failed += 1

    await asyncio.gather(*(go_on() for _ in range(at_once)))
    return failed


async def intruders(share: float) -> Verdict:  # noqa: ARG001 - it takes what it takes
    """A second connection on one id, a call while another runs, guessed ids."""
    verdict = Verdict(scenario="two connections on one id, a call under another, guessed ids")
    async with served("--workers", "2") as server, playing(server, 1) as (player,):
        await player.play({"command": f"x {n}"} for n in range(5))
        http, url = player.http, server.url
        async with http.ws_connect(f"{url}/ws?session_id={player.session_id}") as second:
            said = await second.receive_json(timeout=10.0)
            verdict.note("second socket refused", said["data"]["cause"] == "ALREADY_ATTACHED", least=1)
        assert player.socket is not None
        await player.socket.send_json({"type": "step", "data": {"command": "sleep 1"}})
        await asyncio.sleep(0.3)
        headers = {"X-Session-ID": player.session_id}
        body = {"action": {"command": "intruder"}}
        async with http.post(f"{url}/step", json=body, headers=headers) as reply:
            verdict.note("call under a running one, status", reply.status, least=409, most=409)
        reply_to_own = await player.receive()
        player.done.append({"command": "sleep 1"})
        player.replies.append(reply_to_own)
        found = 0
        for number in range(1000):
            guess = (
                f"{number:032x}" if number % 2 else player.session_id[:-1] + "0123456789abcdefg"[number % 17]
            )
            if guess == player.session_id:
                continue
            async with http.post(f"{url}/step", json=body, headers={"X-Session-ID": guess}) as reply:
                found += reply.status != 404
        verdict.note("guessed ids that were not refused", found, most=0)
        verdict.note("random bits of an id", 4 * len(player.session_id), least=128)
        await player.play({"command": f"y {n}"} for n in range(5))
        account = settle([player])
        verdict.note("replies changed by all that", account.wrong + account.lost, most=0)
    return verdict


async def sigterm(share: float) -> Verdict:
    """SIGTERM with 1,000 open sockets."""
    count = max(100, int(1000 * share))
    verdict = Verdict(scenario=f"SIGTERM with {count} open sockets")
    async with (
        served("--workers", "2", "--max-sessions", "2000") as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        sockets, ids = [], []
        for seed in range(count):
            opened = await http.ws_connect(f"{server.url}/ws", max_msg_size=MAX_REPLY)
            await opened.send_json({"type": "reset", "data": {"seed": seed}})
            ids.append((await opened.receive_json())["data"]["observation"]["session_id"])
            sockets.append(opened)
        running = sockets[: count // 10]
        for opened in running:
            await opened.send_json({"type": "step", "data": {"command": "sleep 0.01"}})
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        closes = await asyncio.gather(*(_last_words(opened) for opened in sockets))
        code = await asyncio.to_thread(server.process.wait, 20)
        verdict.note("exit code", code, most=0, least=0)
        verdict.note("s to the end", time.monotonic() - began, most=5.0)
        good = sum(close == (1012, own) for (_, close), own in zip(closes, ids, strict=True))
        verdict.note("closed with 1012 and their id", good, least=count)
        answered = sum(replies for replies, _ in closes)
        verdict.note("running steps answered", answered, least=len(running))
    return verdict


async def _last_words(opened: aiohttp.ClientWebSocketResponse) -> tuple[int, tuple[int | None, str]]:
    """Return how many replies still came, and code and reason of the close."""
    replies = 0
    while True:
        message = await opened.receive(timeout=20.0)
        if message.type is not aiohttp.WSMsgType.TEXT:
            return replies, (message.data, message.extra or "")
        replies += 1
