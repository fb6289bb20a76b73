"""A WebSocket client over a raw socket, for all that a well-behaved client library won't do."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import enum
import json
import os
import socket
import ssl
import struct
import uuid
from typing import Any

from stream import PlainStream, TlsStream

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


class Drop(enum.Enum):
    """The ways in which a client can leave."""

    CLOSE_1000 = "close-1000"
    CLOSE_EMPTY = "close-empty"
    CLOSE_1001 = "close-1001"
    FIN = "fin"
    RST = "rst"
    STALL = "stall"  # stops reading and answering; the socket stays open


class Refused(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        super().__init__(f"HTTP {status} {body[:80]!r}")
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    """The server ended the connection. `code`: of its Close frame, 1005 for an empty one, 1006 for
    an end without a Close frame."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed {code} {reason}".rstrip())
        self.code, self.reason = code, reason


@dataclasses.dataclass
class Frame:
    opcode: int
    payload: bytes
    final: bool = True

    def json(self) -> Any:
        return json.loads(self.payload)


def encode(opcode: int, payload: bytes, final: bool = True) -> bytes:
    """A masked frame."""
    head = bytes([(0x80 if final else 0) | opcode])
    size = len(payload)
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    mask = os.urandom(4)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    masked = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
    return head + mask + masked


def close_payload(code: int | None, reason: str = "") -> bytes:
    return b"" if code is None else struct.pack("!H", code) + reason.encode()


class Client:
    """One connection. `conn` names it: the agent puts it into each answer to this client."""

    def __init__(
        self, sock: socket.socket, tls: ssl.SSLContext | None = None, name: str = "localhost"
    ) -> None:
        self.sock = sock
        self.stream = TlsStream(sock, tls, name) if tls else PlainStream(sock)
        self.conn = uuid.uuid4().hex
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.wrong: list[Any] = []  # messages that belong to another connection
        self.close_code: int | None = None  # of the server's Close frame
        self._buffer = bytearray()
        self._farewell: asyncio.Task | None = None

    # The handshake, in one or in two steps.

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        headers: tuple[tuple[str, str], ...] = (),
        tail: bytes = b"",
        host: str = "127.0.0.1",
        sock: socket.socket | None = None,
        tls: ssl.SSLContext | None = None,
        name: str = "localhost",
    ) -> "Client":
        """Connects (`sock`, if there is one) and sends the request, and `tail` right behind it; the
        answer is not read. With `tls`, the server is to be `name`."""
        loop = asyncio.get_running_loop()
        sock = sock or socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await loop.sock_connect(sock, (host, port))
            client = cls(sock, tls, name)
            await client.stream.begin()
            lines = [
                f"GET {path} HTTP/1.1",
                f"Host: {host}:{port}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
                "Sec-WebSocket-Version: 13",
                *(f"{name}: {value}" for name, value in headers),
            ]
            await client.stream.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + tail)
        except BaseException:
            sock.close()
            raise
        return client

    async def accepted(self, timeout: float = 30.0) -> "Client":
        """Waits for the 101. Raises Refused, Closed (1006) or asyncio.TimeoutError."""
        try:
            await asyncio.wait_for(self._read_answer(), timeout)
        except BaseException:
            self.sock.close()
            raise
        return self

    @classmethod
    async def connect(cls, port: int, path: str, timeout: float = 30.0, **kwargs) -> "Client":
        return await (await cls.open(port, path, **kwargs)).accepted(timeout)

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    async def _read_answer(self) -> None:
        while b"\r\n\r\n" not in self._buffer:
            await self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status_line.split(" ")[1])
        pairs = (line.partition(":") for line in lines)
        self.headers = [(name, value.strip()) for name, _, value in pairs]
        if self.status != 101:
            await self._read_body()
            raise Refused(self.status, self.headers, bytes(self._buffer))

    async def _read_body(self) -> None:
        length = self.header("content-length")
        with contextlib.suppress(Closed):
            while length is None or len(self._buffer) < int(length):
                await self._fill()

    async def _fill(self) -> None:
        try:
            data = await self.stream.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Closed(1006)
        self._buffer += data

    async def hears(self, seconds: float) -> bool:
        """True when something comes, or the end, within that time. What comes is kept."""
        try:
            await asyncio.wait_for(self._fill(), seconds)
        except asyncio.TimeoutError:
            return False
        except Closed:
            pass
        return True

    # Frames and messages.

    async def send(self, opcode: int, payload: bytes, final: bool = True) -> None:
        await self.stream.sendall(encode(opcode, payload, final))

    async def send_json(self, value: Any) -> None:
        await self.send(TEXT, json.dumps(value).encode())

    async def read_frame(self) -> Frame:
        """The next frame, whatever it is. Raises Closed (1006) at the end of the stream."""
        while True:
            frame = self._take_frame()
            if frame:
                return frame
            await self._fill()

    def _take_frame(self) -> Frame | None:
        data, offset = self._buffer, 2
        if len(data) < 2:
            return None
        assert not data[1] & 0x80, "a server's frame must not be masked"
        size = data[1] & 0x7F
        if size >= 126:
            offset = 4 if size == 126 else 10
            if len(data) < offset:
                return None
            size = int.from_bytes(data[2:offset], "big")
        if len(data) < offset + size:
            return None
        frame = Frame(data[0] & 0x0F, bytes(data[offset : offset + size]), bool(data[0] & 0x80))
        del data[: offset + size]
        return frame

    async def receive(self) -> Frame:
        """The next data frame; pings are answered. Raises Closed."""
        while True:
            frame = await self.read_frame()
            if frame.opcode == PING:
                await self.send(PONG, frame.payload)
            elif frame.opcode == CLOSE:
                await self._answer_close(frame)
            elif frame.opcode != PONG:
                return frame

    async def _answer_close(self, frame: Frame) -> None:
        self.close_code = int.from_bytes(frame.payload[:2], "big") if frame.payload else 1005
        with contextlib.suppress(OSError):
            await self.send(CLOSE, frame.payload[:2])
        raise Closed(self.close_code, frame.payload[2:].decode())

    # Turns.

    async def start(self, **options: Any) -> str:
        """Sends a message that starts a turn; returns the turn's id."""
        turn = uuid.uuid4().hex
        await self.send_json({"text": "hi", "turn": turn, "conn": self.conn, **options})
        return turn

    async def message(self) -> dict[str, Any]:
        """The next answer of the agent. One that belongs to another connection goes to `wrong`."""
        while True:
            message = (await self.receive()).json()
            if message.get("conn") == self.conn:
                return message
            self.wrong.append(message)

    async def finish(self, turn: str) -> list[dict[str, Any]]:
        """Reads up to the final message of `turn`; returns the messages."""
        messages = []
        while not messages or (messages[-1]["type"], messages[-1]["turn"]) != ("chat", turn):
            messages.append(await self.message())
        return messages

    async def turn(self, timeout: float = 30.0, **options: Any) -> list[dict[str, Any]]:
        """A whole turn. Raises asyncio.TimeoutError when its final message does not come."""
        turn = await self.start(**options)
        return await asyncio.wait_for(self.finish(turn), timeout)

    # The end.

    async def close(self, code: int | None = 1000, timeout: float = 10.0) -> int:
        """The whole closing handshake and the server's FIN; returns the code of its Close frame."""
        with contextlib.suppress(OSError):
            await self.send(CLOSE, close_payload(code))
        await asyncio.wait_for(self._drain(), timeout)
        return self.close_code or 1006

    async def _drain(self) -> None:
        """Reads to the end of the stream and closes the socket."""
        try:
            if not self.status:  # it left during the handshake
                await self._read_answer()
            while True:
                frame = await self.read_frame()
                if frame.opcode == CLOSE:
                    payload = frame.payload
                    self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
                elif frame.opcode in (TEXT, BINARY) and frame.json().get("conn") != self.conn:
                    self.wrong.append(frame.json())
        except (Closed, Refused, OSError):
            pass
        finally:
            self.sock.close()

    async def drop(self, how: Drop) -> None:
        """Leaves; does not wait for the server. `bury` does."""
        if how in (Drop.CLOSE_1000, Drop.CLOSE_EMPTY, Drop.CLOSE_1001):
            code = {Drop.CLOSE_1000: 1000, Drop.CLOSE_1001: 1001}.get(how)
            await self.send(CLOSE, close_payload(code))
        elif how is Drop.FIN:
            self.sock.shutdown(socket.SHUT_WR)
        elif how is Drop.RST:
            self.abort()
        if how not in (Drop.RST, Drop.STALL):
            self._farewell = asyncio.create_task(self._drain())

    async def bury(self, timeout: float = 10.0) -> bool:
        """After a drop: True when the server ended the connection in time; the socket is closed."""
        if self._farewell is None:
            self.abort()
            return True
        try:
            await asyncio.wait_for(self._farewell, timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def read_again(self, timeout: float = 10.0) -> bool:
        """After a stall: reads what is there; True when the server has ended the connection."""
        if self._farewell is None:
            self._farewell = asyncio.create_task(self._drain())
        return await self.bury(timeout)

    def abort(self) -> None:
        """Ends the connection by RST."""
        if self.sock.fileno() >= 0:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
