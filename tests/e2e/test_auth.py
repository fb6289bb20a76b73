"""Who is let in: tokens, an auth URL, origins; and what of it the backend and the log see."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import socket
import threading
from typing import Any, Callable, Iterator

import pytest

from guardconfig import guard_config
from httpclient import Agent, exchange, request
from test_admin_sessions import events
from tokens import SECRET, RsaKey, fresh, hs256, unsigned
from wsclient import Client, Closed, Refused

HS = f'algorithms: [HS256], secret: "{SECRET}"'


def jwt(words: str = HS) -> str:
    return f"    auth: {{jwt: {{{words}}}}}\n"


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer {token}"),)


@pytest.fixture
def guarded(start_agent, start_guard) -> Callable[..., tuple[Any, Agent]]:
    def start(**words):
        agent = start_agent("A")
        return start_guard(guard_config(agent.port, **words)), Agent(agent.port)

    return start


async def refused(guard, path: str = "/ws/ann", **kwargs) -> Refused:
    with pytest.raises(Refused) as caught:
        await Client.connect(guard.port, path, **kwargs)
    return caught.value


async def test_a_good_token_is_let_in_and_others_are_not(guarded):
    guard, _ = guarded(route=jwt(HS + ", issuer: idp, audience: chat"))
    good = fresh(iss="idp", aud=["chat", "other"])
    client = await Client.connect(guard.port, "/ws/ann", headers=bearer(hs256(good)))
    await client.turn()
    assert await client.close() == 1000
    for token in (
        "",
        "nonsense",
        hs256({**good, "exp": 1}),
        hs256({**good, "iss": "other"}),
        hs256({**good, "aud": "other"}),
        hs256({**good, "nbf": good["exp"]}),
        hs256(good, secret="another secret, long enough for it"),
        unsigned("none", good) + ".",
        hs256(good)[:-2],
    ):
        no = await refused(guard, headers=bearer(token))
        assert no.status == 401, token
        assert ("WWW-Authenticate", "Bearer") in no.headers
        assert token == "" or token not in no.body.decode()
    assert (await refused(guard)).status == 401
    assert guard.metrics()['connguard_handshakes_total{route="chat",result="unauthorized"}'] == 10
    assert "eyJ" not in guard.log(), "a token is in the log"


async def test_the_public_key_is_no_secret(guarded, tmp_path):
    """Key confusion: a token that is signed by HMAC with the text of the public key."""
    key = RsaKey(tmp_path)
    guard, _ = guarded(route=jwt(f"algorithms: [RS256], keys_file: {key.public}"))
    client = await Client.connect(guard.port, "/ws/ann", headers=bearer(key.rs256(fresh())))
    assert await client.close() == 1000
    forged = hs256(fresh(), secret=key.public.read_text())
    assert (await refused(guard, headers=bearer(forged))).status == 401


async def test_keys_are_read_again_when_their_file_changes(guarded, tmp_path):
    old, new = RsaKey(tmp_path, "old"), RsaKey(tmp_path, "new")
    keys = tmp_path / "keys.pem"
    keys.write_bytes(old.public.read_bytes())
    guard, _ = guarded(route=jwt(f"algorithms: [RS256], keys_file: {keys}"))
    assert (await refused(guard, headers=bearer(new.rs256(fresh())))).status == 401
    keys.write_bytes(old.public.read_bytes() + new.public.read_bytes())
    token = new.rs256(fresh())

    async def admitted() -> Client:
        while True:
            with contextlib.suppress(Refused):
                return await Client.connect(guard.port, "/ws/ann", headers=bearer(token))
            await asyncio.sleep(0.05)

    client = await asyncio.wait_for(admitted(), 20)
    assert await client.close() == 1000


@pytest.mark.parametrize(
    "place, kwargs, path",
    [
        ("bearer", {"headers": (("authorization", "bearer {}"),)}, "/ws/ann"),
        ("{query: token}", {}, "/ws/ann?token={}"),
        ("{cookie: token}", {"headers": (("Cookie", "a=b; token={}"),)}, "/ws/ann"),
        ("{header: X-Token}", {"headers": (("X-Token", "{}"),)}, "/ws/ann"),
        (
            "{subprotocol: bearer.}",
            {"headers": (("Sec-WebSocket-Protocol", "chat, bearer.{}"),)},
            "/ws/ann",
        ),
    ],
)
async def test_every_place_that_a_token_can_be_in(guarded, place, kwargs, path):
    guard, _ = guarded(route=jwt(HS + f", from: [{place}]"))
    assert (await refused(guard)).status == 401
    token = hs256(fresh())
    headers = tuple((name, value.format(token)) for name, value in kwargs.get("headers", ()))
    client = await Client.connect(guard.port, path.format(token), headers=headers)
    assert await client.close() == 1000


async def test_only_a_verified_claim_names_a_session(guarded):
    """The fence is that of the token's subject, whatever the path says."""
    guard, agent = guarded(route=jwt(), key="{jwt.sub}")
    first = await Client.connect(guard.port, "/ws/one", headers=bearer(hs256(fresh())))
    second = await Client.connect(guard.port, "/ws/two", headers=bearer(hs256(fresh())))
    with pytest.raises(Closed) as closed:
        await first.receive()
    assert closed.value.code == 4409
    other = await Client.connect(guard.port, "/ws/one", headers=bearer(hs256(fresh(sub="bob"))))
    await second.turn()
    await other.turn()
    for client in (second, other):
        assert await client.close() == 1000


class AuthUrl(http.server.BaseHTTPRequestHandler):
    """Admits whoever has the cookie `pass=yes`; says what it was asked."""

    asked: list[dict[str, str]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        type(self).asked.append({"": self.path, **{k.lower(): v for k, v in self.headers.items()}})
        cookie = self.headers.get("Cookie", "")
        statuses = {"pass=yes": 204, "pass=no": 403, "pass=long": 403, "pass=broken": 500}
        status = statuses.get(cookie, 401)
        body = b"no" * 35_000 if cookie == "pass=long" else b"who are you?"
        self.send_response(status)
        if status == 204:
            self.send_header("X-User", "ann")
            self.send_header("X-Secret", "not for the backend")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.send_header("WWW-Authenticate", 'Basic realm="agents"')
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def auth_url() -> Iterator[http.server.ThreadingHTTPServer]:
    AuthUrl.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), AuthUrl) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def forward(port: int, more: str = "", host: str = "127.0.0.1") -> str:
    url = f"http://{host}:{port}/check?x=1"
    return f'    auth: {{forward: {{url: "{url}", headers: [X-User]{more}}}}}\n'


async def test_an_auth_url_decides(guarded, auth_url):
    guard, agent = guarded(route=forward(auth_url.server_port))
    headers = (("Cookie", "pass=yes"), ("X-User", "root"))
    client = await Client.connect(guard.port, "/ws/ann?a=b", headers=headers)
    await client.turn()
    assert await client.close() == 1000
    asked = AuthUrl.asked[-1]
    assert asked[""] == "/check?x=1"
    assert asked["x-forwarded-method"] == "GET"
    assert asked["x-forwarded-uri"] == "/ws/ann?a=b"
    assert asked["x-forwarded-for"] == "127.0.0.1"
    assert asked["x-forwarded-host"] == f"127.0.0.1:{guard.port}"
    assert "upgrade" not in asked and "sec-websocket-key" not in asked
    (entry,) = [e for e in await agent.events("ann") if e["name"] == "open"]
    seen = entry["detail"]["headers"]
    assert seen["x-user"] == "ann", "what the client says of itself does not count"
    assert "x-secret" not in seen

    no = await refused(guard)
    assert (no.status, no.body) == (401, b"who are you?")
    assert ("WWW-Authenticate", 'Basic realm="agents"') in no.headers
    assert (await refused(guard, headers=(("Cookie", "pass=no"),))).status == 403
    assert (await refused(guard, headers=(("Cookie", "pass=broken"),))).status == 503
    results = guard.metrics()
    for result in ("unauthorized", "forbidden", "auth_unavailable"):
        assert results[f'connguard_handshakes_total{{route="chat",result="{result}"}}'] == 1


async def test_an_auth_url_and_the_backend_hear_of_one_host_and_path(
    start_agent, start_guard, auth_url
):
    """An absolute target's authority outranks Host; the auth URL judges by what is served."""
    agent = start_agent("D")
    config = guard_config(agent.port).replace(
        '    match: {path: "/**"}\n    upstream: agent\n',
        '    match: {path: "/**"}\n    upstream: agent\n' + forward(auth_url.server_port),
    )
    guard = start_guard(config)
    answer = await exchange(
        guard.port,
        b"GET http://inner.example/headers?a=b HTTP/1.1\r\nHost: outer.example\r\n"
        b"Cookie: pass=yes\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\nConnection: close\r\n\r\n",
    )
    assert dict(answer.json()["headers"])["host"] == "inner.example"
    asked = AuthUrl.asked[-1]
    assert asked["x-forwarded-host"] == "inner.example"
    assert asked["x-forwarded-uri"] == "/headers?a=b"
    assert "if-none-match" not in asked and "range" not in asked


async def test_the_auth_urls_word_names_a_session_and_the_clients_does_not(guarded, auth_url):
    guard, _ = guarded(route=forward(auth_url.server_port), key="{header.x-user}")
    mine = (("Cookie", "pass=yes"), ("X-User", "one"))
    first = await Client.connect(guard.port, "/ws/one", headers=mine)
    second = await Client.connect(guard.port, "/ws/two", headers=(("Cookie", "pass=yes"),))
    with pytest.raises(Closed) as closed:
        await first.receive()
    assert closed.value.code == 4409
    await second.turn()
    assert await second.close() == 1000


async def test_a_refusal_in_chunks_is_passed_on_as_the_client_can_read_it(guarded):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
        answer = hints + b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        for byte in answer + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        guard, _ = guarded(route=forward(server.sockets[0].getsockname()[1]))
        for version in (b"1.0", b"1.1"):
            asked = b"GET /ws/ann HTTP/" + version + b"\r\nHost: a\r\n\r\n"
            answer = await exchange(guard.port, asked)
            assert (answer.status, answer.body) == (401, b"abcdefg"), version


async def test_a_refusal_that_is_too_long_is_not_passed_on(guarded, auth_url):
    guard, _ = guarded(route=forward(auth_url.server_port))
    for _ in range(5):  # it may come in pieces of any size
        assert (await refused(guard, headers=(("Cookie", "pass=long"),))).status == 503
    assert guard.says("longer than 64KiB")


async def test_an_auth_url_that_is_not_there_admits_nobody(guarded):
    guard, _ = guarded(route=forward(1))
    no = await refused(guard, headers=(("Cookie", "pass=yes"),))
    assert no.status == 503
    assert guard.says("auth_failed") and guard.says("/check")
    assert "x=1" not in guard.log(), "a query is in the log"


async def test_an_auth_url_that_hangs_admits_nobody(guarded):
    server = await asyncio.start_server(lambda r, w: r.read(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        guard, _ = guarded(route=forward(port, ", timeout: 300ms"))
        assert (await refused(guard)).status == 503


@contextlib.contextmanager
def black_hole(host: str, port: int) -> Iterator[None]:
    """Answers no newcomer: its queue is full, and nobody takes from it."""
    with contextlib.ExitStack() as stack:
        hole = stack.enter_context(socket.socket())
        hole.bind((host, port))
        hole.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


@pytest.mark.skipif(os.geteuid() != 0, reason="gives the guard hosts of its own, which needs root")
async def test_an_address_of_the_auth_url_that_does_not_answer_leaves_time_for_the_next(
    start_agent, start_guard, auth_url, tmp_path
):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 auth.test\n127.0.0.1 auth.test\n")
    mount = ("unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    port = auth_url.server_port
    with black_hole("127.0.0.2", port):
        words = forward(port, ", timeout: 20s", host="auth.test")
        guard = start_guard(guard_config(start_agent("A").port, route=words), before=mount)
        client = await Client.connect(guard.port, "/ws/ann", headers=(("Cookie", "pass=yes"),))
        assert await client.close() == 1000


async def test_an_end_of_the_guard_is_no_silence_for_who_waits_for_the_auth_url(guarded):
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        words = forward(port, ", timeout: 5m")
        guard, _ = guarded(route=words, limits="{}\nshutdown: {drain: 500ms}")
        waiting = asyncio.create_task(refused(guard))
        await asyncio.wait_for(asked.wait(), 20)
        guard.process.terminate()
        no = await asyncio.wait_for(waiting, 20)
        assert no.status == 503 and "stopping" in no.body.decode()
        assert await asyncio.to_thread(guard.process.wait, 20) == 0


async def test_who_watches_hears_of_the_auth_urls_refusals(guarded, auth_url):
    guard, _ = guarded(route=forward(auth_url.server_port))
    async with events(guard.admin) as stream:
        assert (await refused(guard)).status == 401
        name, data = await anext(stream)
        assert (name, data["status"], data["route"]) == ("refused", 401, "chat")


async def test_what_is_sent_behind_the_handshake_is_not_lost(guarded, auth_url):
    guard, _ = guarded(route=forward(auth_url.server_port))
    from wsclient import TEXT, encode  # what a hasty client sends before its 101

    message = b'{"text": "hi", "turn": "t", "conn": "c", "tokens": 1, "pace": 0}'
    client = await Client.open(
        guard.port, "/ws/ann", headers=(("Cookie", "pass=yes"),), tail=encode(TEXT, message)
    )
    client.conn = "c"
    await client.accepted()
    assert (await client.finish("t"))[-1]["type"] == "chat"
    assert await client.close() == 1000


async def test_origins(guarded):
    names = '["https://app.example", "https://*.b.example:8443", "null"]'
    guard, _ = guarded(route=f"    origins: {names}\n")
    for origin in (
        "https://app.example", "https://APP.example:443", "https://x.b.example:8443", "null"
    ):  # fmt: skip
        client = await Client.connect(guard.port, "/ws/ann", headers=(("Origin", origin),))
        assert await client.close() == 1000
    client = await Client.connect(guard.port, "/ws/ann")  # not a browser
    assert await client.close() == 1000
    for origin in (
        "http://app.example", "https://app.example.evil.example", "https://app.example:444",
        "https://b.example:8443", "https://x.b.example", "https://evilapp.example", "",
    ):  # fmt: skip
        assert (await refused(guard, headers=(("Origin", origin),))).status == 403, origin


async def test_a_credential_leaves_the_url(guarded):
    lift = (
        '    strip_query: [password]\n'
        '    lift: {query: token, to: header, name: Authorization, format: "Bearer {}"}\n'
    )
    guard, agent = guarded(route=jwt(HS + ", from: [{query: token}]") + lift)
    token = hs256(fresh())
    path = f"/ws/ann?a=%20b&token={token}&password=secret&c"
    forged = (("Authorization", "Bearer forged"),)
    client = await Client.connect(guard.port, path, headers=forged)
    await client.turn()
    assert await client.close() == 1000
    (entry,) = [e for e in await agent.events("ann") if e["name"] == "open"]
    assert entry["detail"]["query"] == "a=%20b&c"
    assert entry["detail"]["headers"]["authorization"] == f"Bearer {token}"
    assert token not in guard.log() and "secret" not in guard.log()


async def test_plain_requests_are_admitted_likewise(start_agent, start_guard):
    agent = start_agent("D")
    config = guard_config(agent.port).replace(
        '    match: {path: "/**"}\n    upstream: agent\n',
        '    match: {path: "/**"}\n    upstream: agent\n' + jwt(),
    )
    guard = start_guard(config)
    assert (await request(guard.port, "/headers")).status == 401
    answer = await request(guard.port, "/headers", headers=bearer(hs256(fresh())))
    assert answer.status == 200
