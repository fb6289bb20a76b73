"""A client's bytes over its raw socket, plain or by TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl


class PlainStream:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def begin(self) -> None:
        pass

    async def sendall(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def recv(self, size: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, size)


class TlsStream:
    """The socket stays raw, so that a test can end it in every way that there is."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self.sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)

    async def begin(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
        await self._flush()

    async def sendall(self, data: bytes) -> None:
        if data:
            self.tls.write(data)
        await self._flush()

    async def recv(self, size: int) -> bytes:
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                await self._flush()  # a key update asks for an answer
                await self._fill()
            except ssl.SSLZeroReturnError:
                return b""

    async def _flush(self) -> None:
        if data := self._out.read():
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def _fill(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self.sock, 65536)
        if not data:
            raise ConnectionResetError("cut before close_notify")
        self._in.write(data)
