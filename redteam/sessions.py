"""Probes of a running server: other people's sessions, killed servers, secrets."""

from __future__ import annotations

import asyncio
import math
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from envs.environment import MolforgeEnvironment
from molforge.seeding import DEFAULT_SECRET, secret_fingerprint
from redteam.attacks import Finding
from redteam.servers import Answer, Server, Socket, connected, get, post, serving

READ = {"action_type": "assay", "compounds": ["M1", "M2"], "assays": ["potency", "logd"]}
GUESSED_PAGES = ("/sessions", "/journal", "/export", "/log", "/logs", "/docs", "/debug", "/admin", "/web/")
"""Beside those that the server itself lists."""
GUESSES = (
    b"", b"secret", b"molforge", b"molforge secret", b"password", b"test", b"0", b"1", b"changeme",
    b"private",
    b"molforge private worlds 1", b"molforge public worlds 2", b"molforge public worlds 1", b"openenv",
    b"default",
)  # fmt: skip
PATIENCE = 50
FARMED = 3
"""Rounds of paid readings, after each of which the programme is asked for again."""
SILENCE_SECONDS = 5.0
KILLED_AFTER = (0.0, 0.001, 0.004, 0.02)
"""Seconds from a call to the kill."""
PRIVATE = b"6ZkV0e2m-only-the-operator-knows"


class SessionLost(Exception):
    """A session could not be taken up again."""


def two_sockets() -> Finding:
    """A second socket on a living session: refused, and the first plays on as if nothing had been."""

    async def attack(url: str) -> Finding:
        async with connected(url) as first:
            opened = await first.call("reset", task_id="potency", seed=3)
            session_id = opened["data"]["observation"]["session_id"]
            async with connected(url, f"/ws?session_id={session_id}") as second:
                refused = await _first_word(second)
            step = await first.call("step", **READ)
            state = await first.call("state")
        steps = state["data"].get("step_count")
        held = refused["type"] == "error" and step["type"] == "observation" and steps == 1
        return Finding(
            held=held,
            detail=f"second socket: {refused['data'].get('code')}; steps {steps}",
        )

    with serving("--workers", "1") as server:
        return asyncio.run(attack(server.url))


async def _first_word(socket: Socket) -> dict[str, Any]:
    """Return what a socket says unasked, an empty message if it says nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SILENCE_SECONDS):
            return await socket.receive()
    return {"type": "", "data": {}}


def two_callers() -> Finding:
    """Thirty-two calls of one session at once: each is a step of its own or is refused, none doubled."""

    async def attack(url: str) -> Finding:
        opened = post(f"{url}/reset", {"task_id": "potency", "seed": 3})
        headers = {"X-Session-ID": opened.headers["X-Session-ID"]}
        body = {"action": {"action_type": "assay", "compounds": ["M1"], "assays": ["logd"]}}
        calls = [asyncio.to_thread(post, f"{url}/step", body, **headers) for _ in range(32)]
        answers = await asyncio.gather(*calls)
        taken = [a for a in answers if a.status == 200]
        state = get(f"{url}/state", **headers).json
        paid = opened.json["observation"]["budget_left"] - state["budget_left"]
        readings = [r for r in state["readings"] if r["call"]]
        held = state["step_count"] == len(taken) == len(readings) and paid == 2.0 * len(readings)
        return Finding(
            held=held, detail=f"{len(taken)} of 32 taken, {len(readings)} readings, {paid:g} credits paid"
        )

    with serving("--workers", "1") as server:
        return asyncio.run(attack(server.url))


def second_programme() -> Finding:
    """Tools that open the programme again, running or over, inside what a trainer has reset: all refused."""
    again: tuple[dict[str, Any], ...] = (
        {},
        {"task_id": "potency", "split": "train", "seed": 3},
        {"difficulty": 1.0},
    )
    asked = ("potency", "logd", "solubility", "off_target")

    async def attack(url: str) -> Finding:
        rewards, opened = [], 0
        async with connected(url) as socket:
            await socket.call("reset", task_id="potency", seed=3)
            for _ in range(FARMED):
                offered = await socket.call("step", command="suggest M1")
                smiles = [each["smiles"] for each in offered["data"]["observation"]["suggestions"]]
                read = await socket.call("step", action_type="assay", smiles=smiles[:4], assays=asked)
                rewards.append(read["data"]["reward"])
                opened += [await _opens(socket, arguments) for arguments in again].count(True)
            last = await socket.call("step", action_type="stop")
            rewards.append(last["data"]["reward"])
            opened += [await _opens(socket, arguments) for arguments in again].count(True)
        score = last["data"]["observation"]["score"]
        return Finding(
            held=opened == 0 and math.isclose(sum(rewards), score, abs_tol=1e-9),
            detail=f"{opened} opened; rewards sum to {sum(rewards):.3f}, score {score:.3f}",
        )

    with serving("--workers", "1") as server:
        return asyncio.run(attack(server.url))


async def _opens(socket: Socket, arguments: dict[str, Any]) -> bool:
    """Call ``brief``; say whether the money is all there again."""
    before = (await socket.call("state"))["data"]
    await socket.call("step", type="call_tool", tool_name="brief", arguments=arguments)
    after = (await socket.call("state"))["data"]
    return bool(after["step_count"] < before["step_count"] or after["budget_left"] > before["budget_left"])


def other_sessions() -> Finding:
    """A session is found by nobody without its id: not by guesses, cookies, pages or another session."""
    with serving("--workers", "1") as server, tempfile.TemporaryDirectory() as _:
        owner = post(f"{server.url}/reset", {"task_id": "potency", "seed": 3})
        session_id = owner.headers["X-Session-ID"]
        episode_id = get(f"{server.url}/state", **{"X-Session-ID": session_id}).json["episode_id"]
        guesses = (
            "0" * len(session_id),
            session_id[:-1] + "~",
            session_id.upper() + "x",
            episode_id,
            "1",
            "*",
            "' OR 1=1 --",
        )
        found = [g for g in guesses if get(f"{server.url}/state", **{"X-Session-ID": g}).status == 200]
        cookies = [
            g for g in guesses if "M1" in get(f"{server.url}/state", Cookie=f"molforge_session={g}").body
        ]
        pages = _pages(server)
        shown = [page for page, answer in pages.items() if session_id in answer.body]
        stranger = get(f"{server.url}/state")
    bits = 4 * len(session_id) if all(c in "0123456789abcdef-" for c in session_id) else 0
    clean = not found and not cookies and not shown and session_id not in stranger.body
    detail = (
        f"{len(guesses)} guesses, {len(pages)} pages: found {found + cookies}, shown {shown}; {bits}-bit ids"
    )
    return Finding(held=clean and bits >= 120, detail=detail)


def log_and_metrics() -> Finding:
    """Neither the log nor any page holds the secret, a hidden value, a witness or what somebody sent."""
    with tempfile.TemporaryDirectory() as folder:
        log, secret = Path(folder) / "log", Path(folder) / "secret"
        secret.write_bytes(PRIVATE)
        options = ("--secret-file", str(secret), "--log-level", "DEBUG", "--access-log", "--workers", "1")
        with serving(*options, log=log) as server:
            opened = post(f"{server.url}/reset", {"task_id": "potency", "seed": 3})
            headers = {"X-Session-ID": opened.headers["X-Session-ID"]}
            post(f"{server.url}/step", {"action": {**READ, "rationale": "what-nobody-may-log"}}, **headers)
            pages = _pages(server)
        said = log.read_text(errors="replace") + "".join(answer.body for answer in pages.values())
    hidden = MolforgeEnvironment(PRIVATE)
    hidden.reset({"task_id": "potency", "seed": 3})
    witness = hidden.episode.programme.plan.witness
    needles = {"secret": PRIVATE.decode(), "witness": witness, "message": "what-nobody-may-log"}
    leaks = [name for name, needle in needles.items() if needle in said]
    shown = sum(answer.status == 200 for answer in pages.values())
    return Finding(
        held=not leaks and shown > len(pages) / 2,
        detail=f"{len(said)} characters in the log and {shown} pages searched, leaks: {leaks or 'none'}",
    )


def _pages(server: Server) -> dict[str, Answer]:
    """Return every page that the server lists or that somebody may guess, with its answer."""
    listed = get(f"{server.url}/openapi.json").json["paths"]
    plain = [path for path, methods in listed.items() if "get" in methods and "{" not in path]
    return {page: get(server.url + page) for page in dict.fromkeys((*plain, *GUESSED_PAGES))}


async def _played(server: Server, moments: Sequence[float | None]) -> list[Any]:
    """Return the readings of a session that calls once for each moment.

    The server dies that many seconds after a call was sent, and is started again; None waits for the reply. A
    call without a reply is made again if the session, taken up again, does not know of it.
    """
    async with connected(server.url) as socket:
        opened = await socket.call("reset", task_id="potency", seed=11)
        session_id = opened["data"]["observation"]["session_id"]
    for number, moment in enumerate(moments, 1):
        if moment is not None:
            async with _resumed(server.url, session_id) as socket:
                await socket.raw.send_json({"type": "step", "data": READ})
                await asyncio.sleep(moment)
                server.kill()
            server.start()
        async with _resumed(server.url, session_id) as socket:
            while (await socket.call("state"))["data"]["step_count"] < number:
                await socket.call("step", **READ)
    async with _resumed(server.url, session_id) as socket:
        state = await socket.call("state")
    return [[r["assay"], r["compound"], r["call"], r["value"]] for r in state["data"]["readings"]]


@asynccontextmanager
async def _resumed(url: str, session_id: str) -> AsyncIterator[Socket]:
    """Take a session up again; the server may still be putting the old socket away."""
    for _ in range(PATIENCE):
        async with connected(url, f"/ws?session_id={session_id}") as socket:
            reply = await socket.call("state")
            if reply["type"] == "state":
                yield socket
                return
        await asyncio.sleep(0.1)
    raise SessionLost(f"the session could not be taken up again: {reply}")


def killed_server() -> Finding:
    """Kill the server between a call and its reply: what is read is what would have been read anyway."""
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for name, moments in (("plain", (None,) * len(KILLED_AFTER)), ("killed", KILLED_AFTER)):
            with serving("--workers", "1", "--journal", f"{folder}/{name}.db") as server:
                try:
                    told.append(asyncio.run(_played(server, moments)))
                except SessionLost as error:
                    return Finding(held=False, detail=str(error))
    plain, killed = told
    return Finding(
        held=plain == killed and len(plain) > len(KILLED_AFTER),
        detail=f"{len(KILLED_AFTER)} kills within a call, {len(plain)} readings, the same: {plain == killed}",
    )


def resets() -> Finding:
    """Reset again and again, with and without a seed or a noise seed, for another draw of one programme."""
    environment, told = MolforgeEnvironment(), set()
    for noise_seed in range(3):
        environment.reset({"task_id": "potency", "seed": 11})
        environment.reset({})
        for more in ({"episode_id": "another"}, {"noise_seed": noise_seed}):
            step = environment.reset({"task_id": "potency", "seed": 11, **more})
            told.add(tuple(reading["value"] for reading in step.observation["readings"]))
    return Finding(held=len(told) == 1, detail=f"{len(told)} sets of free readings in 3 rounds")


def secret_guessing() -> Finding:
    """Fifteen likely secrets tried against a private server's free readings: none fits.

    With the documented public secret everybody can compute the worlds: that is what it is for, and why a
    ranking wants a private one.
    """
    private = _free_readings(PRIVATE)
    fits = [guess for guess in GUESSES if _free_readings(guess) == private]
    public = [guess for guess in GUESSES if _free_readings(guess) == _free_readings(DEFAULT_SECRET)]
    marked = secret_fingerprint(PRIVATE)
    held = not fits and public == [DEFAULT_SECRET] and marked != secret_fingerprint(DEFAULT_SECRET)
    return Finding(held=held, detail=f"{len(fits)} of {len(GUESSES)} guesses fit the private worlds")


def _free_readings(secret: bytes) -> list[Any]:
    environment = MolforgeEnvironment(secret)
    step = environment.reset({"task_id": "potency", "split": "test", "seed": 5})
    return [step.observation["compounds"][0]["smiles"], *(r["value"] for r in step.observation["readings"])]


def seed_arithmetic() -> Finding:
    """Neighbouring seeds, one seed elsewhere or at other settings: off-target values do not correlate."""
    others: dict[str, dict[str, Any]] = {
        "next seed": {},
        "other split": {"split": "test"},
        "other task": {"task_id": "selectivity"},
        "other difficulty": {"difficulty": 0.75},
        "other targets": {"targets": ["fxa", "thrombin"]},
    }
    seeds = range(24)
    base = [_hidden(seed) for seed in seeds]
    found = {
        name: statistics.correlation(base, [_hidden(seed + (not change), **change) for seed in seeds])
        for name, change in others.items()
    }
    limit = 3.0 / math.sqrt(len(seeds))
    return Finding(
        held=all(abs(value) < limit for value in found.values()),
        detail=", ".join(f"{name} {value:+.2f}" for name, value in found.items()) + f" (chance: {limit:.2f})",
    )


def _hidden(seed: int, **changes: Any) -> float:
    from molforge.chem.structure import parse

    environment = MolforgeEnvironment()
    environment.reset({"task_id": "potency", "split": "train", "targets": ["fxa"], "seed": seed, **changes})
    return environment.episode.programme.world.values(parse("CC(=O)Nc1ccc(OCCN2CCCCC2)cc1"))["off_target"]
