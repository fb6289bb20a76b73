"""A gibibyte each way, and clients and agents that do not read: the guard stays small.

Measures memory, hence the release binary; a sanitizer keeps what is freed.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import time
from typing import Awaitable, Callable, Iterator

import pytest

import curl
import httpclient

GIB = 1 << 30
MIB = 1 << 20
GROWTH = 4 * MIB
STALLED = 128 * MIB  # of which
ON_THE_WAY = 32 * MIB  # may be under way: the kernel's buffers for four sockets, and uvicorn's


@contextlib.contextmanager
def growth(guard, report, what: str) -> Iterator[None]:
    """Holds the guard's resident memory, at its peak, to GROWTH more than now."""
    guard.forget_peak()
    before = guard.peak_bytes()
    yield
    grown = guard.peak_bytes() - before
    report(f"{what}: the guard grew by {grown / MIB:.2f} MiB from {before / MIB:.1f} MiB")
    assert grown < GROWTH


@pytest.fixture
def gibibyte(tmp_path) -> pathlib.Path:
    path = tmp_path / "gibibyte"  # sparse: it takes no room on the disk
    with path.open("wb") as file:
        file.truncate(GIB)
    return path


@pytest.mark.parametrize("framing", ["counted", "chunked"])
async def test_the_upload_of_a_gibibyte(own_http_stack, report, gibibyte, framing):
    s = own_http_stack()
    options = ["--header", "Transfer-Encoding: chunked"] if framing == "chunked" else []
    with growth(s.guard, report, f"{framing} upload of 1 GiB"):
        result = await curl.run(
            *("--upload-file", str(gibibyte), *options),
            f"http://127.0.0.1:{s.port}/discard/all",
            timeout=90,
        )
    assert (result.exit_status, result.status, result.json()) == (0, 200, GIB), result.errors
    report(f"{framing} upload: {result.transfers[0]['time_total']:.1f} s")


async def test_the_download_of_a_gibibyte(own_http_stack, report):
    s = own_http_stack()
    target = f"http://127.0.0.1:{s.port}/bulk/all?size={GIB}"
    with growth(s.guard, report, "chunked download of 1 GiB"):
        result = await curl.run("--output", "/dev/null", target, timeout=90)
    assert (result.exit_status, result.status) == (0, 200), result.errors
    assert result.transfers[0]["size_download"] == GIB
    report(f"download: {result.transfers[0]['time_total']:.1f} s")


async def standstill(counted: Callable[[], Awaitable[int]], seconds: float = 0.3) -> int:
    """Waits until a counter has not changed for a while, and returns it."""
    count, since = await counted(), time.monotonic()
    while time.monotonic() - since < seconds:
        await asyncio.sleep(0.02)
        if (now := await counted()) != count:
            count, since = now, time.monotonic()
    return count


async def test_a_client_that_does_not_read_stops_the_agent(own_http_stack, report):
    s = own_http_stack()
    reader, writer = await asyncio.open_connection("127.0.0.1", s.port)

    async def produced() -> int:
        return (await httpclient.request(s.agent_server.port, "/produced/slow")).json()

    with growth(s.guard, report, "a client that does not read"):
        writer.write(b"GET /bulk/slow?size=%d HTTP/1.1\r\nHost: a\r\n\r\n" % STALLED)
        await httpclient.read_head(reader)
        stopped_at = await standstill(produced)
        assert MIB < stopped_at < ON_THE_WAY
        size = 0
        while piece := await asyncio.wait_for(httpclient.read_chunk(reader), 10):
            size += len(piece)
    report(f"a client that does not read: the agent stops at {stopped_at / MIB:.1f} MiB")
    assert size == await produced() == STALLED
    writer.close()


async def test_an_agent_that_does_not_read_stops_the_client(own_http_stack, report):
    s = own_http_stack()
    reader, writer = await asyncio.open_connection("127.0.0.1", s.port)
    block, sent = bytes(MIB // 4), 0

    async def send() -> None:
        nonlocal sent
        while sent < STALLED:
            writer.write(block)
            await writer.drain()
            sent += len(block)

    async def sent_so_far() -> int:
        return sent

    with growth(s.guard, report, "an agent that does not read"):
        writer.write(b"PUT /discard/later?closed=1 HTTP/1.1\r\nHost: a\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % STALLED)
        sender = asyncio.ensure_future(send())
        stopped_at = await standstill(sent_so_far)
        assert MIB < stopped_at < ON_THE_WAY
        await s.agent.open("later")
        await asyncio.wait_for(sender, 30)
        response = await asyncio.wait_for(httpclient.read_head(reader), 10)
        response.body = await httpclient.read_body(reader, response)
    report(f"an agent that does not read: the client stops at {stopped_at / MIB:.1f} MiB")
    assert (response.status, response.json()) == (200, STALLED)
    writer.close()
