"""The proxies that are measured: configurations that ask the same work of each, and processes."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 64;
    keepalive_requests 1000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_buffering {buffering};
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }}
  }}
}}
"""

HAPROXY = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  option http-no-delay
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout http-request 10s
  timeout client 60s
  timeout server 60s
frontend public
  bind 127.0.0.1:{port}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
"""

CONNGUARD = """\
version: 1
listeners:
  - {{name: public, bind: "127.0.0.1:{port}"}}
upstreams:
  - {{name: origin, url: "http://127.0.0.1:{origin}"}}
routes:
  - name: all
    match: {{path: "/**"}}
    upstream: origin
admin: off
logging: {{level: error}}
workers: 1
"""


def find(program: str) -> str:
    """Daemons are in places that are not on everybody's PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise RuntimeError(f"{program} is not installed")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port: int, target: str) -> str:
    """The body of one answer, which has to be a 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", target, headers={"Host": "bench.example", "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"GET {target} on port {port}: {answer.status}")
    return body


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
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    def cpu_seconds(self) -> float:
        """User and kernel time of the process and its children, from the scheduler."""
        nanoseconds = 0
        for pid in (self.process.pid, *children_of(self.process.pid)):
            for task in Path(f"/proc/{pid}/task").iterdir():
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

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


class Proxy(Program):
    def __init__(self, name: str, port: int, command: list[str], core: int, folder: Path) -> None:
        super().__init__(command, core, folder / f"{name}.log")
        self.name, self.port = name, port

    def check(self) -> None:
        """The origin must see the same from each proxy, or they would not do the same work."""
        head = get(self.port, "/head").lower()
        for field in ("for: 127.0.0.1", "proto: http", "host: bench.example"):
            if head.count(f"x-forwarded-{field}\r\n") != 1:
                raise RuntimeError(f"{self.name} sends no X-Forwarded-{field}:\n{head}")


def start(name: str, binary: str, origin: int, core: int, folder: Path, streams: bool) -> Proxy:
    """`name` is nginx, haproxy or connguard; `binary` is connguard's."""
    port = free_port()
    buffering = "off" if streams else "on"
    words = {"port": port, "origin": origin, "folder": folder, "buffering": buffering}
    file = folder / f"{name}.conf"
    if name == "nginx":
        file.write_text(NGINX.format(**words))
        command = [find("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(file)]
    elif name == "haproxy":
        file.write_text(HAPROXY.format(**words))
        command = [find("haproxy"), "-db", "-f", str(file)]
    else:
        file.write_text(CONNGUARD.format(**words))
        command = [binary, "run", "-c", str(file)]
    proxy = Proxy(name, port, command, core, folder)
    try:
        proxy.await_port(port)
        proxy.check()
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
        version([find("nginx"), "-v"]),
        version([find("haproxy"), "-v"]),
    ]
