"""The programs that a measurement runs: proxies, origins and load generators, each on a core."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import configs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the one that the origin knows
}


def ask(port: int, target: str, headers: dict[str, str], status: int, tls: bool = False) -> str:
    """The body of one answer, which has to be of that status."""
    if tls:
        anybody = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=anybody)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", target, headers={"Host": "bench.example", **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    if answer.status != status:
        raise RuntimeError(f"GET {target} on port {port}: {answer.status}")
    return body


def get(port: int, target: str) -> str:
    return ask(port, target, {"Connection": "close"}, 200)


def on_core(core: int, command: list[str]) -> list[str]:
    """The command, pinned, and ahead of other programs if that is allowed: a stream whose reader has to
    wait for a core is moved in larger pieces, which are cheaper."""
    ahead = ["nice", "-n", "-10"] if os.geteuid() == 0 else []
    return [*ahead, "taskset", "-c", str(core), *command]


def children_of(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listing]


class Program:
    """A child process on a core of its own. It ends with this script, however that ends."""

    def __init__(self, command: list[str], core: int, log: Path) -> None:
        self.log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *on_core(core, command)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
            )

    def _pids(self) -> list[int]:
        return [self.process.pid, *children_of(self.process.pid)]

    def cpu_seconds(self) -> float:
        """User and kernel time of the process and its children, from the scheduler."""
        nanoseconds = 0
        for pid in self._pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def pss_kib(self) -> float:
        """Memory of the process and its children; what they share counts once."""
        total = 0
        for pid in self._pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def await_line(self, seconds: float) -> dict:
        """The next line of JSON that it prints."""
        if select.select([self.process.stdout], [], [], seconds)[0]:
            line = self.process.stdout.readline()
            if line:
                return json.loads(line)
        raise RuntimeError(f"{self.process.args} says nothing:\n{self.log.read_text()}")

    def go_on(self) -> None:
        """What it waits for after its lines."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def await_port(self, port: int) -> None:
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.process.args} does not listen:\n{self.log.read_text()}")

    def stop(self) -> None:
        for end in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(end)
                try:
                    self.process.wait(5)
                except subprocess.TimeoutExpired:
                    pass
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


class Server(Program):
    """A server of ours: it says itself where it listens."""

    def __init__(self, command: list[str], core: int, log: Path) -> None:
        super().__init__(command, core, log)
        self.port = self.await_line(10)["port"]


class Proxy(Program):
    def __init__(self, setup: configs.Setup, command: list[str], port: int, core: int, log: Path) -> None:
        super().__init__(command, core, log)
        self.setup, self.port = setup, port

    def check(self, origin: int) -> None:
        """The origin must see the same from each proxy, or they would not do the same work."""
        if self.setup.websocket:
            ask(self.port, "/ws/check", UPGRADE, 101, self.setup.tls)
            head = get(origin, "/upgrade-head").lower()
        else:
            head = get(self.port, "/head").lower()
        scheme = "https" if self.setup.tls else "http"
        for field in ("for: 127.0.0.1", f"proto: {scheme}", "host: bench.example"):
            if head.count(f"x-forwarded-{field}\r\n") != 1:
                raise RuntimeError(f"{self.setup.label} sends no X-Forwarded-{field}:\n{head}")


def start(setup: configs.Setup, programs: dict[str, str], origin: int, core: int, folder: Path) -> Proxy:
    """`programs`: the paths of connguard and ws_load."""
    port = free_port()
    name = setup.label.replace(" ", "-")
    if setup.program == "relay":
        command = [programs["ws_load"], "relay", "--to", f"127.0.0.1:{origin}", "--port", str(port)]
    else:
        words = {"binary": programs["connguard"], "folder": folder, "port": port, "origin": origin}
        command = configs.command_of(setup, folder / f"{name}.conf", **words)
    proxy = Proxy(setup, command, port, core, folder / f"{name}.log")
    try:
        proxy.await_port(port)
        if setup.program != "relay":
            proxy.check(origin)
    except BaseException:
        proxy.stop()
        raise
    return proxy


def version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    return (done.stdout + done.stderr).splitlines()[0].strip()


def versions(binary: str) -> list[str]:
    return [
        version([binary, "--version"]),
        version([configs.find("nginx"), "-v"]),
        version([configs.find("haproxy"), "-v"]),
        "Caddy " + version([configs.find("caddy"), "version"]),
        version(["openssl", "version"]),
    ]
