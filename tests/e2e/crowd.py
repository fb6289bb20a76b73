"""A crowd that connects again and again, and remembers everyone who was not served whole."""

from __future__ import annotations

import collections
import itertools
import multiprocessing
import os
import socket
import threading
import time

WAIT = 20.0  # seconds, for anything at all
SLOW = 0.9  # a SYN that was dropped is sent again after a second

HANDSHAKE = (
    "GET /ws/{user} HTTP/1.1\r\nHost: guard.example\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
CLOSE_1000 = bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
GET = "GET {path} HTTP/1.1\r\nHost: guard.example\r\nConnection: close\r\n\r\n"


def read_head(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            raise EOFError(f"after {len(data)} bytes of the head")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def get(client: socket.socket, path: str, status: bytes) -> None:
    client.sendall(GET.format(path=path).encode())
    head, body = read_head(client)
    if head.split()[1] != status:
        raise ValueError(head.decode())
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while piece := client.recv(65536):
        body += piece
    if len(body) != int(lengths[0].split(b":")[1]):
        raise EOFError(f"{len(body)} bytes, {lengths[0].decode()}")


def shake_hands(client: socket.socket, user: str) -> None:
    client.sendall(HANDSHAKE.format(user=user).encode())
    head, _ = read_head(client)
    if head.split()[1] != b"101" or ACCEPT not in head:
        raise ValueError(head.decode())
    client.sendall(CLOSE_1000)
    while client.recv(65536):
        pass


def member(address: tuple[str, int], kind: str, stop, results: collections.Counter) -> None:
    for number in itertools.count():
        if stop.is_set():
            return
        start = time.monotonic()
        reached = "connecting"
        try:
            with socket.create_connection(address, timeout=WAIT) as client:
                reached = f"connected at {time.time():.3f}"
                client.settimeout(WAIT)
                if kind == "handshake":
                    shake_hands(client, f"{os.getpid()}-{threading.get_ident()}-{number}")
                elif kind == "answer":
                    get(client, "/", b"200")
                else:  # the guard's own answer: no backend slows it down
                    get(client, "/nowhere", b"404")
            results[kind] += 1
        except (OSError, EOFError, ValueError) as error:
            failed = f"{type(error).__name__}: {error} ({reached}, failed at {time.time():.3f})"
            results[f"{kind}: {failed}"] += 1
        if kind == "knock" and time.monotonic() - start > SLOW:
            results["slow"] += 1


def process(address: tuple[str, int], kinds: list[str], stop, pipe) -> None:
    results = [collections.Counter() for _ in kinds]
    threads = [
        threading.Thread(target=member, args=(address, kind, stop, result))
        for kind, result in zip(kinds, results)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pipe.send(sum(results, collections.Counter()))


class Crowd:
    """Two processes, so that they keep more than one core busy; knocks and handshakes at once."""

    KINDS = (["knock"] * 6, ["knock"] * 4 + ["handshake"] * 2 + ["answer"])

    def __init__(self, address: tuple[str, int]) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._pipes = []
        self._processes = []
        for kinds in self.KINDS:
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            arguments = (address, kinds, self._stop, theirs)
            self._processes.append(context.Process(target=process, args=arguments, daemon=True))
            self._processes[-1].start()

    def leave(self) -> collections.Counter:
        """How many were served, by kind, and every other outcome in words."""
        self._stop.set()
        results = collections.Counter()
        for pipe in self._pipes:
            assert pipe.poll(3 * WAIT)
            results += pipe.recv()
        for one in self._processes:
            one.join(WAIT)
        return results
