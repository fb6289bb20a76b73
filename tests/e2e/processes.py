"""Starts the agent and the guard on free ports, waits until they serve, and ends them by pid."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Iterator

from certificates import Certificate

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
TROUBLE = ("Traceback", "Unexpected ASGI message", "Exception in ASGI")


def guard_binary(sanitized: bool = False) -> str:
    """CONNGUARD names the binary, CONNGUARD_ASAN another one that is built with sanitizers."""
    release = os.environ.get("CONNGUARD", str(ROOT / "build/release/proxy/connguard"))
    return os.environ.get("CONNGUARD_ASAN") or release if sanitized else release


_given: set[int] = set()


def free_port() -> int:
    """Not one that was given before: a guard that is to have two must not get the same."""
    with contextlib.ExitStack() as held:
        while True:
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            if port not in _given:
                _given.add(port)
                return port


class Server:
    """A child process that answers `ready_path` on `ready_port` with 200 when it serves."""

    def __init__(
        self,
        command: list[str],
        log: pathlib.Path,
        ready_port: int,
        ready_path: str,
        environment: dict[str, str] | None = None,
        timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.log_path = log
        self.tls = tls
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=HERE,
                env={**os.environ, **(environment or {})},
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        scheme = "https://localhost" if tls else "http://127.0.0.1"
        self._await_ready(f"{scheme}:{ready_port}{ready_path}", timeout)

    def _await_ready(self, url: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2, context=self.tls):
                    return
            except (urllib.error.URLError, OSError) as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    message = f"{self.process.args} does not serve: {error}\n{self.log()}"
                    raise RuntimeError(message) from error
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def says(self, pattern: str, timeout: float = 10.0) -> bool:
        """Waits for the log to have it: the guard writes from a thread of its own."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.log()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self) -> int:
        pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak_bytes(self) -> int:
        """The most resident memory since the start or the last forget_peak()."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M)[1]) * 1024

    def forget_peak(self) -> None:
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped for a while: what comes meanwhile, it finds all at once."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            self._await_stop()
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _await_stop(self) -> None:
        """The signal is taken by one thread, and the others stop when that has had its turn."""
        stats = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat")
        for stat in list(stats):
            deadline = time.monotonic() + 10
            while stat.read_text().rpartition(")")[2].split()[0] != "T":
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{stat} is not stopped")
                time.sleep(0.001)

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM, then SIGKILL; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


class AgentServer(Server):
    def __init__(
        self,
        directory: pathlib.Path,
        variant: str = "A",
        ws: str = "websockets",
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        port: int | None = None,
        certificate: Certificate | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """With `certificate` it serves https; `tls` is how to speak to it then."""
        self.port = port or free_port()
        command = [PYTHON, "-m", "agent", "--variant", variant, "--ws", ws]
        command += ["--port", str(self.port), *arguments]
        if certificate:
            command += ["--certificate", str(certificate.chain), "--key", str(certificate.key)]
        log = directory / f"agent-{variant}-{ws}-{self.port}.log"
        super().__init__(command, log, self.port, "/", environment, tls=tls)

    def trouble(self) -> list[str]:
        """Lines of the log that a sound backend never writes."""
        return [line for line in self.log().splitlines() if any(t in line for t in TROUBLE)]


class GuardServer(Server):
    def __init__(
        self,
        directory: pathlib.Path,
        config: str,
        sanitized: bool = False,
        port: int | None = None,
        arguments: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
    ) -> None:
        """`config` has {port} and {admin} where the free ports go, or the given one; `before` is a
        command that the guard takes the place of."""
        binary = guard_binary(sanitized)
        if not os.access(binary, os.X_OK):
            raise RuntimeError(f"{binary} is not built; CONNGUARD names another binary")
        self.port, self.admin = port or free_port(), free_port()
        self.config = directory / f"connguard-{self.admin}.yaml"
        config = config.replace("{port}", str(self.port)).replace("{admin}", str(self.admin))
        self.config.write_text(config)
        command = [*before, binary, "run", "-c", str(self.config), *arguments]
        log = directory / f"connguard-{self.admin}.log"
        super().__init__(command, log, self.admin, "/readyz")

    def metrics(self) -> dict[str, float]:
        """Every sample of the metrics page, by its name with labels."""
        url = f"http://127.0.0.1:{self.admin}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            lines = page.read().decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def gauge(self, name: str) -> float:
        """The sum of a metric over its labels. There must be such a metric."""
        samples = self.metrics().items()
        values = [value for key, value in samples if key.partition("{")[0] == name]
        assert values, f"the metrics page has no {name}"
        return sum(values)

    def closes(self, cause: str) -> float:
        """How many tunnels have ended by it."""
        label = f'cause="{cause}"'
        samples = self.metrics().items()
        return sum(v for k, v in samples if k.startswith("connguard_closes_total{") and label in k)

    def reports(self) -> list[str]:
        """What sanitizers wrote."""
        words = ("Sanitizer", "runtime error:", "Assertion")
        return [line for line in self.log().splitlines() if any(word in line for word in words)]
