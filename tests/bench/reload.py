"""What a reload costs those who are connected: reload.py BINARY [RELOADS].

One client sends a message and waits for its answer, again and again, while the guard – one worker – is
reloaded, by turns with few routes and with many. The longest round trip next to that without reloads is
how long the worker stood still.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Callable

from handshake import UPGRADE
from instructions import accept, connect, frame, read, read_head
from proxies import free_port

ROUTES = 500
PAUSE_SECONDS = 0.1  # between reloads
ROUNDS = 3
SIZE = 64

CONFIG = """\
version: 1
listeners: [{{name: public, bind: "127.0.0.1:{port}"}}]
upstreams: [{{name: origin, url: "http://127.0.0.1:{origin}"}}]
admin: off
logging: {{format: text}}
workers: 1
routes:
{more}  - {{name: all, match: {{path: "/ws/{{user}}"}}, upstream: origin, session: {{key: "{{path.user}}"}}}}
"""
ROUTE = """\
  - {{name: r{0}, match: {{path: "/r{0}/{{user}}"}}, upstream: origin, session: {{key: "{{path.user}}"}}}}
"""


def echo(listener: socket.socket, question: int, answer: bytes) -> None:
    """Until the client goes."""
    with closing(accept(listener)) as peer, suppress(RuntimeError, OSError):
        while True:
            read(peer, question)
            peer.sendall(answer)


class Reloads(threading.Thread):
    """`count` reloads, each waited for; a thread of its own, so that the client's clock goes on."""

    def __init__(self, guard: subprocess.Popen, folder: Path, texts: list[str], count: int) -> None:
        super().__init__()
        self.guard, self.texts, self.count = guard, texts, count
        self.config, self.log = folder / "connguard.yaml", folder / "log"
        self.failure = ""

    def done(self) -> int:
        return self.log.read_text().count(" reloaded ")

    def run(self) -> None:
        for number in range(self.count):
            before = self.done()
            self.config.write_text(self.texts[(before + 1) % 2])
            self.guard.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while self.done() == before:
                if time.monotonic() > deadline:
                    self.failure = f"reload {number + 1} did not happen:\n{self.log.read_text()[-2000:]}"
                    return
                time.sleep(0.01)
            time.sleep(PAUSE_SECONDS)


def round_trips(
    client: socket.socket, question: bytes, answer: int, goes_on: Callable[[], bool]
) -> list[float]:
    """How long each took, in milliseconds."""
    times = []
    while goes_on():
        start = time.perf_counter()
        client.sendall(question)
        read(client, answer)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def row(name: str, reloads: int, times: list[float]) -> str:
    times.sort()
    p50, p99 = statistics.median(times), times[int(0.99 * (len(times) - 1))]
    return f"| {name} | {reloads} | {len(times)} | {p50:.3f} | {p99:.3f} | {times[-1]:.2f} |"


def main() -> int:
    binary = sys.argv[1]
    reloads = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    question, answer = frame(b"x" * SIZE, bytes(4)), frame(b"x" * SIZE)
    print(f"{ROUTES} routes and one by turns, one worker, one connection, {os.cpu_count()} cores\n")
    print("| | reloads | round trips | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="connguard-reload-") as folder, closing(
        socket.create_server(("127.0.0.1", 0))
    ) as listener:
        port, config, log = free_port(), Path(folder, "connguard.yaml"), Path(folder, "log")
        words = {"port": port, "origin": listener.getsockname()[1]}
        many = "".join(ROUTE.format(number) for number in range(ROUTES))
        texts = [CONFIG.format(more="", **words), CONFIG.format(more=many, **words)]
        config.write_text(texts[0])
        threading.Thread(target=echo, args=(listener, len(question), answer), daemon=True).start()
        with log.open("wb") as stream:
            guard = subprocess.Popen([binary, "run", "-c", str(config)], stderr=stream)
        try:
            with closing(connect(port, guard)) as client:
                client.sendall(UPGRADE % 0)
                read_head(client)
                for _ in range(ROUNDS):
                    end = time.monotonic() + reloads * 2 * PAUSE_SECONDS
                    times = round_trips(client, question, len(answer), lambda: time.monotonic() < end)
                    print(row("left alone", 0, times), flush=True)
                    thread = Reloads(guard, Path(folder), texts, reloads)
                    thread.start()
                    times = round_trips(client, question, len(answer), thread.is_alive)
                    thread.join()
                    if thread.failure:
                        raise RuntimeError(thread.failure)
                    print(row("reloaded", reloads, times), flush=True)
        finally:
            guard.terminate()
            guard.wait(40)
    return 0


if __name__ == "__main__":
    sys.exit(main())
