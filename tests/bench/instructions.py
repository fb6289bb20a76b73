"""Counts the instructions that the guard spends in user space on one message there and back, and on one
connection: accept, upgrade, dial, one echo, closing handshake. And that no message takes a lock: workers
share none on its path.

instructions.py BINARY            fails when a workload costs more than its budget and 5 %, or locks
instructions.py BINARY --record   writes what it counts into instructions.json

callgrind counts, so the clock and other programs do not matter; what the kernel does is not seen. What
counts is the worker's loop: other threads work by the time that passes. Each workload runs twice, with more
and with fewer of its unit: the difference is free of start and end.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from budgets import Budgets, arguments
from handshake import SWITCHED, UPGRADE
from proxies import free_port

BUDGETS = Path(__file__).with_name("instructions.json")
SLACK = 1.05
LOCK = re.compile(r"_*(pthread_(mutex|rwlock|spin)_\w*lock|lll_lock\w*)\b")
LOOP = "connguard::EventLoop::Run()"
LIMIT_SECONDS = 60

# `listener`, `session`: what follows their first keys, from a comma on.
CONFIG = """\
version: 1
listeners:
  - {{name: public, bind: "127.0.0.1:{port}"{listener}}}
upstreams:
  - {{name: origin, url: "http://127.0.0.1:{origin}"}}
routes:
  - name: all
    match: {{path: "/ws/{{user}}"}}
    upstream: origin
    session: {{key: "{{path.user}}"{session}}}
    turn: {{profile: {profile}}}
admin: off
logging: {{level: error}}
workers: 1
"""
CLOSE = 0x88
NORMAL = (1000).to_bytes(2, "big")


@dataclass(frozen=True)
class Workload:
    unit: str
    few: int  # units of the short run
    many: int  # of the long one
    size: int  # of a message's payload, in bytes
    profile: str

    def messages(self, units: int) -> int:
        """On each connection."""
        return 1 if self.unit == "connection" else units

    def connections(self, units: int) -> int:
        return units if self.unit == "connection" else 1


WORKLOADS = {
    "64 B": Workload("message", 300, 1300, 64, "quiet"),
    "16 KiB": Workload("message", 300, 1300, 16 * 1024, "quiet"),
    "1 KiB of JSON, every message read": Workload("message", 300, 1300, 1024, "cheshire-cat"),
    "connect to close": Workload("connection", 30, 230, 64, "request-reply"),
}


def frame(payload: bytes, key: bytes = b"", first: int = 0x81) -> bytes:
    """A text message unless told; with `key`, which is of zeros, as from a client."""
    masked = 0x80 if key else 0
    if len(payload) < 126:
        return bytes([first, masked | len(payload)]) + key + payload
    return bytes([first, masked | 126]) + len(payload).to_bytes(2, "big") + key + payload


def read(peer: socket.socket, size: int) -> None:
    while size > 0:
        data = peer.recv(size)
        if not data:
            raise RuntimeError("the connection ended")
        size -= len(data)


def read_head(peer: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            raise RuntimeError(f"the connection ended after {head!r}")
        head += byte
    return head


def read_end(peer: socket.socket) -> None:
    if peer.recv(1):
        raise RuntimeError("more came than was expected")


def accept(listener: socket.socket) -> socket.socket:
    """The origin's end of the next tunnel, its handshake done."""
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    read_head(peer)
    peer.sendall(SWITCHED)
    return peer


def converse(peer: socket.socket, question: int, answer: bytes, messages: int) -> None:
    """`answer` for every `question` bytes, then the closing handshake."""
    with closing(peer):
        for _ in range(messages):
            read(peer, question)
            peer.sendall(answer)
        read(peer, len(frame(NORMAL, bytes(4))))
        peer.sendall(frame(NORMAL, first=CLOSE))
        read_end(peer)


def serve(listener: socket.socket, question: int, answer: bytes, messages: int) -> None:
    """One tunnel after the other."""
    while True:
        converse(accept(listener), question, answer, messages)


def connect(port: int, guard: subprocess.Popen) -> socket.socket:
    while guard.poll() is None:
        try:
            peer = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return peer
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise RuntimeError(f"the guard ended with status {guard.returncode}")


def talk(client: socket.socket, user: int, question: bytes, answer: bytes, messages: int) -> None:
    client.sendall(UPGRADE % user)
    if not read_head(client).startswith(b"HTTP/1.1 101 "):
        raise RuntimeError("the guard refused the handshake")
    for _ in range(messages):
        client.sendall(question)
        read(client, len(answer))


def take_leave(client: socket.socket) -> None:
    client.sendall(frame(NORMAL, bytes(4), CLOSE))
    read(client, len(frame(NORMAL)))
    read_end(client)


def run(command: list[str], port: int, units: int, workload: Workload, frames: tuple, log: Path) -> None:
    # The same code on every processor.
    environment = os.environ | {"SIMDJSON_FORCE_IMPLEMENTATION": "westmere"}
    with log.open("wb") as stream:
        guard = subprocess.Popen(command, env=environment, stderr=stream)
    try:
        for user in range(workload.connections(units)):
            with closing(connect(port, guard)) as client:
                talk(client, user, *frames, workload.messages(units))
                take_leave(client)
        guard.terminate()
        if guard.wait(LIMIT_SECONDS) != 0:
            raise RuntimeError(f"the guard ended with status {guard.returncode}")
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"{error}\n{log.read_text()[-2000:]}") from error
    finally:
        guard.kill()
        guard.wait()


def costs(profile: str) -> tuple[int, int]:
    """The instructions of the worker's loop with all that it calls, and those of functions that take or
    leave a lock, in what callgrind wrote."""
    names: dict[str, str] = {}
    name, loop, locks, of_callee = "", 0, 0, False
    for line in profile.splitlines():
        if match := re.match(r"c?fn=(\(\d+\))(?: (.*))?", line):
            number, new = match.groups()
            names.setdefault(number, new or "")
            if line.startswith("fn="):
                name = names[number]
        elif line.startswith("calls="):
            of_callee = True  # the next line's cost
        elif re.match(r"[\d+*-]", line):
            cost = int(line.split()[-1])
            loop += cost if name == LOOP else 0
            locks += cost if LOCK.match(name) and not of_callee else 0
            of_callee = False
    return loop, locks


def count(binary: str, workload: Workload, units: int, folder: Path) -> tuple[int, int]:
    """The instructions of a worker that does so much, and those for locks."""
    body = b'{"type": "chat", "text": "' + b"x" * workload.size
    payload = body[: workload.size - 2] + b'"}'
    question, answer = frame(payload, bytes(4)), frame(payload)
    port, out, config = free_port(), folder / "callgrind.out", folder / "connguard.yaml"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        config.write_text(
            CONFIG.format(
                port=port,
                listener="",
                origin=listener.getsockname()[1],
                session="",
                profile=workload.profile,
            )
        )
        arguments = (listener, len(question), answer, workload.messages(units))
        threading.Thread(target=serve, args=arguments, daemon=True).start()
        command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
        command += [binary, "run", "-c", str(config)]
        run(command, port, units, workload, (question, answer), folder / "log")
    loop, locks = costs(out.read_text())
    if not loop or not locks:
        raise RuntimeError(f"callgrind has seen no {LOOP}, or no lock: there is one at the start")
    return loop, locks


def main() -> int:
    options = arguments(__doc__.splitlines()[0])
    budgets, locks = Budgets(BUDGETS, SLACK), []
    for name, workload in WORKLOADS.items():
        with tempfile.TemporaryDirectory(prefix="connguard-instructions-") as folder:
            few = count(options.binary, workload, workload.few, Path(folder))
            many = count(options.binary, workload, workload.many, Path(folder))
        units = workload.many - workload.few
        counted, locked = ((more - less) / units for more, less in zip(many, few))
        text = budgets.compare(name, round(counted), f"instructions a {workload.unit}")
        print(f"{text}; {locked:.1f} of them for locks", flush=True)
        # One lock and its release are over 20; less comes from other threads, for the time that passes.
        if workload.unit == "message" and locked > 5:
            locks.append(name)
    if options.record:
        budgets.record()
        return 0
    locking = f"messages take locks: {', '.join(locks)}" if locks else ""
    faults = [fault for fault in (budgets.fault(), locking) if fault]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"tests/bench/instructions.py: {error}")
