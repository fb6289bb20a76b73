"""Counts the instructions that the guard spends in user space on one message there and back.

instructions.py BINARY            fails when a workload costs more than its budget and 5 %
instructions.py BINARY --record   writes what it counts into instructions.json

callgrind counts, so the clock and other programs do not matter; what the kernel does is not seen. Each
workload runs twice, with more and with fewer messages: the difference is free of start and end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

BUDGETS = Path(__file__).with_name("instructions.json")
SLACK = 1.05
FEW, MANY = 300, 1300
LIMIT_SECONDS = 60

CONFIG = """\
version: 1
listeners:
  - {{name: public, bind: "127.0.0.1:{port}"}}
upstreams:
  - {{name: origin, url: "http://127.0.0.1:{origin}"}}
routes:
  - name: all
    match: {{path: "/ws/{{user}}"}}
    upstream: origin
    session: {{key: "{{path.user}}"}}
    turn: {{profile: {profile}}}
admin: off
logging: {{level: error}}
workers: 1
"""
UPGRADE = (
    b"GET /ws/ann HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


@dataclass(frozen=True)
class Workload:
    size: int  # of a message's payload, in bytes
    profile: str


WORKLOADS = {
    "64 B": Workload(64, "quiet"),
    "16 KiB": Workload(16 * 1024, "quiet"),
    "1 KiB of JSON, every message read": Workload(1024, "cheshire-cat"),
}


def frame(payload: bytes, key: bytes = b"") -> bytes:
    """A text message; with `key`, which is of zeros, as from a client."""
    masked = 0x80 if key else 0
    if len(payload) < 126:
        return bytes([0x81, masked | len(payload)]) + key + payload
    return bytes([0x81, masked | 126]) + len(payload).to_bytes(2, "big") + key + payload


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


def serve(listener: socket.socket, question: int, answer: bytes) -> None:
    """One tunnel: `answer` for every `question` bytes."""
    peer, _ = listener.accept()
    with closing(peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_head(peer)
        peer.sendall(SWITCHED)
        try:
            while True:
                read(peer, question)
                peer.sendall(answer)
        except (RuntimeError, OSError):
            pass


def connect(port: int, guard: subprocess.Popen) -> socket.socket:
    while guard.poll() is None:
        try:
            peer = socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return peer
        except ConnectionRefusedError:
            guard_is_up.wait(0.05)
    raise RuntimeError(f"the guard ended with status {guard.returncode}")


guard_is_up = threading.Event()  # never set: waits between two attempts


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return probe.getsockname()[1]


def count(binary: str, workload: Workload, messages: int, folder: Path) -> int:
    """All instructions of a guard that relays so many messages there and back."""
    body = b'{"type": "chat", "text": "' + b"x" * workload.size
    payload = body[: workload.size - 2] + b'"}'
    question, answer = frame(payload, key=bytes(4)), frame(payload)
    port, out = free_port(), folder / "callgrind.out"
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        config = folder / "connguard.yaml"
        config.write_text(
            CONFIG.format(port=port, origin=listener.getsockname()[1], profile=workload.profile)
        )
        origin = threading.Thread(target=serve, args=(listener, len(question), answer), daemon=True)
        origin.start()
        tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]
        # The same code on every processor.
        environment = os.environ | {"SIMDJSON_FORCE_IMPLEMENTATION": "westmere"}
        command = [*tool, binary, "run", "-c", str(config)]
        log = folder / "log"
        with log.open("wb") as stream:
            guard = subprocess.Popen(command, env=environment, stderr=stream)
        try:
            with closing(connect(port, guard)) as client:
                client.sendall(UPGRADE)
                if not read_head(client).startswith(b"HTTP/1.1 101 "):
                    raise RuntimeError("the guard refused the handshake")
                for _ in range(messages):
                    client.sendall(question)
                    read(client, len(answer))
            guard.terminate()
            if guard.wait(LIMIT_SECONDS) != 0:
                raise RuntimeError(f"the guard ended with status {guard.returncode}")
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(f"{error}\n{log.read_text()[-2000:]}") from error
        finally:
            guard.kill()
            guard.wait()
    match = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)
    if not match:
        raise RuntimeError("callgrind has counted nothing")
    return int(match[1])


def system() -> str:
    release = platform.freedesktop_os_release()
    return f"{release['ID']} {release.get('VERSION_ID', '')} {platform.machine()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="connguard as it is released: deploy/run --build makes it")
    parser.add_argument("--record", action="store_true", help="write the budgets of this system")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"{options.binary} is missing: deploy/run --build makes it")
    budgets = json.loads(BUDGETS.read_text())
    counted, over = {}, []
    for name, workload in WORKLOADS.items():
        with tempfile.TemporaryDirectory(prefix="connguard-instructions-") as folder:
            few, many = (
                count(options.binary, workload, messages, Path(folder)) for messages in (FEW, MANY)
            )
        counted[name] = round((many - few) / (MANY - FEW))
        budget = budgets.get(system(), {}).get(name)
        print(f"{name}: {counted[name]} instructions a message, budget {budget}", flush=True)
        if budget is None or counted[name] > budget * SLACK:
            over.append(name)
    if options.record:
        budgets[system()] = counted
        BUDGETS.write_text(json.dumps(budgets, indent=2) + "\n")
        return 0
    if system() not in budgets:
        print(f"no budget is recorded for {system()}: --record writes one")
    elif over:
        print(f"over the budget by more than {SLACK - 1:.0%}: {', '.join(over)}")
    return 1 if over else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"tests/bench/instructions.py: {error}")
