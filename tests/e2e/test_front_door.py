"""The ways in: PROXY protocol, unix sockets, limits, and those who come only to hold the door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import socket
import struct
import time

import pytest

from guardconfig import guard_config
from httpclient import Agent, exchange, request
from test_drop_matrix import back_to
from wsclient import Client, Refused

SLOW = 500
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(source: str, command: int = 1, more: bytes = b"") -> bytes:
    """A PROXY header of version 2 for TCP over IPv4 or IPv6."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    address = socket.inet_pton(family, source) * 2 + struct.pack("!HH", 4000, 80) + more
    kind = 0x21 if family == socket.AF_INET6 else 0x11
    return V2 + struct.pack("!BBH", 0x20 | command, kind, len(address)) + address


@pytest.fixture
def proxied(start_agent, start_guard):
    words = "    proxy_protocol: true\n    trusted_proxies: [127.0.0.1]\n"
    return start_guard(guard_config(start_agent("D").port, listener=words))


GET = b"GET /headers HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "header, source",
    [
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 4000 80\r\n", "203.0.113.9"),
        (b"PROXY TCP6 2001:db8::9 2001:db8::1 4000 80\r\n", "2001:db8::9"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (v2("203.0.113.9"), "203.0.113.9"),
        (v2("2001:db8::9"), "2001:db8::9"),
        (v2("203.0.113.9", more=b"\x04\x00\x03abc"), "203.0.113.9"),
        (v2("203.0.113.9", command=0), "127.0.0.1"),
    ],
)
async def test_a_proxy_header_says_who_the_client_is(proxied, header, source):
    for request_bytes in (header + GET, header + GET.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n")):
        answer = await exchange(proxied.port, request_bytes)
        assert answer.status == 200
        assert dict(answer.json()["headers"])["x-forwarded-for"] == source


async def test_a_proxy_header_may_come_byte_by_byte(proxied):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxied.port)
    for byte in v2("203.0.113.9") + GET:
        writer.write(bytes([byte]))
        await writer.drain()
    assert b"203.0.113.9" in await reader.read()
    writer.close()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"PROXY TCP4 203.0.113.9 10.0.0.1 4000\r\n",
        b"PROXY TCP4 203.0.113.999 10.0.0.1 4000 80\r\n",
        b"PROXY TCP4 203.0.113.9 10.0.0.1 4000 80000\r\n",
        b"PROXY TCP4  203.0.113.9 10.0.0.1 4000 80\r\n",
        b"PROXY " + b"x" * 200 + b"\r\n",
        V2 + b"\x31\x11\x00\x0c" + b"\0" * 12,
        V2 + b"\x21\x11\x00\x04" + b"\0" * 4,
        V2[:-1] + b"!" + b"\0" * 16,
    ],
)
async def test_what_is_no_proxy_header_ends_the_connection(proxied, header):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxied.port)
    writer.write(header + GET)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
    assert proxied.says("proxy_header")


async def test_a_proxy_header_of_a_stranger_ends_the_connection(start_agent, start_guard):
    words = "    proxy_protocol: true\n    trusted_proxies: [192.0.2.0/24]\n"
    guard = start_guard(guard_config(start_agent("D").port, listener=words))
    reader, writer = await asyncio.open_connection("127.0.0.1", guard.port)
    writer.write(v2("203.0.113.9") + GET)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
    assert guard.says("trusted_proxies")


async def test_the_client_is_found_from_the_right(start_agent, start_guard):
    agent = start_agent("D")
    guard = start_guard(
        guard_config(
            agent.port, listener="    trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\n",
            key="{client.ip}", route='    origins: ["null"]\n',
        )
    )  # fmt: skip
    said = (("X-Forwarded-For", "192.0.2.66, 203.0.113.9, 10.1.2.3"), ("Origin", "https://evil"))
    with pytest.raises(Refused):
        await Client.connect(guard.port, "/ws/ann", headers=said)
    assert guard.says('"client":"203.0.113.9"')


async def test_unix_sockets_on_both_sides(start_guard, tmp_path: pathlib.Path):
    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    origin, front = tmp_path / "origin.sock", tmp_path / "front.sock"
    server = await asyncio.start_unix_server(upstream, origin)
    async with server:
        config = guard_config(1).replace("url: http://127.0.0.1:1", f"url: unix:{origin}")
        config = config.replace(
            "upstreams:", f"  - {{name: local, bind: 'unix:{front}'}}\nupstreams:", 1
        )
        guard = start_guard(config)
        reader, writer = await asyncio.open_unix_connection(front)
        writer.write(GET)
        assert (await reader.read()).endswith(b"hello")
        writer.close()
        assert (await request(guard.port, "/")).body == b"hello"


async def test_the_most_connections_of_one_address(start_agent, start_guard):
    guard = start_guard(guard_config(start_agent("D").port, limits="{connections_per_ip: 3}"))
    clients = [await Client.connect(guard.port, f"/ws/{n}") for n in range(3)]
    with pytest.raises(Refused) as refused:
        await Client.connect(guard.port, "/ws/more")
    assert refused.value.status == 429
    assert "limits.connections_per_ip" in refused.value.body.decode()
    other = socket.socket()
    other.bind(("127.0.0.2", 0))
    clients.append(await Client.connect(guard.port, "/ws/other", sock=other))
    assert await clients.pop(0).close() == 1000

    async def again() -> Client:
        while True:
            with contextlib.suppress(Refused):
                return await Client.connect(guard.port, "/ws/again")

    clients.append(await asyncio.wait_for(again(), 20))
    for client in clients:
        assert await client.close() == 1000
    labels = '{route="",result="limit_per_ip"}'
    assert guard.metrics()[f"connguard_handshakes_total{labels}"] >= 1


async def test_the_handshakes_of_one_address_are_paced(start_agent, start_guard):
    limits = "{handshakes_per_second_per_ip: 5}"
    guard = start_guard(guard_config(start_agent("D").port, limits=limits))
    outcomes = []
    for number in range(40):
        try:
            outcomes.append(await Client.connect(guard.port, f"/ws/{number}"))
        except Refused as refusal:
            assert refusal.status == 429
            assert ("Retry-After", "1") in refusal.headers
    assert 10 <= len(outcomes) < 40
    other = socket.socket()
    other.bind(("127.0.0.2", 0))
    outcomes.append(await Client.connect(guard.port, "/ws/other", sock=other))
    for client in outcomes:
        assert await client.close() == 1000


async def test_the_most_connections_of_all(start_agent, start_guard):
    guard = start_guard(guard_config(start_agent("D").port, limits="{connections: 2}"))
    clients = [await Client.connect(guard.port, f"/ws/{n}") for n in range(2)]
    with pytest.raises(Refused) as refused:
        await Client.connect(guard.port, "/ws/more")
    assert refused.value.status == 503
    for client in clients:
        assert await client.close() == 1000


@pytest.mark.parametrize("kind", ["silent", "half-a-head", "a-byte-a-second"])
async def test_slow_newcomers_keep_nobody_out(start_agent, start_guard, report, kind):
    """500 of them, each gone after limits.handshake_timeout, while others are served."""
    agent = start_agent("D")
    guard = start_guard(guard_config(agent.port, limits="{handshake_timeout: 3s}"))
    before = guard.descriptors()

    async def hold() -> tuple[float, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", guard.port)
        began = time.monotonic()
        got = b""
        with contextlib.suppress(ConnectionError):
            if kind == "half-a-head":
                writer.write(b"GET /ws/slow HTTP/1.1\r\nHost: a")
            ended = asyncio.create_task(reader.read())
            while not ended.done():
                if kind == "a-byte-a-second":
                    writer.write(b"G")
                await asyncio.wait([ended], timeout=1)
            got = ended.result()
        writer.close()
        return time.monotonic() - began, got

    crowd = [asyncio.create_task(hold()) for _ in range(SLOW)]
    served = 0
    while not all(task.done() for task in crowd):
        client = await Client.connect(guard.port, f"/ws/{served}", timeout=5)
        await client.turn(timeout=5, tokens=1, pace=0)
        assert await client.close() == 1000
        served += 1
    ends = [task.result() for task in crowd]
    assert served > 0
    assert max(seconds for seconds, _ in ends) < 10
    answers = {got[:12] for _, got in ends}
    assert answers == {b"" if kind == "silent" else b"HTTP/1.1 408"}
    assert not await back_to("descriptors of the guard", guard.descriptors, before)
    report(f"{SLOW} slow newcomers ({kind}): {served} clients served meanwhile")


async def test_who_will_be_refused_does_not_hold_the_room_of_others(start_agent, start_guard):
    """Beyond an address's limit silence is no way to keep a connection."""
    limits = "{connections_per_ip: 1, handshake_timeout: 5m}"
    guard = start_guard(guard_config(start_agent("D").port, limits=limits))
    client = await Client.connect(guard.port, "/ws/ann")
    silent = [await asyncio.open_connection("127.0.0.1", guard.port) for _ in range(5)]
    for reader, writer in silent:
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()
    assert await client.close() == 1000


async def test_a_head_that_is_too_large(start_agent, start_guard):
    guard = start_guard(guard_config(start_agent("D").port, limits="{header_size: 4KiB}"))
    large = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 5000 + b"\r\n\r\n")
    assert (await exchange(guard.port, large)).status == 431
    assert (await Agent(guard.port).state())["sessions"] == 0


TOLD = {"refused", "tunnel_opened", "tunnel_closed"}


@pytest.mark.parametrize(
    "word, shown", [("none", None), ("path", "/ws/ann"), ("full", "/ws/ann?token=secret")]
)
async def test_the_log_tells_of_targets_what_it_is_told_to(start_agent, start_guard, word, shown):
    config = guard_config(
        start_agent("D").port, route='    origins: ["null"]\n', log_level="debug"
    )
    guard = start_guard(config.replace("logging: {", f"logging: {{target: {word}, "))
    path = "/ws/ann?token=secret"
    client = await Client.connect(guard.port, path)
    assert await client.close() == 1000
    with pytest.raises(Refused):
        await Client.connect(guard.port, path, headers=(("Origin", "https://evil"),))
    assert guard.stop() == 0  # all is written then
    lines = [json.loads(line) for line in guard.log().splitlines()]
    told = [line for line in lines if line["event"] in TOLD]
    assert {line["event"] for line in told} == TOLD
    assert {line.get("target") for line in told} == {shown}
    assert ("secret" in guard.log()) == (word == "full")


async def test_limits_count_for_the_clients_behind_a_proxy(start_agent, start_guard):
    """Also for a WebSocket on a connection that the proxy has used before."""
    guard = start_guard(
        guard_config(
            start_agent("D").port, listener="    trusted_proxies: [127.0.0.1]\n",
            limits="{connections_per_ip: 1}",
        )
    )  # fmt: skip
    ann = (("X-Forwarded-For", "203.0.113.9"),)
    first = await Client.connect(guard.port, "/ws/ann", headers=ann)
    with pytest.raises(Refused) as refused:
        await Client.connect(guard.port, "/ws/bob", headers=ann)
    assert refused.value.status == 429
    sock = socket.create_connection(("127.0.0.1", guard.port))
    sock.sendall(b"GET /headers HTTP/1.1\r\nHost: a\r\n\r\n")
    assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    upgrade = (
        "GET /ws/bob HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "X-Forwarded-For: 203.0.113.9\r\n\r\n"
    )
    sock.sendall(upgrade.encode())
    answers = b""
    while data := sock.recv(65536):
        answers += data
    assert b"HTTP/1.1 429" in answers
    sock.close()
    other = await Client.connect(
        guard.port, "/ws/bob", headers=(("X-Forwarded-For", "203.0.113.10"),)
    )
    for client in (first, other):
        assert await client.close() == 1000
