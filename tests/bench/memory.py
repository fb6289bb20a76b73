"""Counts the bytes of heap that a tunnel holds: idle, with a session key and one message there and back; and
at the most, when it also ends and its client has heard all, but stays connected.

memory.py BINARY            fails when a tunnel holds more than its budget and 3 %
memory.py BINARY --record   writes what it counts into memory.json

massif counts, so nothing else on the machine matters. Each kind runs twice, with more and with fewer tunnels:
the difference of the two peaks is free of everything that is there once. The tunnels end one by one: what
only one of them needs at a time is not in it either.
"""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from budgets import Budgets, arguments
from configs import make_certificate
from instructions import CONFIG, LIMIT_SECONDS, accept, connect, converse, frame, take_leave, talk
from proxies import free_port

BUDGETS = Path(__file__).with_name("memory.json")
SLACK = 1.03
FEW, MANY = 40, 240


@dataclass(frozen=True)
class Kind:
    tls: bool  # to the client
    stays: bool  # the client does, when its tunnel has ended


KINDS = {
    "plain": Kind(tls=False, stays=False),
    "plain, to the client's end": Kind(tls=False, stays=True),
    "TLS": Kind(tls=True, stays=False),
    "TLS, to the client's end": Kind(tls=True, stays=True),
}
QUESTION, ANSWER = frame(b"x" * 64, bytes(4)), frame(b"x" * 64)
TLS = ", tls: {{certificates: [{{chain: {folder}/cert.pem, key: {folder}/key.pem}}]}}"


def serve(listener: socket.socket) -> None:
    """All tunnels, each until it ends."""
    while True:
        told = (accept(listener), len(QUESTION), ANSWER, 1)
        threading.Thread(target=converse, args=told, daemon=True).start()


def open_tunnel(port: int, guard: subprocess.Popen, user: int, tls: bool) -> socket.socket:
    client = connect(port, guard)
    if tls:
        client = ssl._create_unverified_context().wrap_socket(client)
    client.settimeout(LIMIT_SECONDS)
    talk(client, user, QUESTION, ANSWER, 1)
    return client


def peak(binary: str, kind: Kind, tunnels: int, folder: Path) -> int:
    """Bytes of heap that were held at once at the most, with what the allocator adds."""
    port, out = free_port(), folder / "massif.out"
    config = folder / "connguard.yaml"
    if kind.tls:
        make_certificate(folder)
    with ExitStack() as stack:
        listener = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=tunnels)))
        config.write_text(
            CONFIG.format(
                port=port,
                listener=TLS.format(folder=folder) if kind.tls else "",
                origin=listener.getsockname()[1],
                session=", settle: 0",
                profile="request-reply, linger: 0",
            )
        )
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        command = ["valgrind", "-q", "--tool=massif", "--peak-inaccuracy=0.0", f"--massif-out-file={out}"]
        log = stack.enter_context((folder / "log").open("wb"))
        guard = subprocess.Popen([*command, binary, "run", "-c", str(config)], stderr=log)
        stack.callback(guard.wait)
        stack.callback(guard.kill)
        try:
            clients = []
            for user in range(tunnels):
                clients.append(stack.enter_context(closing(open_tunnel(port, guard, user, kind.tls))))
            for client in clients:
                take_leave(client)
                if not kind.stays:
                    client.close()
            guard.terminate()
            if guard.wait(LIMIT_SECONDS) != 0:
                raise RuntimeError(f"the guard ended with status {guard.returncode}")
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            raise RuntimeError(f"{error}\n{(folder / 'log').read_text()[-2000:]}") from error
    snapshots = re.findall(r"^mem_heap_B=(\d+)\nmem_heap_extra_B=(\d+)$", out.read_text(), re.M)
    return max(int(heap) + int(extra) for heap, extra in snapshots)


def main() -> int:
    options = arguments(__doc__.splitlines()[0])
    budgets = Budgets(BUDGETS, SLACK)
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory(prefix="connguard-memory-") as folder:
            few, many = (peak(options.binary, kind, tunnels, Path(folder)) for tunnels in (FEW, MANY))
        print(budgets.compare(name, round((many - few) / (MANY - FEW)), "bytes a tunnel"), flush=True)
    if options.record:
        budgets.record()
        return 0
    if fault := budgets.fault():
        print(fault)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"tests/bench/memory.py: {error}")
