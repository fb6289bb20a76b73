"""What armed heartbeats cost: heartbeats.py BINARY [TUNNELS [SECONDS]].

Opens idle tunnels through the guard – two heartbeats each –, answers its pings on both sides, and
prints the CPU time of the guard with pings every 20 s next to that without any.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import sys
import tempfile
from pathlib import Path

from handshake import SWITCHED, UPGRADE

PING, PONG, MASKED = 0x89, 0x8A, 0x80


class Side(asyncio.Protocol):
    """One end of a tunnel: says its part of the handshake, then answers pings."""

    pings = 0

    def __init__(self, user: int | None, opened: asyncio.Semaphore) -> None:
        self.user, self.opened, self.handshake, self.rest = user, opened, True, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if self.user is not None:
            transport.write(UPGRADE % self.user)

    def data_received(self, data: bytes) -> None:
        self.rest += data
        if self.handshake:
            head, mark, rest = self.rest.partition(b"\r\n\r\n")
            if not mark:
                return
            self.handshake, self.rest = False, rest
            if self.user is None:
                self.transport.write(SWITCHED)
            else:
                assert head.startswith(b"HTTP/1.1 101 "), head
                self.opened.release()
        while len(self.rest) >= 2:
            masked = self.rest[1] & MASKED
            size = 2 + (4 if masked else 0) + (self.rest[1] & 0x7F)
            if len(self.rest) < size:
                return
            frame, self.rest = self.rest[:size], self.rest[size:]
            assert frame[0] == PING, frame
            Side.pings += 1
            payload = frame[2:]
            if masked:
                key, payload = payload[:4], payload[4:]
                payload = bytes(b ^ key[i % 4] for i, b in enumerate(payload))
            if self.user is None:
                self.transport.write(bytes([PONG, len(payload)]) + payload)
            else:  # a key of zeros masks nothing
                self.transport.write(bytes([PONG, MASKED | len(payload)]) + bytes(4) + payload)


def cpu_ns(pid: int) -> int:
    """CPU time of all threads, from the scheduler."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


async def measure(binary: str, tunnels: int, seconds: float, interval: str) -> tuple[float, int]:
    """The guard's share of a core in percent, and the pings that it sent."""
    loop, opened = asyncio.get_running_loop(), asyncio.Semaphore(0)
    origin = await loop.create_server(lambda: Side(None, opened), "127.0.0.1", 0, backlog=4096)
    leg = f"{{interval: {interval}, timeout: 10s}}"
    config = f"""
version: 1
listeners: [{{name: a, bind: "127.0.0.1:0"}}]
upstreams: [{{name: a, url: "http://127.0.0.1:{origin.sockets[0].getsockname()[1]}"}}]
routes:
  - name: ws
    match: {{path: "/ws/{{user}}"}}
    upstream: a
    session: {{key: "{{path.user}}"}}
    heartbeat: {{client: {leg}, upstream: {leg}}}
admin: off
workers: 1
"""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(config)
        file.flush()
        guard = await asyncio.create_subprocess_exec(
            binary, "-c", file.name, stderr=asyncio.subprocess.PIPE
        )
        line = (await guard.stderr.readline()).decode()
    port = int(line.split('"address":"127.0.0.1:')[1].split('"')[0])
    try:
        for user in range(tunnels):
            await loop.create_connection(lambda: Side(user, opened), "127.0.0.1", port)
            await opened.acquire()
        before, Side.pings = cpu_ns(guard.pid), 0
        await asyncio.sleep(seconds)  # the measurement itself
        share = (cpu_ns(guard.pid) - before) / seconds / 1e9 * 100
        return share, Side.pings
    finally:
        origin.close()
        with contextlib.suppress(ProcessLookupError):
            guard.kill()
        await guard.communicate()


def main() -> int:
    binary = sys.argv[1]
    tunnels = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 40
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"{tunnels} idle tunnels, {2 * tunnels} heartbeats, {seconds:g} s, {os.cpu_count()} cores\n")
    print("| pings | sent | CPU, % of a core |\n|---|---|---|")
    shares = []
    for interval in ("0", "20s"):
        share, pings = asyncio.run(measure(binary, tunnels, seconds, interval))
        shares.append(share)
        print(f"| every {interval} | {pings} | {share:.2f} |" if pings else f"| none | 0 | {share:.2f} |")
    if pings < tunnels:
        print("too few pings were seen: nothing was measured", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
