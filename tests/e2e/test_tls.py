"""TLS on both legs, by the clients and servers that people use."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from typing import Callable

import pytest

from certificates import Authority, Certificate
from guardconfig import guard_config
from httpclient import Agent, exchange, request
from matrix import CELLS, Target, run_cells
from test_drop_matrix import back_to, builds, pairs, stories, variants
from tlsorigin import ANSWER, tls_origin
from wsclient import Client, Closed, Drop, Refused

TUNNELS = 200


def listener(*certificates: Certificate, more: str = "") -> str:
    pairs_of_files = ", ".join(f"{{chain: {c.chain}, key: {c.key}}}" for c in certificates)
    return f"    tls: {{certificates: [{pairs_of_files}]{more}}}\n"


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Certificate:
    return authority.issue("server", "DNS:localhost", "IP:127.0.0.1")


@builds
@variants
@pairs
def test_every_reconnect_over_tls_works(
    variant, ws, build, start_agent, start_guard, report, authority, server
):
    """The matrix of the drops once more: wss to the guard, https to the backend."""
    if build == "sanitized" and variant != "A":
        pytest.skip("one variant is enough for the slow binary")
    tls = authority.client()
    agent_server = start_agent(variant, ws, certificate=server, tls=tls)
    guard = start_guard(
        guard_config(
            agent_server.port,
            agent_host="localhost",
            scheme="https",
            listener=listener(server),
            upstream=f"    tls: {{ca: {authority.file}}}\n",
        ),
        build == "sanitized",
    )
    agent = Agent(agent_server.port, tls=tls)
    target = Target(guard.port, agent, guarded=True, patience=30.0, tls=tls)

    async def run():
        await agent.state()
        before = guard.descriptors()
        runs = await run_cells(target, CELLS, f"{variant}-{ws}", concurrency=40)
        assert not any(run.problems for run in runs), await stories(runs)
        assert not await back_to("descriptors of the guard", guard.descriptors, before)
        return runs

    start = time.monotonic()
    runs = asyncio.run(run())
    assert agent_server.trouble() == []
    seconds = time.monotonic() - start
    report(f"drop matrix over TLS {variant}/{ws} ({build}): {len(runs)} cells, {seconds:.0f} s")


@pytest.fixture
def guard(start_agent, start_guard, authority, server):
    agent = start_agent("D")
    return start_guard(guard_config(agent.port, listener=listener(server)))


def curl(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30)


def test_curl_gets_an_answer(guard, authority):
    done = curl(
        "--cacert", str(authority.file), "-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result}",
        f"https://localhost:{guard.port}/",
    )  # fmt: skip
    assert done.stdout == "200 0", done.stderr


def test_plain_http_is_told_to_use_https(guard):
    done = curl("-w", "%{http_code}", f"http://localhost:{guard.port}/")
    assert done.stdout == "This port speaks TLS: use https or wss.\n400"


def s_client(port: int, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments],
        input=text, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_s_client_speaks_both_versions(guard, authority, version):
    said = s_client(guard.port, f"-{version}", "-CAfile", str(authority.file), "-alpn", "http/1.1")
    assert "Verify return code: 0 (ok)" in said
    assert "ALPN protocol: http/1.1" in said


def test_old_versions_are_refused(guard):
    said = s_client(guard.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert re.search(r"alert protocol version|no protocols available", said), said


def test_renegotiation_is_refused(guard, authority):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{guard.port}", "-tls1_2"],
        input="R\n", capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert "no renegotiation" in done.stderr, done.stderr


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_a_session_is_resumed_on_any_worker(guard, tmp_path, version):
    request_line = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    session = str(tmp_path / "session.pem")
    first = s_client(guard.port, f"-{version}", "-ign_eof", "-sess_out", session, text=request_line)
    assert re.search(r"^New, TLSv1\.[23]", first, re.M), first
    for _ in range(8):  # the kernel spreads them over the workers
        again = s_client(guard.port, f"-{version}", "-ign_eof", "-sess_in", session, text=request_line)
        assert re.search(r"^Reused, TLSv1\.[23]", again, re.M), again


async def test_client_certificates(start_agent, start_guard, authority, server, tmp_path):
    agent = start_agent("D")
    mine = authority.issue("ann", usage="clientAuth")
    wrong_purpose = authority.issue("not-a-client", "DNS:x", usage="serverAuth")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other").issue("eve", usage="clientAuth")
    words = (
        f", client_ca: {authority.file}, subject_header: X-Client-Subject"
        ", fingerprint_header: X-Client-Fingerprint"
    )
    guard = start_guard(guard_config(agent.port, listener=listener(server, more=words)))
    client = await Client.connect(
        guard.port, "/ws/ann", tls=authority.client(mine), headers=(("X-Client-Subject", "CN=root"),)
    )
    (entry,) = [e for e in await Agent(agent.port).events("ann") if e["name"] == "open"]
    assert entry["detail"]["headers"]["x-client-subject"] == "CN=ann"
    assert re.fullmatch("[0-9a-f]{64}", entry["detail"]["headers"]["x-client-fingerprint"])
    assert await client.close() == 1000
    for context in (
        authority.client(),
        authority.client(wrong_purpose),
        authority.client(stranger),
    ):
        with pytest.raises((ssl.SSLError, ConnectionError, Closed)):
            await Client.connect(guard.port, "/ws/eve", tls=context)


async def test_the_certificate_fits_the_name(start_agent, start_guard, authority):
    agent = start_agent("D")
    certificates = [
        authority.issue("first", "DNS:localhost"),
        authority.issue("exact", "DNS:a.example"),
        authority.issue("wild", "DNS:*.b.example"),
    ]
    guard = start_guard(guard_config(agent.port, listener=listener(*certificates)))
    context = authority.client()
    context.check_hostname = False
    for name, expected in (
        ("a.example", "exact"),
        ("A.example", "exact"),
        ("x.b.example", "wild"),
        ("b.example", "first"),
        ("x.y.b.example", "first"),
        ("other.example", "first"),
    ):
        client = await Client.connect(guard.port, "/ws/ann", tls=context, name=name)
        subject = dict(pair[0] for pair in client.stream.tls.getpeercert()["subject"])
        assert subject["commonName"] == expected, name
        await client.close()


async def talk(client: Client, stop: asyncio.Event) -> int:
    turns = 0
    while not stop.is_set():
        await client.turn(tokens=2, pace=0.02)
        turns += 1
    return turns


async def test_new_certificates_touch_no_tunnel(start_agent, start_guard, authority, server, report):
    """Rotated, broken and mended while 200 tunnels talk: the file's change is enough."""
    agent = start_agent("D")
    guard = start_guard(guard_config(agent.port, listener=listener(server), settle="20ms"))
    tls = authority.client()
    clients = [await Client.connect(guard.port, f"/ws/{n}", tls=tls) for n in range(TUNNELS)]
    stop = asyncio.Event()
    talks = [asyncio.create_task(talk(client, stop)) for client in clients]

    async def served() -> str:
        client = await Client.connect(guard.port, "/ws/late", tls=tls)
        serial = client.stream.tls.getpeercert()["serialNumber"]
        await client.close()
        return serial

    async def until(holds) -> None:
        deadline = time.monotonic() + 20
        while not await holds():
            assert time.monotonic() < deadline, guard.log()
            await asyncio.sleep(0.05)

    for _ in range(3):
        before = await served()
        authority.issue("server", "DNS:localhost", "IP:127.0.0.1")

        async def changed() -> bool:
            return await served() != before

        await until(changed)
    before = await served()
    sound = server.chain.read_bytes()
    server.chain.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")

    async def counted() -> bool:
        return guard.gauge("connguard_tls_certificate_failures_total") > 0

    await until(counted)
    assert await served() == before
    assert guard.says("certificate_rejected")
    server.chain.write_bytes(sound)
    assert await served() == before
    stop.set()
    turns = sum(await asyncio.gather(*talks))
    assert not any(client.wrong for client in clients)
    codes = await asyncio.gather(*(client.close(timeout=60) for client in clients))
    assert set(codes) == {1000}
    report(f"certificates renewed three times under {TUNNELS} tunnels: {turns} turns, all whole")


async def test_a_drop_in_mid_turn_is_shielded_over_tls(start_agent, start_guard, authority, server):
    tls = authority.client()
    agent_server = start_agent("A", certificate=server, tls=tls)
    guard = start_guard(
        guard_config(
            agent_server.port, agent_host="localhost", scheme="https", listener=listener(server),
            upstream=f"    tls: {{ca: {authority.file}}}\n",
        )
    )  # fmt: skip
    client = await Client.connect(guard.port, "/ws/ann", tls=tls)
    turn = await client.start(tokens=10, pace=0.05)
    await client.message()
    await client.drop(Drop.RST)
    again = await Client.connect(guard.port, "/ws/ann", tls=tls)
    assert await Agent(agent_server.port, tls=tls).wait("ann", "turn_done", turn=turn)
    await again.turn()
    assert await again.close() == 1000


async def test_an_upstream_that_is_not_who_it_should_be(
    start_agent, start_guard, authority, server, tmp_path
):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    agent = start_agent("D", certificate=server, tls=authority.client())

    def guarded(upstream: str):
        return start_guard(
            guard_config(agent.port, agent_host="localhost", scheme="https", upstream=upstream)
        )

    for words, why in (
        ("", "self-signed|unable to get local issuer|unknown"),
        (f"    tls: {{ca: {stranger.file}}}\n", "self-signed|unable to get local issuer|unknown"),
        (f"    tls: {{ca: {authority.file}, server_name: agent.example}}\n", "agent.example"),
    ):
        guard = guarded(words)
        assert (await request(guard.port, "/")).status == 502
        assert guard.says(why), guard.log()
    for words in (f"    tls: {{ca: {authority.file}}}\n", "    tls: {verify: false}\n"):
        assert (await request(guarded(words).port, "/")).status == 200


def raw_origin(server: Certificate, proper_end: bool) -> socket.socket:
    """Answers by a body that ends with its connection, with close_notify before it or without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.chain, server.key)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of the answer")
                    if proper_end:
                        tls.unwrap()

    threading.Thread(target=serve, daemon=True).start()
    return listening


@pytest.mark.parametrize("proper_end", [True, False])
async def test_an_answer_that_is_cut_does_not_look_whole(
    start_guard, authority, server, proper_end
):
    with raw_origin(server, proper_end) as origin:
        port = origin.getsockname()[1]
        guard = start_guard(
            guard_config(
                port, agent_host="localhost", scheme="https",
                upstream=f"    tls: {{ca: {authority.file}}}\n",
            )
        )  # fmt: skip
        if proper_end:
            assert (await request(guard.port, "/")).body == b"half of the answer"
        else:
            with pytest.raises(ConnectionError):
                await request(guard.port, "/")
            assert guard.says("answer_cut")


async def test_half_a_handshake_does_not_last(start_agent, start_guard, server):
    config = guard_config(
        start_agent("D").port, listener=listener(server), limits="{handshake_timeout: 500ms}"
    )
    guard = start_guard(config)
    for beginning in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"):
        reader, writer = await asyncio.open_connection("127.0.0.1", guard.port)
        writer.write(beginning)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert not await back_to("connections", lambda: guard.gauge("connguard_connections"), 0)


async def test_an_upstream_that_never_begins_tls_is_given_up(start_guard):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        guard = start_guard(
            guard_config(port, scheme="https", upstream="    connect_timeout: 300ms\n")
        )
        assert (await request(guard.port, "/", timeout=10)).status == 504
        with pytest.raises(Refused) as refused:
            await Client.connect(guard.port, "/ws/ann", timeout=10)
        assert refused.value.status in (502, 504)


async def test_a_hundred_renewals_do_not_grow(start_agent, start_guard, authority, server, report):
    guard = start_guard(guard_config(start_agent("D").port, listener=listener(server)))
    tls = authority.client()
    chains = [server.chain.read_bytes() + b"\n" * n for n in range(2)]

    async def renew(numbers: range) -> None:
        for number in numbers:
            server.chain.write_bytes(chains[number % 2])
            guard.process.send_signal(signal.SIGHUP)
            while guard.log().count("certificates_renewed") < number:
                await asyncio.sleep(0.005)
            assert (await request(guard.port, "/", tls=tls)).status == 200

    await renew(range(1, 51))
    descriptors, resident = guard.descriptors(), guard.resident_bytes()
    await renew(range(51, 151))
    growth = guard.resident_bytes() - resident
    assert not await back_to("descriptors", guard.descriptors, descriptors)
    assert growth < 1 << 20
    report(f"100 renewals of a certificate: resident {growth / 1024:+.0f} KiB")


async def test_a_kept_connection_does_not_outlive_the_trust_in_it(
    start_agent, start_guard, authority, server, tmp_path
):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger")
    agent = start_agent("D", certificate=server, tls=authority.client())
    guard = start_guard(
        guard_config(
            agent.port, agent_host="localhost", scheme="https",
            upstream="    tls: {verify: false}\n", workers="1",
        )
    )  # fmt: skip

    async def status(host: str = "a") -> int:
        request_bytes = f"GET /headers HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        return (await exchange(guard.port, request_bytes)).status

    assert await status() == 200
    assert await status() == 200
    assert guard.gauge("connguard_upstream_reuses_total") == 1, "nothing is kept"
    text = guard.config.read_text()
    guard.config.write_text(text.replace("{verify: false}", f"{{ca: {stranger.file}}}"))
    guard.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while '"event":"reloaded"' not in guard.log():
        assert time.monotonic() < deadline, guard.log()
        await asyncio.sleep(0.02)
    assert await status() == 502


ORIGIN_CONFIG = """\
version: 1
listeners:
  - {{name: public, bind: "127.0.0.1:{{port}}"}}
upstreams:
  - {{name: agent, url: "https://localhost:{port}", tls: {{ca: {ca}}}}}
routes:
  - name: answers
    match: {{path: "/answers/**"}}
    upstream: agent
    session:
      {{key: "{{header.x-user}}", methods: [POST], on_drop: close, settle: 20ms, barrier: {{path: /}}}}
  - {{name: rest, match: {{path: "/**"}}, upstream: agent}}
admin: {{bind: "127.0.0.1:{{admin}}"}}
workers: 1
"""


def awaited(holds: Callable[[], bool], guard, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, guard.log()
        time.sleep(0.02)


def test_a_barrier_whose_answer_comes_with_the_end(start_guard, authority, server):
    """It was passed twice, and the second time was the end of the guard."""
    asked: list[str] = []

    def answer(head: str) -> bytes | None:
        asked.append(head.split("\r\n", 1)[0])
        return None if head.startswith("POST") else ANSWER

    with tls_origin(server, answer) as port:
        guard = start_guard(ORIGIN_CONFIG.format(port=port, ca=authority.file))
        for round_number in range(3):
            with socket.create_connection(("127.0.0.1", guard.port)) as client:
                client.sendall(b"POST /answers/a HTTP/1.1\r\nHost: a\r\nX-User: a\r\nContent-Length: 0\r\n\r\n")
                awaited(lambda: sum(a.startswith("POST") for a in asked) > round_number, guard)
            awaited(lambda: asked.count("GET / HTTP/1.1") > round_number, guard)
        assert urllib.request.urlopen(f"http://127.0.0.1:{guard.port}/", timeout=10).read() == b"ok"
        assert guard.process.poll() is None


def test_handshakes_are_counted_for_what_they_were(guard, authority):
    def count(result: str) -> float:
        found = [
            value for name, value in guard.metrics().items()
            if name.startswith("connguard_tls_handshakes_total{")
            and 'side="client"' in name and f'result="{result}"' in name
        ]  # fmt: skip
        return sum(found)

    full, failed = count("full"), count("failed")
    with socket.create_connection(("127.0.0.1", guard.port)) as plain:
        authority.client().wrap_socket(plain, server_hostname="localhost").close()
    awaited(lambda: count("full") == full + 1, guard)
    assert count("failed") == failed
    with socket.create_connection(("127.0.0.1", guard.port)) as plain:
        plain.sendall(b"\x16\x03\x01")
    awaited(lambda: count("failed") == failed + 1, guard)



def test_a_client_learns_why_it_was_refused(start_agent, start_guard, authority, server):
    """Its request is on the way when its certificate is missed: a reset would destroy the alert."""
    agent = start_agent("D")
    words = f", client_ca: {authority.file}"
    guard = start_guard(guard_config(agent.port, listener=listener(server, more=words)))
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", guard.port)) as plain:
            tls = authority.client().wrap_socket(plain, server_hostname="localhost")
            with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"), tls:
                tls.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
                for _ in range(10):
                    tls.sendall(b"x" * 10_000)
                tls.recv(1)


def test_a_client_that_says_close_may_end_tls_in_order(guard, authority):
    """Its close_notify comes when ours has been read: it must not meet a socket that is gone."""
    upgrade = (
        "GET /ws/ann HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    close = b"\x88\x02\x03\xe8"
    with socket.create_connection(("127.0.0.1", guard.port), 15) as raw:
        tls = authority.client().wrap_socket(raw, server_hostname="localhost")
        tls.sendall(upgrade.encode())
        stream = tls.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 101 ")
        while stream.readline() != b"\r\n":
            pass
        tls.sendall(b"\x88\x82" + bytes(4) + close[2:])
        assert stream.read(len(close)) == close
        assert stream.read() == b""  # close_notify
        plain = tls.unwrap()
        assert plain.recv(1) == b""
        assert plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        plain.close()
