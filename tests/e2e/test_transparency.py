"""What passes through the guard unchanged: handshakes, refusals, frames, plain HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

import httpclient
from wsclient import BINARY, PING, PONG, TEXT, Client, Closed, Refused, encode

pytestmark = pytest.mark.sanitized
both = pytest.mark.parametrize("ws", ["websockets", "wsproto"])


def end_to_end(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without those that a proxy decides on itself, and without the time."""
    own = ("date", "connection")
    return [(name, value) for name, value in headers if name.lower() not in own]


async def refusal(port: int, path: str) -> Refused:
    with pytest.raises(Refused) as refused:
        await Client.connect(port, path)
    return refused.value


# Handshakes.


@both
@pytest.mark.parametrize("query, status", [("refuse=1", 403), ("fail=1", 500)])
async def test_the_backends_refusal_reaches_the_client_as_it_is(stack, ws, query, status):
    s = stack(ws=ws)
    straight = await refusal(s.agent_server.port, f"/ws/u?{query}")
    guarded = await refusal(s.port, f"/ws/u?{query}")
    assert guarded.status == straight.status == status
    assert end_to_end(guarded.headers) == end_to_end(straight.headers)
    assert guarded.body == straight.body


@both
async def test_the_users_key_is_free_again_after_a_refusal(stack, ws):
    s = stack(ws=ws)
    await refusal(s.port, "/ws/u?refuse=1")
    client = await s.connect("u", timeout=5)
    await client.turn()
    await client.close()


@both
async def test_subprotocol_and_cookie_of_the_101_reach_the_client(stack, ws):
    s = stack(ws=ws)
    offer = (("Sec-WebSocket-Protocol", "agent.v2, agent.v1"),)
    client = await s.connect("u", headers=offer)
    assert client.header("sec-websocket-protocol") == "agent.v2"
    assert client.header("set-cookie") == "agent=1; Path=/; HttpOnly"
    await client.close()


@both
async def test_a_message_behind_the_handshake_in_one_segment_is_not_lost(stack, ws):
    s = stack(ws=ws)
    message = encode(TEXT, b'{"text": "early", "turn": "t", "conn": "c"}')
    client = await Client.open(s.port, "/ws/u", tail=message)
    client.conn = "c"
    await client.accepted()
    assert (await asyncio.wait_for(client.finish("t"), 5))[-1]["content"] == "early"
    await client.close()


async def test_a_message_sent_during_the_held_handshake_is_not_lost(stack):
    s = stack()
    old = await s.connect("u")
    await old.start(tokens=5, pace=0.1)
    await old.message()
    message = encode(TEXT, b'{"text": "early", "turn": "t", "conn": "c"}')
    client = await Client.open(s.port, "/ws/u", tail=message)
    client.conn = "c"
    await client.accepted()
    assert (await asyncio.wait_for(client.finish("t"), 5))[-1]["content"] == "early"
    await client.close()
    old.abort()


@pytest.mark.parametrize("path", ["/ws/us%65r", "/ws/%75%73%65%72", "/ws/user?x=1", "/ws", "/ws/"])
async def test_other_spellings_of_a_user_are_the_same_user(stack, path):
    s = stack()
    old = await s.connect("user")
    await old.turn()
    new = await Client.connect(s.port, path)
    with pytest.raises(Closed) as closed:
        await asyncio.wait_for(old.receive(), 5)
    assert closed.value.code == 4409
    await new.turn()
    await new.close()


# Frames.


async def test_messages_of_all_sizes_come_back_as_they_went(stack):
    s = stack(path="/echo/{user_id}", turn="{profile: request-reply}")
    client = await Client.connect(s.port, "/echo/u")
    for size in (0, 1, 125, 126, 127, 65535, 65536, 1_000_000):
        payload = os.urandom(size)
        await client.send(BINARY, payload)
        assert (await asyncio.wait_for(client.receive(), 10)).payload == payload
    await client.close()


async def test_a_ping_comes_back_with_its_payload(stack):
    s = stack()
    client = await s.connect("u")
    await client.send(PING, b"are you there")
    frame = await asyncio.wait_for(client.read_frame(), 5)
    assert (frame.opcode, frame.payload) == (PONG, b"are you there")
    await client.close()


# Plain HTTP.


async def test_a_get_and_its_answer(stack):
    s = stack()
    response = await httpclient.request(s.port, "/")
    assert (response.status, response.json()) == (200, {"status": "ready"})


async def test_target_and_headers_reach_the_backend_as_they_came(stack):
    s = stack()
    request = (
        b"GET /headers?a=%20z&b=%2F&c HTTP/1.1\r\nHost: agent.test\r\nX-One: 1\r\nX-One: 2\r\n"
        b"Connection: close\r\n\r\n"
    )
    seen = (await httpclient.exchange(s.port, request)).json()
    assert seen["target"].endswith("?a=%20z&b=%2F&c")
    assert ["host", "agent.test"] in seen["headers"]
    assert [value for name, value in seen["headers"] if name == "x-one"] == ["1", "2"]
    assert ["x-forwarded-for", "127.0.0.1"] in seen["headers"]


async def test_a_post_with_content_length(stack):
    s = stack()
    response = await httpclient.request(s.port, "/echo", "POST", b"x" * 100_000)
    assert (response.status, response.body) == (200, b"x" * 100_000)
    assert response.header("x-echo") == "100000"


async def test_a_chunked_upload(stack):
    s = stack()
    pieces = [os.urandom(size) for size in (1, 17, 4096, 70_000, 1_000_000)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = b"PUT /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    response = await httpclient.exchange(s.port, head + b"Connection: close\r\n\r\n" + body)
    whole = b"".join(pieces)
    assert response.json() == {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}


async def test_status_headers_and_body_of_an_answer_reach_the_client(stack):
    s = stack()
    response = await httpclient.request(s.port, "/teapot", "DELETE")
    assert (response.status, response.header("x-pot")) == (418, "tea")
    assert response.body == b"short and stout"


async def test_server_sent_events_come_as_they_are_sent(stack):
    s = stack()
    reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
    writer.write(b"GET /sse?count=3&pace=0.5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await httpclient.read_head(reader)
    clock = asyncio.get_running_loop().time
    times = []
    while await httpclient.read_chunk(reader):
        times.append(clock())
    writer.close()
    assert len(times) == 3
    assert times[2] - times[0] > 0.8


async def test_a_request_is_streamed_both_ways(stack):
    s = stack()
    reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
    head = b"POST /shout HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    writer.write(head + b"Connection: close\r\n\r\n3\r\none\r\n")
    await asyncio.wait_for(httpclient.read_head(reader), 5)
    assert await asyncio.wait_for(httpclient.read_chunk(reader), 5) == b"ONE"
    writer.write(b"3\r\ntwo\r\n")
    assert await asyncio.wait_for(httpclient.read_chunk(reader), 5) == b"TWO"
    writer.write(b"0\r\n\r\n")
    while await asyncio.wait_for(httpclient.read_chunk(reader), 5):
        pass
    writer.close()
