"""Peers that vanish without a word, on cables that can be pulled: the guard notices in time, ends
the other side cleanly, and the user's next connect finds a session that works."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import termios
import time
from typing import Any, Callable, Iterator

import pytest

from guardconfig import guard_config
from httpclient import Agent
from network import Network, Unavailable
from processes import PYTHON, AgentServer, GuardServer
from wsclient import PING, PONG, Client, Closed

pytestmark = pytest.mark.sanitized

HEARTBEAT = "{client: {interval: 1s, timeout: 1s}, upstream: {interval: 1s, timeout: 1s}}"
BOUND = 3.0  # interval + timeout + 1 s, in seconds
QUIET_CLIENT = pathlib.Path(__file__).with_name("quiet_client.py")
ONE_TURN = ["open", "turn_started", "turn_done", "disconnect", "exit"]


@dataclasses.dataclass
class Rig:
    """The guard, which this thread shares a host with; the agent and the clients on theirs."""

    network: Network
    agent_server: AgentServer
    guard: GuardServer

    @property
    def agent(self) -> Agent:
        return Agent(self.agent_server.port, self.network.agent_plug.address)

    async def connect(self, user: str) -> Client:
        host, sock = self.network.guard_plug.address, self.network.client.socket()
        return await Client.connect(self.guard.port, f"/ws/{user}", host=host, sock=sock)

    async def connect_and_answer_a_ping(self, user: str) -> Client:
        """A client after a turn; its pong has just shown the guard that it lives."""
        client = await self.connect(user)
        await client.turn()
        frame = await asyncio.wait_for(client.read_frame(), 5)
        assert frame.opcode == PING
        await client.send(PONG, frame.payload)
        while unacknowledged_bytes(client):
            await asyncio.sleep(0.001)
        return client

    async def client_is_gone(self, since: float) -> float:
        """Waits until the guard has given the only client up; returns the seconds since then."""
        while self.guard.gauge("connguard_connections"):
            assert time.monotonic() - since < BOUND
            await asyncio.sleep(0.01)
        return time.monotonic() - since

    async def reconnects(self, user: str) -> None:
        """The user's first try gets a session that works."""
        client = await self.connect(user)
        await client.turn()
        await client.close()
        assert not client.wrong

    def endings(self) -> list[tuple[str, int]]:
        """Cause, and code to the upstream, of each tunnel that ended."""
        lines = (json.loads(line) for line in self.guard.log().splitlines() if line[:1] == "{")
        closed = [line for line in lines if line["event"] == "tunnel_closed"]
        return [(line["cause"], line["close_up"]) for line in closed]

    async def upstream_ended_well(self, user: str, cause: str) -> None:
        """To call when the user has reconnected: by then the first session is really over."""
        assert (await self.agent.story(user))[: len(ONE_TURN)] == ONE_TURN
        assert (await self.agent.close_codes(user))[0] == 1001
        assert self.agent_server.trouble() == []
        assert self.endings()[0] == (cause, 1001)


@pytest.fixture
def network() -> Iterator[Network]:
    """The test itself runs on the guard's host."""
    try:
        network = Network()
    except Unavailable as reason:
        pytest.skip(f"no network namespaces here: {reason}")
    with contextlib.closing(network), network.guard.entered():
        yield network


@pytest.fixture
def rig(network, start_agent, start_guard) -> Rig:
    with network.agent.entered():
        agent_server = start_agent(arguments=("--host", "0.0.0.0"))
    config = guard_config(
        agent_server.port,
        bind=network.guard_plug.address,
        agent_host=network.agent_plug.address,
        heartbeat=HEARTBEAT,
    )
    return Rig(network, agent_server, start_guard(config))


@pytest.fixture
def noticed(report) -> Callable[[str, float], None]:
    def note(what: str, seconds: float) -> None:
        report(f"netns, {what}: noticed after {seconds:.2f} s (bound {BOUND:.0f} s)")

    return note


def unacknowledged_bytes(client: Client) -> int:
    """Of what it has sent; a late acknowledgement would find a fault before the next ping does."""
    return int.from_bytes(fcntl.ioctl(client.sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def need_nftables(network: Network) -> None:
    try:
        network.client.nft("list ruleset")
    except Unavailable as reason:
        pytest.skip(f"no packet filter here: {reason}")


# The client's side.


async def test_a_pulled_cable(rig, noticed):
    client = await rig.connect_and_answer_a_ping("u")
    fault = time.monotonic()
    rig.network.client_plug.down()
    noticed("client's cable pulled", await rig.client_is_gone(fault))
    assert await rig.agent.wait("u", "exit")
    rig.network.client_plug.up()
    await rig.reconnects("u")
    await rig.upstream_ended_well("u", "client_timeout")
    client.abort()


@pytest.mark.parametrize("deaf", ["guard", "client"])
async def test_packets_lost_one_way(rig, noticed, deaf):
    need_nftables(rig.network)
    client = await rig.connect_and_answer_a_ping("u")
    plug = rig.network.guard_plug if deaf == "guard" else rig.network.client_plug
    fault = time.monotonic()
    plug.deafen()
    listening = asyncio.create_task(client.receive())  # answers a ping that may come
    noticed(f"packets to the {deaf} lost", await rig.client_is_gone(fault))
    assert await rig.agent.wait("u", "exit")
    plug.hear()
    await rig.reconnects("u")
    await rig.upstream_ended_well("u", "client_timeout")
    listening.cancel()
    client.abort()


async def test_a_frozen_client(rig, noticed):
    with quiet_client(rig, "u") as process:
        assert await next_line(process) == "ready"
        fault = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        noticed("client frozen", await rig.client_is_gone(fault))
        assert await rig.agent.wait("u", "exit")
        await rig.reconnects("u")
        await rig.upstream_ended_well("u", "client_timeout")
        process.send_signal(signal.SIGCONT)
        assert await next_line(process) == "1006"


@contextlib.contextmanager
def quiet_client(rig: Rig, user: str) -> Iterator[subprocess.Popen]:
    command = [PYTHON, "-B", str(QUIET_CLIENT), rig.network.guard_plug.address]
    command += [str(rig.guard.port), f"/ws/{user}"]
    with rig.network.client.entered():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


async def next_line(process: subprocess.Popen) -> str:
    line: Any = asyncio.to_thread(process.stdout.readline)
    return (await asyncio.wait_for(line, 10)).strip()


async def test_a_rebooted_client(rig, noticed):
    client = await rig.connect_and_answer_a_ping("u")
    fault = time.monotonic()
    rig.network.client_plug.unassign()
    client.abort()  # the reset that this makes has no way out
    rig.network.client_plug.assign()
    assert rig.guard.gauge("connguard_connections") == 1
    noticed("client's host rebooted", await rig.client_is_gone(fault))
    await rig.reconnects("u")
    await rig.upstream_ended_well("u", "client_reset")


async def test_a_cable_pulled_in_mid_turn(rig, noticed):
    client = await rig.connect("u")
    turn = await client.start(tokens=40, pace=0.1)
    await client.message()
    fault = time.monotonic()
    rig.network.client_plug.down()
    noticed("client's cable pulled in mid-turn", await rig.client_is_gone(fault))
    assert rig.guard.metrics()['connguard_tunnels{route="chat",state="shielded"}'] == 1
    assert (await rig.agent.state("u"))["turns"] == 1
    rig.network.client_plug.up()
    await rig.reconnects("u")
    assert await rig.agent.wait("u", "turn_done", turn=turn)
    await rig.upstream_ended_well("u", "client_timeout")
    client.abort()


# The backend's side: nothing is in flight, so that the session can be given up.


async def test_a_frozen_agent(rig, noticed):
    client = await rig.connect_and_answer_a_ping("u")
    fault = time.monotonic()
    os.kill(rig.agent_server.pid, signal.SIGSTOP)
    try:
        noticed("agent frozen", await closed_with_1011(client, fault))
        again = asyncio.create_task(rig.reconnects("u"))
    finally:
        os.kill(rig.agent_server.pid, signal.SIGCONT)
    await again
    assert rig.endings()[0] == ("upstream_timeout", 0)
    assert rig.agent_server.trouble() == []


async def test_the_agents_cable_pulled(rig, noticed):
    client = await rig.connect_and_answer_a_ping("u")
    fault = time.monotonic()
    rig.network.agent_plug.down()
    noticed("agent's cable pulled", await closed_with_1011(client, fault))
    rig.network.agent_plug.up()
    await rig.reconnects("u")
    assert rig.endings()[0] == ("upstream_timeout", 0)
    assert rig.agent_server.trouble() == []


async def closed_with_1011(client: Client, since: float) -> float:
    with pytest.raises(Closed) as closed:
        await asyncio.wait_for(client.receive(), BOUND - (time.monotonic() - since))
    seconds = time.monotonic() - since
    assert closed.value.code == 1011
    client.abort()
    return seconds
