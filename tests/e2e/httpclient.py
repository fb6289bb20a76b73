"""Small HTTP/1.1 requests over raw sockets: to ask agent and guard, and to test the guard."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import ssl
import urllib.parse
from typing import Any


@dataclasses.dataclass
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def json(self) -> Any:
        return json.loads(self.body)


async def read_head(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *lines = head[:-4].split("\r\n")
    _, status, reason = (status_line + " ").split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = [(name, value.strip()) for name, _, value in pairs]
    return Response(int(status), reason.strip(), headers, b"")


async def read_body(reader: asyncio.StreamReader, response: Response) -> bytes:
    if (response.header("transfer-encoding") or "").lower() == "chunked":
        body = b""
        while piece := await read_chunk(reader):
            body += piece
        return body
    length = response.header("content-length")
    return await (reader.read() if length is None else reader.readexactly(int(length)))


async def read_chunk(reader: asyncio.StreamReader) -> bytes:
    size = int(await reader.readuntil(b"\r\n"), 16)
    piece = await reader.readexactly(size)
    assert await reader.readexactly(2) == b"\r\n"
    return piece


async def exchange(
    port: int,
    request: bytes,
    timeout: float = 30.0,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    name: str = "localhost",
) -> Response:
    """Sends `request` as it is and reads one response. With `tls`, the server is to be `name`."""

    async def run() -> Response:
        reader, writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=name if tls else None
        )
        try:
            writer.write(request)
            response = await read_head(reader)
            response.body = await read_body(reader, response)
            return response
        finally:
            writer.close()

    return await asyncio.wait_for(run(), timeout)


async def request(
    port: int,
    target: str,
    method: str = "GET",
    body: bytes | None = None,
    timeout: float = 30.0,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return await exchange(port, head + (body or b""), timeout, host, tls)


class Agent:
    """Asks the agent about itself, straight at its port."""

    def __init__(
        self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self.port, self.host, self.tls = port, host, tls

    async def _ask(self, target: str, method: str = "GET", timeout: float = 30.0) -> Response:
        return await request(
            self.port, target, method, timeout=timeout, host=self.host, tls=self.tls
        )

    async def state(self, user: str | None = None) -> dict[str, Any]:
        query = "" if user is None else "?" + urllib.parse.urlencode({"user": user})
        return (await self._ask("/_state" + query)).json()

    async def open(self, gate: str) -> None:
        assert (await self._ask(f"/gate/{gate}/open", "POST")).status == 200

    async def events(self, user: str) -> list[dict[str, Any]]:
        query = urllib.parse.urlencode({"user": user})
        return (await self._ask("/_events?" + query)).json()

    async def story(self, user: str) -> list[str]:
        """The names of the user's events."""
        return [event["name"] for event in await self.events(user)]

    async def close_codes(self, user: str) -> list[int]:
        """What the user's connections were closed with, as the agent saw it."""
        events = await self.events(user)
        return [event["detail"]["code"] for event in events if event["name"] == "disconnect"]

    async def wait(self, user: str, event: str, timeout: float = 10.0, **detail: Any) -> bool:
        """True once the event (or one of a|b) has happened; `count` says how often it must."""
        query = urllib.parse.urlencode(
            {"user": user, "event": event, "timeout": timeout, **detail}
        )
        response = await self._ask("/_wait?" + query, timeout=timeout + 20)
        return response.status == 200

    async def empty(self, user: str | None = None, timeout: float = 15.0) -> dict[str, Any]:
        """Waits until no session, handler or turn is left; returns the last state either way."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            state = await self.state(user)
            busy = state["sessions"] or state["handlers"] or state["turns"]
            if not busy or asyncio.get_running_loop().time() > deadline:
                return state
            await asyncio.sleep(0.05)
