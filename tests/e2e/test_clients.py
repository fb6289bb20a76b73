"""Real client libraries through the guard, with what they negotiate on their own (compression)."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import websockets

pytestmark = pytest.mark.sanitized
both = pytest.mark.parametrize("ws", ["websockets", "wsproto"])


async def turn(client, **options) -> dict:
    await client.send(json.dumps({"text": "hi", "turn": "t", "conn": "c", **options}))
    while True:
        message = json.loads(await asyncio.wait_for(client.recv(), 10))
        assert (message["turn"], message["conn"]) == ("t", "c"), "an answer of another turn"
        if message["type"] == "chat":
            return message


@both
async def test_python_websockets_has_its_turns(stack, ws):
    s = stack(ws=ws)
    async with websockets.connect(f"ws://127.0.0.1:{s.port}/ws/u") as client:
        for text in ("one", "two", "x" * 10_000):
            assert (await turn(client, text=text))["content"] == text
    assert (await s.agent.empty("u"))["sessions"] == 0


@both
async def test_python_websockets_comes_back_in_mid_turn_with_compression_on_offer(stack, ws):
    s = stack(ws=ws)
    url = f"ws://127.0.0.1:{s.port}/ws/u"
    client = await websockets.connect(url)
    await client.send(json.dumps({"text": "hi", "tokens": 10, "pace": 0.1}))
    await client.recv()
    await client.close()
    start = time.monotonic()
    async with websockets.connect(url) as client:
        assert time.monotonic() - start < 5  # the turn's end was seen, not waited out
        assert (await turn(client, text="again"))["content"] == "again"
    assert s.agent_server.trouble() == []
