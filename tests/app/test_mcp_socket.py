"""WebSocket /mcp: one session, one answer a message."""

from __future__ import annotations

from app.config import Config
from tests.app.fake import FakeEnvironment
from tests.app.harness import connected, request, serving, tool


async def test_a_socket_of_its_own_answers_in_order_whatever_is_sent() -> None:
    async with serving(Config(max_sessions=1)) as url, connected(url, "/mcp") as socket:
        await socket.send(tool("brief", seed=1))
        await socket.send("{")
        await socket.raw.send_bytes(b"{}")
        await socket.send([1])
        await socket.send(tool("assay", compounds=["M1"], assays=["x"]))
        replies = [await socket.receive() for _ in range(5)]
        async with connected(url, "/mcp") as other:
            full = await other.receive()
            code, _ = await other.closed()
        async with connected(url, "/ws") as third:
            assert (await third.receive())["data"]["code"] == "CAPACITY_REACHED"
        mine = await socket.call(request("openenv/session/create"))
        own = await socket.call(request("openenv/session/close", **mine["result"]))

    codes = [reply.get("error", {}).get("code") for reply in (*replies, full, own)]
    assert codes == [None, -32700, -32000, -32600, None, -32000, -32600]
    assert replies[-1]["result"]["data"]["reward"] == 0.25
    assert full["error"]["data"]["max_sessions"] == 1
    assert code == 1000


async def test_a_socket_of_its_own_is_told_when_its_environment_cannot_be_made() -> None:
    def refuse() -> FakeEnvironment:
        raise RuntimeError("secret detail")

    async with serving(factory=refuse) as url, connected(url, "/mcp") as socket:
        told = await socket.receive()
        code, _ = await socket.closed()

    assert (told["error"]["code"], list(told["error"]["data"]), code) == (-32000, ["factory_name"], 1000)
    assert "secret" not in str(told)
