"""/mcp is no way for other sites' pages into a server that a browser can reach."""

from __future__ import annotations

import aiohttp
import pytest

from app.config import Config
from tests.app.harness import request, serving
from tests.app.test_mcp import START, send


async def test_pages_of_other_hosts_are_refused() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        foreign, _, _ = await send(http, url, START, Origin="https://example.org")
        own, _, _ = await send(http, url, START, Origin=url)

    assert (foreign, own) == (403, 200)


@pytest.mark.parametrize(
    ("listens_on", "asked", "status"),
    [
        ("127.0.0.1", "rebound.example:{port}", 403),
        ("127.0.0.1", "localhost:{port}", 200),
        ("localhost", "[::1]:{port}", 200),
        ("127.0.0.1", "[rebound", 403),
        ("0.0.0.0", "laboratory.example", 200),  # a name of its own, or a proxy's
    ],
)
async def test_on_loopback_no_name_but_its_own_leads_a_page_to_the_tools(
    listens_on: str, asked: str, status: int
) -> None:
    async with serving(Config(host=listens_on)) as url, aiohttp.ClientSession() as http:
        host = asked.format(port=url.rpartition(":")[2])
        found, _, _ = await send(http, url, START, Origin=f"http://{host}", Host=host)

    assert found == status


async def test_behind_a_proxy_that_is_trusted_loopback_has_other_names() -> None:
    async with (
        serving(Config(host="127.0.0.1", trust_forwarded=True)) as url,
        aiohttp.ClientSession() as http,
    ):
        host = "laboratory.example"
        found, _, _ = await send(http, url, START, Origin=f"http://{host}", Host=host)

    assert found == 200


async def test_sockets_of_pages_of_other_hosts_are_refused() -> None:
    async with serving() as url, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{url}/mcp", headers={"Origin": "https://example.org"})
        async with http.ws_connect(f"{url}/mcp", headers={"Origin": url}) as own:
            await own.send_json(request("ping"))
            answer = await own.receive_json()

    assert (refused.value.status, answer["result"]) == (403, {})
