"""deploy/examples/chainlit before an agent that speaks Socket.IO and restores sessions as Chainlit does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
from typing import Iterator

import httpclient
from examples import ExampleGuard
from processes import HERE, PYTHON, Server, free_port
from socketio_agent import TOKENS
from wsclient import TEXT, Client

PATH = "/ws/socket.io/?EIO=4&transport=websocket"


class SocketIoAgent(Server):
    def __init__(self, directory: pathlib.Path) -> None:
        self.port = free_port()
        command = [PYTHON, "-B", "-m", "uvicorn", "socketio_agent:app", "--app-dir", str(HERE)]
        command += ["--port", str(self.port)]
        super().__init__(command, directory / "agent.log", self.port, "/events")

    async def events(self) -> list[str]:
        return (await httpclient.request(self.port, "/events")).json()

    async def happened(self, count: int) -> list[str]:
        """Waits for so many events."""
        for _ in range(300):
            events = await self.events()
            if len(events) >= count:
                return events
            await asyncio.sleep(0.05)
        raise AssertionError(events)


async def joined(port: int) -> Client:
    """Connected, in the one session that there is."""
    client = await Client.connect(port, PATH)
    assert (await client.receive()).payload.startswith(b"0{")  # Engine.IO is open
    await client.send(TEXT, b'40{"sessionId":"ann"}')
    assert (await client.receive()).payload.startswith(b"40")
    return client


async def token(client: Client) -> int:
    packet = (await client.receive()).payload.decode()
    assert packet.startswith("42"), packet
    name, number = json.loads(packet[2:])
    assert name == "stream_token"
    return number


async def in_mid_answer(port: int) -> Client:
    client = await joined(port)
    await client.send(TEXT, b'42["client_message","hi"]')
    assert await token(client) == 0
    return client


@contextlib.contextmanager
def running(tmp_path) -> Iterator[SocketIoAgent]:
    agent = SocketIoAgent(tmp_path)
    try:
        yield agent
    finally:
        agent.stop(timeout=3)


@contextlib.contextmanager
def guarded(tmp_path, agent: SocketIoAgent) -> Iterator[int]:
    url = f"http://127.0.0.1:{agent.port}"
    guard = ExampleGuard(tmp_path, "chainlit", CHAINLIT_URL=url)
    try:
        yield guard.port
    finally:
        assert guard.stop() == 0, guard.log()


async def test_without_the_guard_a_chat_ends_in_mid_answer(tmp_path):
    with running(tmp_path) as agent:
        (await in_mid_answer(agent.port)).abort()
        assert await agent.happened(2) == ["chat_end in mid-answer", "answered"]


async def test_with_the_guard_it_ends_when_all_is_said(tmp_path):
    with running(tmp_path) as agent, guarded(tmp_path, agent) as port:
        (await in_mid_answer(port)).abort()
        assert await agent.happened(2) == ["answered", "chat_end"]


async def test_who_is_back_in_mid_answer_is_not_held_and_hears_the_rest(tmp_path):
    with running(tmp_path) as agent, guarded(tmp_path, agent) as port:
        (await in_mid_answer(port)).abort()
        again = await joined(port)
        first = await token(again)
        assert 0 < first < TOKENS - 1
        assert [await token(again) for _ in range(first + 1, TOKENS)] == list(range(first + 1, TOKENS))
        assert await agent.happened(1) == ["answered"]
        again.abort()
        assert await agent.happened(2) == ["answered", "chat_end"]
