"""Pages for people: self-contained, and each visitor plays alone."""

from __future__ import annotations

import re

import aiohttp
import pytest

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
