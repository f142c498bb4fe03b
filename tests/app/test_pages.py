"""Pages for people: self-contained, and each visitor plays alone."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.environments import environment_factory
from tests.app.harness import serving


@pytest.mark.parametrize("path", ["/", "/web", "/web/", "/docs", "/redoc"])
async def test_pages_need_nothing_from_elsewhere(path: str) -> None:
    async with serving() as url, aiohttp.ClientSession() as http, http.get(url + path) as reply:
        page = await reply.text()

    assert (reply.status, reply.content_type, reply.charset) == (200, "text/html", "utf-8")
    assert not re.search(r"(src|href|url|import|fetch)\s*[=(]\s*[\"'`]?\s*(https?:)?//", page)
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert not re.search(r"\$[a-z]", page.split("<h2>Schemas")[0].replace("$ref", ""))


async def test_links_of_the_home_page_lead_somewhere() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/web/") as reply:
            links = re.findall(r'href="../([a-z][^":]*)"', await reply.text())
        for link in links:
            async with http.get(f"{url}/{link}") as reply:
                assert reply.status == 200, link

    assert {"docs", "openapi.json", "tasks"} <= set(links)


async def test_visitors_play_in_sessions_of_their_own() -> None:
    async with serving() as url, visitor() as one, visitor() as other:
        for http, seed in ((one, 1), (other, 2)):
            async with http.post(f"{url}/web/reset", json={"seed": seed}) as reply:
                assert (await reply.json())["observation"]["seed"] == seed
        for body in ({"message": "echo hi"}, {"action": {"command": "echo hi"}}):
            async with other.post(f"{url}/web/step", json=body) as reply:
                assert (await reply.json())["observation"]["text"].endswith("hi")
        states = []
        for http in (one, other):
            async with http.get(f"{url}/web/state") as reply:
                states.append(await reply.json())

    assert [(state["seed"], state["step_count"]) for state in states] == [(1, 0), (2, 2)]


async def test_a_visitor_who_asks_for_a_new_session_keeps_the_others() -> None:
    new = {"X-Session-ID": "new"}
    async with serving() as url, visitor() as http:
        ids, texts = [], []
        for seed in (1, 2):
            async with http.post(f"{url}/web/reset", json={"seed": seed}, headers=new) as reply:
                ids.append(reply.headers["X-Session-ID"])
        for session_id in ids:
            headers = {"X-Session-ID": session_id}
            async with http.post(f"{url}/web/step", json={"message": "echo"}, headers=headers) as reply:
                assert reply.headers["X-Session-ID"] == session_id
            async with http.get(f"{url}/web/state", headers=headers) as reply:
                texts.append((await reply.json())["seed"])
        async with http.post(f"{url}/web/step", json={"message": "echo"}, headers=new) as reply:
            assert reply.status == 404

    assert len(set(ids)) == 2
    assert texts == [1, 2]


async def test_every_tab_of_a_browser_plays_in_a_session_of_its_own() -> None:
    async with serving() as url:
        played = await run_script("tabs.js", url)

    one, other = played["sessions"][:2]
    *played_on, refused, last = played["sessions"]
    assert one != other
    assert played_on == [one, other, one, other, one, one], "to open another programme is a reset"
    assert (refused, last in (one, other)) == (None, False), "a session that is gone is replaced"
    assert ["seed 1" in played["logs"][0], "seed 2" in played["logs"][1]] == [True, True]
    assert [log.count("> echo") for log in played["logs"]] == [2, 1]


async def test_a_visitor_presses_suggestions_and_has_them_made_and_measured() -> None:
    async with serving(factory=environment_factory(None)) as url:
        told = await run_script("offers.js", url)

    first, second = told["offered"]
    asked, bought = told["steps"]
    assert asked == "suggest M1"
    assert bought.startswith(f"assay {first}; {second}: potency, ")
    assert re.search(r"^M\d+ \S+ \(made; .* \| potency \d", told["log"].split("> assay")[1], re.MULTILINE)
    assert "prior_art" not in bought
    assert told["status"].startswith("A seed is a whole number")


async def run_script(name: str, url: str) -> Any:
    """Run one of the scripts beside this file on the home page; return what it prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script")
    script = Path(__file__).with_name(name)
    running = await asyncio.create_subprocess_exec(
        node, script, f"{url}/web/", stdout=asyncio.subprocess.PIPE
    )
    try:
        told, _ = await asyncio.wait_for(running.communicate(), timeout=60)
    except TimeoutError:
        running.kill()
        raise
    return json.loads(told)


async def test_a_visitor_in_a_frame_of_another_site_is_known_by_header() -> None:
    async with serving() as url, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        async with http.post(f"{url}/web/reset", json={"seed": 1}) as reply:
            name = {"X-Session-ID": reply.headers["X-Session-ID"]}
        async with http.post(f"{url}/web/step", json={"message": "echo"}, headers=name) as reply:
            assert reply.headers["X-Session-ID"] == name["X-Session-ID"]


def visitor() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_the_visitors_metadata_is_the_servers() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/metadata") as reply:
            told = await reply.json()
        async with http.get(f"{url}/web/metadata") as reply:
            assert await reply.json() == told


async def test_callers_who_name_no_session_share_a_scratch_programme_and_see_nobody_elses() -> None:
    async with serving() as url, visitor() as known:
        async with known.post(f"{url}/web/reset", json={"seed": 1}) as reply:
            assert reply.status == 200
        async with known.post(f"{url}/web/step", json={"message": "echo private"}) as reply:
            assert reply.status == 200
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as nameless:
            counts = []
            for seed in (8, 9):
                async with nameless.post(f"{url}/web/reset", json={"seed": seed}) as reply:
                    assert reply.status == 200
                for _ in range(2):
                    async with nameless.post(f"{url}/web/step", json={"message": "echo"}) as reply:
                        assert "X-Session-ID" not in reply.headers
                async with nameless.get(f"{url}/web/state") as reply:
                    state = await reply.json()
                    counts.append((state["seed"], state["step_count"]))
        async with known.get(f"{url}/web/state") as reply:
            assert (await reply.json())["step_count"] == 1

    assert counts == [(8, 2), (9, 2)]


async def test_a_failed_reset_leaves_the_nameless_their_programme() -> None:
    async with serving() as url, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        statuses = []
        for path, body in (("reset", {"seed": 3}), ("reset", {"seed": 2**63}), ("step", {"message": "echo"})):
            async with http.post(f"{url}/web/{path}", json=body) as reply:
                statuses.append(reply.status)

    assert statuses == [200, 422, 200]


async def test_five_at_once_who_name_no_session_open_one_scratch_programme() -> None:
    async with serving() as url, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as nameless:
        await (await nameless.post(f"{url}/web/reset", json={"seed": 8})).read()
        steps = (nameless.post(f"{url}/web/step", json={"message": "echo"}) for _ in range(5))
        found = sorted(reply.status for reply in await asyncio.gather(*steps))
        async with nameless.get(f"{url}/metrics") as reply:
            text = await reply.text()

    assert set(found) <= {200, 409}, "one session takes one call at a time"
    assert 'molforge_sessions{kind="rest"} 2.0' in text, "that of the reset, and one of the steps"
