"""A client that stops reading, and a backend with a keep-alive of its own: the guard's clock
(limits.slow_client_timeout) has to run out before the backend's: its pings are not read either."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from wsclient import Client, Closed

pytestmark = pytest.mark.sanitized

KEEP_ALIVE = 4.0  # seconds, as below: a ping after 2 s, given up after 2 s more
AGENT_ARGUMENTS = ("--ws-ping-interval", "2", "--ws-ping-timeout", "2")
FLOOD = {"tokens": 100, "pace": 0, "size": 65536}  # more than fits on the way to the client
WORK = {"tokens": 70, "pace": 0.1}


async def start_turns(stack) -> Client:
    """A client that asks for much, then for something that takes 7 s, and reads nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client = await stack.connect("u", sock=sock)
    await client.start(**FLOOD)
    await client.start(**WORK)
    return client


async def reconnects(stack) -> None:
    client = await stack.connect("u")
    await client.turn()
    await client.close()
    assert not client.wrong


async def test_the_session_of_a_client_that_stops_reading_outlives_it(stack, report):
    s = stack(agent_arguments=AGENT_ARGUMENTS, limits="{slow_client_timeout: 1s}")
    start = time.monotonic()
    client = await start_turns(s)
    while s.guard.gauge("connguard_connections"):
        assert time.monotonic() - start < 3
        await asyncio.sleep(0.01)
    evicted = time.monotonic() - start
    assert evicted >= 1
    assert await s.agent.wait("u", "exit", timeout=20)
    over = time.monotonic() - start
    report(f"client that reads nothing: dropped at {evicted:.2f} s, session over at {over:.2f} s")
    assert over > evicted + KEEP_ALIVE
    turns = ["turn_started", "turn_done"] * 2
    assert await s.agent.story("u") == ["open", *turns, "disconnect", "exit"]
    assert await s.agent.close_codes("u") == [1001]
    assert await client.read_again()
    assert client.close_code is None  # a Close would have had to wait for its reading
    await reconnects(s)
    assert s.guard.closes("client_slow") == 1
    assert s.agent_server.trouble() == []
    assert "keepalive" not in s.agent_server.log()


async def test_without_that_rule_the_backend_kills_the_session_in_mid_turn(stack):
    s = stack(agent_arguments=AGENT_ARGUMENTS, limits="{slow_client_timeout: 60s}")
    client = await start_turns(s)
    assert await s.agent.wait("u", "turn_done")  # the flood is on its way, pings can follow
    await asyncio.sleep(KEEP_ALIVE + 1)  # nobody can see that clock run out before the client reads
    with pytest.raises(Closed) as closed:
        while True:
            await asyncio.wait_for(client.receive(), 10)
    assert (closed.value.code, closed.value.reason) == (1011, "keepalive ping timeout")
    client.abort()
    assert await s.agent.wait("u", "turn_failed", timeout=20)
    assert "keepalive ping timeout" in s.agent_server.log()
