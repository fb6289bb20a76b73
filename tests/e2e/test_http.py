"""Plain HTTP through the guard with curl and httpx: bodies, lengths, streams, kept connections."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import random
import re
from typing import AsyncIterator

import httpx
import pytest

import curl
import httpclient
from agent.rest import ETAG, FILE, GZIPPED
from streamclients import CurlClient, HttpxClient, OldCurlClient

pytestmark = pytest.mark.sanitized

SIZES = [0, 1, 5_000_000]
BODY = random.Random(2).randbytes(max(SIZES))
OWN = ("date", "connection", "keep-alive")  # a proxy's own decisions, and the time
either = pytest.mark.parametrize("client", [CurlClient, HttpxClient])


def url(port: int, target: str) -> str:
    return f"http://127.0.0.1:{port}{target}"


def http(port: int, **options) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url(port, ""), trust_env=False, timeout=30, **options)


def digest(body: bytes) -> dict[str, int | str]:
    return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 70_001):
        yield body[start : start + 70_001]


# REST.


async def test_curl_gets_what_it_gets_without_the_guard(http_stack):
    exchanges = [("DELETE", "/teapot"), ("GET", "/teapot"), ("GET", "/none"), ("PUT", "/")]
    for method, target in exchanges:
        answers = []
        for port in (http_stack.agent_server.port, http_stack.port):
            result = await curl.run("--request", method, "--dump-header", "-", url(port, target))
            assert result.exit_status == 0, result.errors
            ((status, fields),) = curl.heads(result.output)
            fields = {name: value for name, value in fields.items() if name not in OWN}
            answers.append((status, fields, result.output.partition(b"\r\n\r\n")[2]))
        assert answers[0] == answers[1]


async def test_httpx_sends_and_gets_json_and_forms_and_cookies(http_stack):
    async with http(http_stack.port) as client:
        assert (await client.get("/")).json() == {"status": "ready"}
        message = {"text": "grüße", "list": list(range(1000))}
        assert (await client.post("/echo", json=message)).json() == message
        file = b"\0\r\n--\xff" * 1000
        form = await client.post("/echo", data={"a": "1 &"}, files={"file": ("a.bin", file)})
        assert len(form.content) == int(form.request.headers["content-length"])
        assert form.content.count(file) == form.content.count(b"1 &") == 1
        assert form.headers["content-type"] == form.request.headers["content-type"]
        seen = (await client.get("/headers?q=%20%2F", cookies={"a": "1"})).json()
        assert seen["target"] == "/headers?q=%20%2F"
        assert ["cookie", "a=1"] in seen["headers"]


# Uploads.


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("framing", ["content-length", "transfer-encoding"])
async def test_curl_uploads(http_stack, tmp_path, size, framing):
    path = tmp_path / "body"
    path.write_bytes(BODY[:size])
    ways = [["--data-binary", f"@{path}"], ["--upload-file", str(path)]]
    if framing == "transfer-encoding":
        ways = [["--upload-file", "-"]]  # curl can't know the length of what comes from a pipe
    for way in ways:
        result = await curl.run(
            *way, "--dump-header", "-", url(http_stack.port, "/upload"), stdin=BODY[:size]
        )
        assert (result.exit_status, result.status) == (0, 200), result.errors
        assert curl.heads(result.output)[-1][1]["x-framing"] == framing
        assert json.loads(result.output.rpartition(b"\r\n\r\n")[2]) == digest(BODY[:size])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("framing", ["content-length", "transfer-encoding"])
async def test_httpx_uploads(http_stack, size, framing):
    body = BODY[:size]
    async with http(http_stack.port) as client:
        for _ in range(2):  # the second one finds a connection that is clean
            content = in_pieces(body) if framing == "transfer-encoding" else body
            response = await client.post("/upload", content=content)
            assert (response.status_code, response.json()) == (200, digest(body))
            assert response.headers["x-framing"] == framing


async def test_curl_waits_for_the_agents_100_before_its_body(http_stack, tmp_path):
    path = tmp_path / "body"
    path.write_bytes(BODY)
    result = await curl.run(
        *("--header", "Expect: 100-continue", "--expect100-timeout", "20"),
        *("--data-binary", f"@{path}", "--dump-header", "-", url(http_stack.port, "/upload")),
    )
    assert (result.exit_status, result.status) == (0, 200), result.errors
    assert [status for status, _ in curl.heads(result.output)] == [100, 200]
    assert result.transfers[0]["size_upload"] == len(BODY)
    assert result.transfers[0]["time_total"] < 10  # it was the 100 that ended the wait


async def test_a_refusal_instead_of_the_100_spares_the_body(http_stack, tmp_path):
    path = tmp_path / "body"
    path.write_bytes(BODY)
    result = await curl.run(
        *("--header", "Expect: 100-continue", "--expect100-timeout", "20"),
        *("--data-binary", f"@{path}", "--dump-header", "-", url(http_stack.port, "/refuse")),
    )
    assert [status for status, _ in curl.heads(result.output)] == [413], result.errors
    assert result.output.endswith(b"\r\n\r\nno")
    assert result.transfers[0]["size_upload"] == 0
    assert result.transfers[0]["time_total"] < 10


# Streams: the gate is opened by who has seen the first piece.


@pytest.mark.parametrize("client", [CurlClient, HttpxClient, OldCurlClient])
async def test_the_first_event_comes_before_the_second_is_made(http_stack, client):
    s, gate = http_stack, f"events-{client.__name__}"
    stream = await client.open(s.port, f"/events/{gate}")
    assert [await stream.line(), await stream.line()] == ["id: 1", "data: first"]
    await s.agent.open(gate)
    assert await stream.rest() == ["id: 2", "data: second"]


@pytest.mark.parametrize("client", [CurlClient, HttpxClient, OldCurlClient])
async def test_the_first_line_of_a_streamed_post_comes_before_the_next(http_stack, client):
    s, gate = http_stack, f"answer-{client.__name__}"
    stream = await client.open(s.port, f"/answers/{gate}?tokens=3&pace=0", b"why?")
    assert await stream.line() == '{"question": "why?"}'
    await s.agent.open(gate)
    tokens = [f'{{"token": {n}}}' for n in range(3)]
    assert await stream.rest() == [*tokens, f'{{"last": "{gate}"}}']


async def test_a_stream_has_its_chunks_and_types_unchanged(http_stack):
    s, outputs = http_stack, []
    for port in (s.agent_server.port, s.port):
        result = await curl.run("--raw", "--dump-header", "-", url(port, "/sse?count=5&pace=0"))
        assert result.exit_status == 0
        ((_, fields),) = curl.heads(result.output)
        assert fields["transfer-encoding"] == "chunked"
        assert fields["content-type"] == "text/event-stream; charset=utf-8"
        outputs.append(re.sub(rb"\r\n|[0-9a-f]+\r\n", b"", result.output.partition(b"\r\n\r\n")[2]))
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("query", ["", "?length=1"])
@either
async def test_an_answer_that_breaks_off_does_not_look_whole(http_stack, client, query):
    if client is CurlClient:
        result = await curl.run(url(http_stack.port, f"/broken{query}"))
        assert result.exit_status in (curl.PARTIAL_FILE, curl.RESET), result.errors
    else:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            async with http(http_stack.port) as session:
                await session.get(f"/broken{query}")


# HTTP/1.0.


@pytest.mark.parametrize("target, counted", [("/sse?count=5&pace=0", False), ("/file", True)])
async def test_an_old_client_gets_no_chunks_but_an_end(http_stack, target, counted):
    target = url(http_stack.port, target)
    result = await curl.run("--http1.0", "--raw", "--dump-header", "-", target)
    assert result.exit_status == 0, result.errors
    head, _, body = result.output.partition(b"\r\n\r\n")
    ((status, fields),) = curl.heads(head + b"\r\n\r\n")
    assert status == 200
    assert "transfer-encoding" not in fields
    assert fields.get("connection", "close") == "close"
    assert ("content-length" in fields) == counted
    assert body == (FILE if counted else b"".join(b"data: %d\n\n" % n for n in range(5)))


async def test_an_old_client_uploads(http_stack, tmp_path):
    path = tmp_path / "body"
    path.write_bytes(BODY)
    target = url(http_stack.port, "/upload")
    result = await curl.run("--http1.0", "--data-binary", f"@{path}", target)
    assert (result.exit_status, result.status, result.json()) == (0, 200, digest(BODY))


# Lengths.


@either
async def test_a_body_that_the_agent_has_compressed_arrives_as_it_is(http_stack, client):
    if client is CurlClient:
        target = url(http_stack.port, "/gzip")
        raw = await curl.run("--header", "Accept-Encoding: gzip", target)
        assert (raw.exit_status, raw.output) == (0, GZIPPED)
        assert (await curl.run("--compressed", target)).output == gzip.decompress(GZIPPED)
        return
    async with http(http_stack.port) as session, session.stream("GET", "/gzip") as response:
        assert b"".join([piece async for piece in response.aiter_raw()]) == GZIPPED
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["content-length"] == str(len(GZIPPED))


async def test_curl_gets_a_range_and_resumes(http_stack, tmp_path):
    target = url(http_stack.port, "/file")
    part = await curl.run("--range", "1000-1999", "--dump-header", "-", target)
    ((status, fields),) = curl.heads(part.output.partition(b"\r\n\r\n")[0])
    assert (status, fields["content-range"]) == (206, f"bytes 1000-1999/{len(FILE)}")
    assert part.output.endswith(b"\r\n\r\n" + FILE[1000:2000])


async def test_head_is_a_head_for_curl_which_uses_its_connection_again(http_stack):
    target = url(http_stack.port, "/file")
    result = await curl.run("--head", target, target)
    assert (result.exit_status, [t["http_code"] for t in result.transfers]) == (0, [200, 200])
    assert [t["num_connects"] for t in result.transfers] == [1, 0]
    for _, fields in curl.heads(result.output):
        assert (fields["content-length"], fields["etag"]) == (str(len(FILE)), ETAG)


def kinds_of_lengths(http_name: str) -> list[tuple[str, str, int, bytes, str | None]]:
    """A request, then its answer's status, body and Content-Length."""
    known = f"If-None-Match: {ETAG}\r\n"
    part, whole = "Range: bytes=10-19\r\n", str(len(FILE))
    found = [
        ("HEAD /file", "", 200, b"", whole),
        ("GET /file", "", 200, FILE, whole),
        ("DELETE /file", "", 204, b"", None),
        ("GET /file", known, 304, b"", None),
        ("GET /file", part, 206, FILE[10:20], "10"),
        ("HEAD /file", part, 206, b"", "10"),
        ("HEAD /gzip", "", 405, b"", None),
        ("GET /gzip", "", 200, GZIPPED, str(len(GZIPPED))),
    ]
    if http_name == "h11":  # uvicorn with httptools takes such a length for a broken promise
        found.insert(4, ("GET /file?length=1", known, 304, b"", whole))
    return found


@pytest.mark.parametrize("pipelined", [False, True])
async def test_answers_without_a_body_leave_the_connection_in_step(http_stack, request, pipelined):
    """All kinds of lengths on one connection, one by one or all at once: the next answer begins
    where the last one ended."""
    expected = kinds_of_lengths(request.node.callspec.params["http_stack"])
    heads = [f"{line} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode() for line, more, *_ in expected]
    reader, writer = await asyncio.open_connection("127.0.0.1", http_stack.port)
    if pipelined:
        writer.write(b"".join(heads))
    for head, (line, _, status, body, length) in zip(heads, expected):
        if not pipelined:
            writer.write(head)
        response = await asyncio.wait_for(httpclient.read_head(reader), 10)
        assert response.status == status, line
        if length is not None:
            assert response.header("content-length") == length, line
        elif status in (204, 304):
            assert response.header("content-length") is None, line
            assert response.header("transfer-encoding") is None, line
        if body:
            got = await asyncio.wait_for(httpclient.read_body(reader, response), 10)
            assert got == body, line
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    response = await asyncio.wait_for(httpclient.read_head(reader), 10)
    response.body = await httpclient.read_body(reader, response)
    assert (response.status, response.json()) == (200, {"status": "ready"})
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


# Kept connections.


async def test_requests_over_one_connection_use_one_upstream_connection(own_http_stack):
    s = own_http_stack()
    async with http(s.port) as client:
        responses = [await client.get("/connection") for _ in range(50)]
    assert {response.status_code for response in responses} == {200}
    assert s.guard.gauge("connguard_connections_accepted_total") == 1
    (port,) = {response.json()["port"] for response in responses}
    assert port != 0


async def test_one_connection_carries_every_kind_of_request(own_http_stack):
    s = own_http_stack()
    ports = set()
    async with http(s.port) as client:
        for n in range(10):
            body = BODY[:n]
            assert (await client.post("/echo", content=body)).content == body
            chunked = await client.put("/upload", content=in_pieces(body))
            assert chunked.json() == digest(body)
            assert (await client.get("/sse?count=2&pace=0")).text == "data: 0\n\ndata: 1\n\n"
            assert (await client.head("/file")).headers["content-length"] == str(len(FILE))
            assert (await client.delete("/file")).status_code == 204
            ports.add((await client.post("/connection")).json()["port"])
    assert len(ports) <= 3  # a POST can't be sent twice: it may be given a connection of its own
    assert s.guard.gauge("connguard_connections_accepted_total") == 1


async def test_clients_at_a_time_bound_the_upstream_connections(own_http_stack, report):
    s = own_http_stack()

    async def twenty() -> set[int]:
        async with http(s.port) as client:
            return {(await client.get("/connection")).json()["port"] for _ in range(20)}

    ports = set().union(*await asyncio.gather(*(twenty() for _ in range(20))))
    report(f"400 requests of 20 clients at a time: {len(ports)} upstream connections")
    assert len(ports) <= 20


async def test_a_client_inherits_the_upstream_connection_of_the_one_before(own_http_stack):
    s = own_http_stack(workers="1")
    ports = set()
    for _ in range(5):
        result = await curl.run(*[url(s.port, "/connection")] * 2)
        assert [transfer["num_connects"] for transfer in result.transfers] == [1, 0]
        ports.update(re.findall(rb"\d+", result.output))
    assert len(ports) == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("seen", ["at-once", "with-the-next-request"])
async def test_a_restart_of_the_agent_between_two_requests_is_not_seen(
    own_http_stack, start_agent, end, seen
):
    s = own_http_stack()

    def restart() -> None:
        if end == "kill":
            s.agent_server.process.kill()
        s.agent_server.stop()
        start_agent(port=s.agent_server.port)

    reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for attempt in range(3):
        writer.write(request)
        response = await asyncio.wait_for(httpclient.read_head(reader), 10)
        response.body = await httpclient.read_body(reader, response)
        assert (response.status, response.json()) == (200, {"status": "ready"}), attempt
        if attempt == 2:
            break
        if seen == "at-once":
            restart()
            continue
        with s.guard.frozen():  # the request is there before the guard can know of the restart
            writer.write(request)
            await writer.drain()
            restart()
        response = await asyncio.wait_for(httpclient.read_head(reader), 10)
        response.body = await httpclient.read_body(reader, response)
        assert (response.status, response.json()) == (200, {"status": "ready"}), attempt
    writer.close()


@pytest.mark.parametrize("http_name", ["h11", "httptools"])
async def test_an_agent_that_leaves_after_each_answer_fails_no_get(own_http_stack, http_name):
    """Without a keep-alive time-out: each pooled connection dies as it is about to be used."""
    s = own_http_stack(("--http", http_name, "--timeout-keep-alive", "0"))
    async with http(s.port) as client:
        for _ in range(300):
            response = await client.get("/")
            assert (response.status_code, response.json()) == (200, {"status": "ready"})
