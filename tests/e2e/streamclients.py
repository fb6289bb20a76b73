"""Clients of streamed answers, each with the same few words: open, line, rest, leave."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import AsyncIterator

import httpx

import curl
import httpclient

TIMEOUT = 10.0
Headers = dict[str, str]


class StreamClient:
    """One request whose answer is read line by line; empty lines are skipped."""

    def __init__(self) -> None:
        self.status = 0
        self._pieces: AsyncIterator[bytes] | None = None
        self._unread = b""

    @classmethod
    async def open(
        cls, port: int, target: str, body: bytes | None = None, headers: Headers | None = None
    ) -> "StreamClient":
        """Sends a GET, or a POST if there is a body; the answer is not waited for."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Goes away in the middle of the answer."""
        raise NotImplementedError

    async def line(self) -> str:
        """The next line, as soon as it is there; an empty one at the end of the answer."""
        while True:
            line, newline, rest = self._unread.partition(b"\n")
            if newline:
                self._unread = rest
                if line:
                    return line.decode()
                continue
            try:
                self._unread += await asyncio.wait_for(anext(self._pieces), TIMEOUT)
            except StopAsyncIteration:
                self._unread = b""
                return line.decode()

    async def rest(self) -> list[str]:
        """All lines to the proper end of the answer."""
        lines = []
        while line := await self.line():
            lines.append(line)
        return lines


class CurlClient(StreamClient):
    options: tuple[str, ...] = ()

    @classmethod
    async def open(cls, port, target, body=None, headers=None):
        client = cls()
        arguments = ["--no-buffer", *cls.options, f"http://127.0.0.1:{port}{target}"]
        for name, value in (headers or {}).items():
            arguments += ["--header", f"{name}: {value}"]
        if body is not None:
            arguments += ["--data-binary", body.decode()]
        client.process = await curl.start(*arguments)
        client._pieces = client._read()
        return client

    async def _read(self) -> AsyncIterator[bytes]:
        while piece := await self.process.stdout.read(65536):
            yield piece
        assert await self.process.wait() == 0, await self.process.stderr.read()

    async def leave(self) -> None:
        self.process.kill()
        await self.process.wait()


class OldCurlClient(CurlClient):
    """Speaks HTTP/1.0."""

    options = ("--http1.0",)


class HttpxClient(StreamClient):
    @classmethod
    async def open(cls, port, target, body=None, headers=None):
        client = cls()
        client._http = httpx.AsyncClient(trust_env=False, timeout=TIMEOUT)
        method = "GET" if body is None else "POST"
        url = f"http://127.0.0.1:{port}{target}"
        request = client._http.build_request(method, url, content=body, headers=headers)
        client._answer = asyncio.ensure_future(client._http.send(request, stream=True))
        client._pieces = client._read()
        return client

    async def _read(self) -> AsyncIterator[bytes]:
        response = await self._answer
        self.status = response.status_code
        async for piece in response.aiter_raw():
            yield piece
        await self._http.aclose()

    async def leave(self) -> None:
        if self._answer.done():
            await self._answer.result().aclose()
        else:
            self._answer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._answer
        await self._http.aclose()


class RawClient(StreamClient):
    """Leaves with a FIN: its socket is closed with nothing unread."""

    linger: bytes | None = None

    @classmethod
    async def connect(cls, port: int) -> "RawClient":
        client = cls()
        reader, client._writer = await asyncio.open_connection("127.0.0.1", port)
        client._pieces = client._read(reader)
        return client

    def send(self, target: str, body: bytes | None = None, headers: Headers | None = None) -> None:
        method = "GET" if body is None else "POST"
        lines = [f"{method} {target} HTTP/1.1", "Host: agent.test"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    @classmethod
    async def open(cls, port, target, body=None, headers=None):
        client = await cls.connect(port)
        client.send(target, body, headers)
        return client

    async def _read(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        response = await httpclient.read_head(reader)
        self.status = response.status
        if (response.header("transfer-encoding") or "").lower() == "chunked":
            while piece := await httpclient.read_chunk(reader):
                yield piece
        else:
            yield await httpclient.read_body(reader, response)
        self._writer.close()

    async def leave(self) -> None:
        if self.linger is not None:
            sock = self._writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, self.linger)
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class ResettingClient(RawClient):
    """Leaves with a RST."""

    linger = struct.pack("ii", 1, 0)
