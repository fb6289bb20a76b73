"""Compression that client and backend agree on by themselves, and a profile that reads messages."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import websockets

pytestmark = pytest.mark.sanitized
both = pytest.mark.parametrize("ws", ["websockets", "wsproto"])

DEFLATE = "permessage-deflate"
TEXT = "the same words again and again, " * 50  # worth compressing


def agreed(client) -> str:
    # Version 10 of the library, Debian 12's, keeps the headers elsewhere than 13's.
    answer = getattr(client, "response", None)
    headers = client.response_headers if answer is None else answer.headers
    return headers.get("Sec-WebSocket-Extensions", "")


async def turn(client, text: str, **options) -> str:
    await client.send(json.dumps({"text": text, **options}))
    while True:
        message = json.loads(await asyncio.wait_for(client.recv(), 10))
        if message["type"] == "chat":
            return message["content"]


@both
async def test_turns_end_in_compressed_messages(stack, ws):
    s = stack(ws=ws)
    async with websockets.connect(f"ws://127.0.0.1:{s.port}/ws/u") as client:
        assert agreed(client).startswith(DEFLATE)
        for number in range(12):  # more than the window of the profile lets through at a time
            assert await turn(client, TEXT + str(number)) == TEXT + str(number)
    assert (await s.agent.empty("u"))["sessions"] == 0


@both
async def test_a_client_that_drops_in_mid_turn_comes_back(stack, ws):
    s = stack(ws=ws)
    url = f"ws://127.0.0.1:{s.port}/ws/u"
    for drop in range(4):
        client = await websockets.connect(url)
        assert agreed(client).startswith(DEFLATE)
        await client.send(json.dumps({"text": TEXT, "tokens": 10, "pace": 0.05}))
        await client.recv()
        if drop % 2:
            await client.close()
        else:
            client.transport.abort()
    start = time.monotonic()
    async with websockets.connect(url) as client:
        assert time.monotonic() - start < 5  # the turn's end was seen, not waited out
        assert await turn(client, TEXT) == TEXT
    assert s.agent_server.trouble() == []


async def test_straight_at_the_backend_the_same_drops_break_it(stack):
    s = stack()
    url = f"ws://127.0.0.1:{s.agent_server.port}/ws/u"
    client = await websockets.connect(url)
    assert agreed(client).startswith(DEFLATE)
    await client.send(json.dumps({"text": TEXT, "tokens": 10, "pace": 0.05}))
    await client.recv()
    client.transport.abort()
    await asyncio.sleep(1)
    with pytest.raises((websockets.WebSocketException, AssertionError, asyncio.TimeoutError)):
        async with websockets.connect(url) as client:
            assert await turn(client, TEXT) == TEXT


async def test_compression_off_keeps_it_from_the_backend(stack):
    s = stack(compression="off")
    async with websockets.connect(f"ws://127.0.0.1:{s.port}/ws/u") as client:
        assert agreed(client) == ""
        assert await turn(client, TEXT) == TEXT


async def test_a_compressed_text_that_is_no_object_never_reaches_the_backend(stack):
    s = stack()
    async with websockets.connect(f"ws://127.0.0.1:{s.port}/ws/u") as client:
        assert agreed(client).startswith(DEFLATE)
        assert await turn(client, TEXT) == TEXT
        await client.send(json.dumps([TEXT]))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), 10)
        assert closed.value.rcvd.code == 1007
    assert s.agent_server.trouble() == []
