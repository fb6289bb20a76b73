"""A real Prometheus server scrapes the guard through a day's worth of trouble in half a minute: every
panel of the shipped dashboard and every shipped rule then has something to show."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import socket
import subprocess
import urllib.request
from typing import Callable, Iterator

import pytest

from certificates import Authority, Certificate
from guardconfig import guard_config
from httpclient import Agent, exchange, request
from processes import AgentServer, GuardServer, free_port
from prometheus import PrometheusServer, monitoring
from tokens import SECRET, fresh, hs256
from wsclient import Client, Closed, Drop, Refused

pytestmark = pytest.mark.sanitized

WINDOW = "5s"  # of rates; ten scrapes
# What this scenario cannot make happen: the panels show a line, and it stays at zero.
STILL = ("connguard_log_lines_dropped_total", "connguard_upstream_retries_total")

SETTINGS = {
    "turn": "{end: {json: /type, in: [chat, error]}, max: 3s, linger: 50ms, window: 4}",
    "heartbeat": "{client: {interval: 500ms, timeout: 1500ms}, upstream: {interval: 300ms, timeout: 600ms}}",
    # One that does not read is below the total, and may go on so; two are above it.
    "limits": "{buffer: 768KiB, buffer_total: 1MiB, slow_client_timeout: 60s}",
    "close_timeout": "500ms",
    "workers": "2",
}


@dataclasses.dataclass
class Scene:
    agent_server: AgentServer
    guard: GuardServer
    prometheus: PrometheusServer
    tls_port: int
    authority: Authority
    server: Certificate

    @property
    def agent(self) -> Agent:
        return Agent(self.agent_server.port)

    async def connect(self, user: str, **kwargs) -> Client:
        return await Client.connect(self.guard.port, f"/ws/{user}", **kwargs)

    async def in_turn(self, user: str, **turn) -> Client:
        client = await self.connect(user)
        await client.start(**turn)
        await client.message()
        return client

    async def until(self, name: str, label: str = "", least: float = 1) -> None:
        """Waits for the guard's own page: the sum of a metric's samples with this label."""
        for _ in range(300):
            samples = self.guard.metrics().items()
            if sum(v for k, v in samples if k.partition("{")[0] == name and label in k) >= least:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{name} {label} does not come to {least}")


def with_front_door(
    config: str, tls_port: int, secure_port: int, authority: Authority, server: Certificate
) -> str:
    """A listener with TLS; by a header, a route to an https backend for those who have a token, and
    one whose auth URL is not there. The guard's own certificate ends in a day."""
    own = authority.issue("guard", usage="clientAuth", days=1)
    listener = f"""\
  - name: tls
    bind: 127.0.0.1:{tls_port}
    tls: {{certificates: [{{chain: {server.chain}, key: {server.key}}}]}}
"""
    upstream = f"""\
  - name: secure
    url: https://localhost:{secure_port}
    tls: {{ca: {authority.file}, certificate: {{chain: {own.chain}, key: {own.key}}}}}
"""
    routes = f"""\
  - name: secure
    match: {{path: "/ws/{{user_id}}", header: {{x-door: secure}}}}
    upstream: secure
    auth: {{jwt: {{algorithms: [HS256], secret: "{SECRET}"}}}}
  - name: asked
    match: {{path: "/ws/{{user_id}}", header: {{x-door: asked}}}}
    upstream: agent
    auth: {{forward: {{url: "http://127.0.0.1:1/check"}}}}
"""
    config = config.replace("upstreams:\n", f"{listener}upstreams:\n{upstream}", 1)
    return config.replace("routes:\n", f"routes:\n{routes}", 1)


@pytest.fixture
def scene(tmp_path, start_agent, start_guard) -> Iterator[Scene]:
    agent_server = start_agent("A")
    authority = Authority(tmp_path)
    server = authority.issue("server", "DNS:localhost", days=30)
    config = guard_config(agent_server.port, route='    origins: ["null"]\n', **SETTINGS)
    tls_port = free_port()
    secure = start_agent("D", certificate=server, tls=authority.client())
    guard = start_guard(with_front_door(config, tls_port, secure.port, authority, server))
    prometheus = PrometheusServer(tmp_path, guard.admin)
    try:
        yield Scene(agent_server, guard, prometheus, tls_port, authority, server)
    finally:
        assert prometheus.stop() == 0, prometheus.log()


@contextlib.asynccontextmanager
async def reading(*clients: Client):
    """They take what comes, and answer pings, meanwhile."""

    async def read(client: Client) -> None:
        with contextlib.suppress(Closed, OSError):
            while True:
                await client.receive()

    tasks = [asyncio.create_task(read(client)) for client in clients]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


# --- the scenario


async def everyday(s: Scene) -> None:
    client = await s.connect("ann")
    await client.turn()
    assert await client.close(1000) == 1000
    client = await s.connect("ann")
    async with reading(client):
        await s.until("connguard_ping_rtt_seconds_count", 'side="client"', 2)
        await s.until("connguard_ping_rtt_seconds_count", 'side="upstream"', 2)
    await client.drop(Drop.FIN)
    for target in ("/", "/connection", "/nothing-here", "/connection"):
        await request(s.guard.port, target)


async def drops_and_fences(s: Scene) -> None:
    for how in (Drop.RST, Drop.CLOSE_1001):
        client = await s.in_turn("bob", tokens=10, pace=0.1)
        await client.drop(how)
        back = await s.connect("bob")  # held until the turn is over
        await back.turn()
        await back.close()
    first = await s.in_turn("cai", tokens=10, pace=0.1)
    older = await Client.open(s.guard.port, "/ws/cai")
    await s.until("connguard_fence_outcomes_total", "evicted")
    newer = await Client.open(s.guard.port, "/ws/cai")
    with pytest.raises(Refused):
        await older.accepted()
    newer.abort()
    await s.until("connguard_fence_outcomes_total", "abandoned")
    first.abort()
    with pytest.raises(Refused):
        await s.connect("dan?refuse=1")
    bad = "GET /ws/eve HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    assert (await exchange(s.guard.port, bad.encode())).status in (400, 426)


async def silence(s: Scene) -> None:
    client = await s.connect("fay")
    await s.until("connguard_heartbeat_timeouts_total", 'side="client"')  # it answers no ping
    client.abort()
    client = await s.in_turn("gus", tokens=1, final=0)
    await client.drop(Drop.RST)
    await s.until("connguard_turns_total", 'outcome="overdue"')


async def a_backend_that_hangs(s: Scene) -> None:
    """An idle session is given up, and its key freed without the barrier; a busy one is not."""
    for attempt in range(5):
        idle = await s.connect(f"hal{attempt}")
        busy = await s.in_turn(f"ivy{attempt}", tokens=3, pace=1)
        async with reading(idle, busy):
            with s.agent_server.frozen():
                await s.until("connguard_heartbeat_timeouts_total", 'side="upstream"', attempt + 1)
                await s.until("connguard_barrier_timeouts_total", least=attempt + 1)
            assert await s.agent.wait(f"ivy{attempt}", "turn_done")
        idle.abort()
        busy.abort()
        if s.guard.gauge("connguard_upstream_stall_seconds_count"):
            return
    raise AssertionError("no stall was seen")


async def slow_readers(s: Scene) -> None:
    """Two that ask for much and read nothing. What is held for the first stays until it has been
    seen for longer than a step of the history; with the second it is too much."""

    async def ask_for_much(user: str) -> Client:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client = await s.connect(user, sock=sock)
        await client.start(tokens=100, pace=0, size=65536)
        return client

    clients = [await ask_for_much("jim")]
    await s.prometheus.until("min_over_time(connguard_buffered_bytes[2s]) > 0")
    assert not s.guard.gauge("connguard_buffer_evictions_total")
    clients.append(await ask_for_much("kim"))
    await s.until("connguard_buffer_evictions_total")
    for client in clients:
        client.abort()


async def the_front_door(s: Scene) -> None:
    """TLS on both legs, and where there should be some; one refusal of each kind that is about who
    asks; a certificate that is broken and mended."""
    client = await Client.connect(s.tls_port, "/ws/tls", tls=s.authority.client())
    assert await client.close() == 1000
    assert (await request(s.tls_port, "/")).status == 400
    token = ("Authorization", f"Bearer {hs256(fresh())}")
    client = await s.connect("sue", headers=(("X-Door", "secure"), token))
    assert await client.close() == 1000
    for header, status in (
        (("Origin", "https://evil.example"), 403),
        (("X-Door", "secure"), 401),
        (("X-Door", "asked"), 503),
    ):
        with pytest.raises(Refused) as refused:
            await s.connect("eve", headers=(header,))
        assert refused.value.status == status
    sound = s.server.chain.read_bytes()
    s.server.chain.write_text("no certificate")
    await s.until("connguard_tls_certificate_failures_total")
    s.server.chain.write_bytes(sound)
    await s.prometheus.until('ALERTS{alertname="ConnguardCertificateRejected"}')


async def reloads(s: Scene) -> None:
    good = s.guard.config.read_text()
    for text, result, times in (
        (good.replace("settle: 100ms", "settle: 60ms"), "applied", 1),
        (good.replace("settle: 100ms", "settle: 60ms"), "unchanged", 1),
        (good.replace("settle: 100ms", "settel: 60ms"), "rejected", 1),
        (good, "applied", 2),
    ):
        s.guard.config.write_text(text)
        s.guard.process.send_signal(signal.SIGHUP)
        await s.until("connguard_reloads_total", f'result="{result}"', times)
        if result == "rejected":
            await s.prometheus.until('ALERTS{alertname="ConnguardReloadRejected"}')
    await s.prometheus.until("connguard_config_generation == 3")


async def a_backend_that_dies(s: Scene, start_agent: Callable[..., AgentServer]) -> None:
    client = await s.in_turn("lou", tokens=20, pace=0.1)
    s.agent_server.process.kill()
    with pytest.raises(Closed):
        while True:
            await client.message()
    with pytest.raises(Refused):
        await s.connect("lou")
    s.agent_server = start_agent("A", port=s.agent_server.port)


async def the_end(s: Scene) -> None:
    client = await s.connect("max")
    turn = await client.start(tokens=20, pace=0.1)
    await client.message()
    s.guard.process.send_signal(signal.SIGTERM)
    await s.prometheus.until("connguard_draining == 1")
    assert (await client.finish(turn))[-1]["type"] == "chat"
    await s.prometheus.until('ALERTS{alertname="ConnguardDown"}')


# --- what is to be seen of it


def check_page(s: Scene) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{s.guard.admin}/metrics", timeout=10) as answer:
        page = answer.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def check_panels(p: PrometheusServer) -> None:
    for title, expression in monitoring.queries(WINDOW):
        history = p.history(expression)
        assert history, f"{title} shows nothing: {expression}"
        still = any(name in expression for name in STILL)
        assert (max(history) == 0) == still, f"{title} is at {max(history)}: {expression}"


def check_rules(p: PrometheusServer) -> None:
    (group,) = p.ask("rules")["groups"]
    assert {rule["name"]: rule["health"] for rule in group["rules"] if rule["health"] != "ok"} == {}
    assert len(group["rules"]) == len(monitoring.rules())
    for rule in monitoring.rules():
        for name, matchers in monitoring.selectors(rule["expr"]):
            assert p.history(name + matchers), f"{rule} reads nothing: {name}{matchers}"
        if "record" in rule:
            assert p.history(rule["record"]), rule


def check_front_door(p: PrometheusServer) -> None:
    """Its panels tell one result from the other."""
    handshakes = "rate(connguard_tls_handshakes_total{%s}[5s])"
    refusals = "rate(connguard_handshakes_total{%s}[5s])"
    for expression in (
        *(handshakes % f'side="{side}",result="full"' for side in ("client", "upstream")),
        handshakes % 'side="client",result="failed"',
        *(refusals % f'result="{r}"' for r in ("origin", "unauthorized", "auth_unavailable")),
    ):
        assert max(p.history(expression), default=0) > 0, expression
    ends = "connguard_tls_certificate_not_after_timestamp_seconds - time()"
    days = {round(seconds / 86400) for seconds in p.history(ends)}
    assert days == {1, 30}


def check_alerts(p: PrometheusServer) -> None:
    """Those that need no time fired for what happened; the others had none to."""
    for name in (
        "ConnguardTurnsOverdue", "ConnguardBuffersEvict", "ConnguardCertificateRejected"
    ):  # fmt: skip
        assert p.history(f'ALERTS{{alertname="{name}",alertstate="firing"}}'), name
    for name in (
        "ConnguardDown", "ConnguardReloadRejected", "ConnguardCertificateExpires",
        "ConnguardCertificateExpiresSoon", "ConnguardAuthUnavailable",
    ):  # fmt: skip
        assert p.history(f'ALERTS{{alertname="{name}",alertstate="pending"}}'), name
    for name in ("ConnguardRestarting", "ConnguardLogLinesDropped"):
        assert not p.history(f'ALERTS{{alertname="{name}"}}'), name


async def test_every_panel_and_every_rule_has_data(scene, start_agent):
    p = scene.prometheus
    await p.until('up{job="connguard"} == 1')
    await everyday(scene)
    await drops_and_fences(scene)
    await silence(scene)
    await a_backend_that_hangs(scene)
    await slow_readers(scene)
    await the_front_door(scene)
    await reloads(scene)
    await a_backend_that_dies(scene, start_agent)
    check_page(scene)
    await the_end(scene)
    check_panels(p)
    check_rules(p)
    check_front_door(p)
    check_alerts(p)
