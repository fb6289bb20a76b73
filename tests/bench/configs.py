"""Configurations that ask the same work of each proxy."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


def most_tunnels() -> int:
    """A proxy has two descriptors for each tunnel, and needs some for itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min((hard - 60) // 2, 50_000)


@dataclass(frozen=True)
class Setup:
    """A proxy as it is measured."""

    label: str  # in tables
    program: str  # nginx, haproxy, caddy, connguard or relay
    websocket: bool = False
    tls: bool = False  # to the client
    streams: bool = False  # what comes is passed on at once
    turn: str = ""  # connguard's keys of a turn; none: the default profile


NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $upgrades {{ default upgrade; "" ""; }}
  upstream origin {{
    server 127.0.0.1:{origin};
    keepalive 64;
    keepalive_requests 1000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096{tls};
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_buffering {buffering};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
{upgrade}
    }}
  }}
}}
"""

NGINX_TLS = """ ssl;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.3"""

NGINX_PLAIN = '      proxy_set_header Connection "";'

# The buffers of a tunnel are of proxy_buffer_size, which would be 4 KiB.
NGINX_UPGRADE = """\
      proxy_set_header Connection $upgrades;
      proxy_set_header Upgrade $http_upgrade;
      proxy_buffer_size 16k;
      proxy_buffers 8 16k;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;"""

HAPROXY = """\
global
  nbthread 1
  maxconn {connections}
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
  timeout tunnel 1h
frontend public
  bind 127.0.0.1:{port} backlog 4096{tls}
  http-request set-header X-Forwarded-Proto {scheme}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
"""

HAPROXY_TLS = " ssl crt {folder}/both.pem ssl-min-ver TLSv1.3"

# Sends the X-Forwarded fields by itself. Clients name no server: the certificate's name is the default.
CADDY = """\
{{
  admin off
  auto_https off
  default_sni bench.example
  log {{
    level ERROR
  }}
  servers {{
    protocols h1
  }}
}}
{scheme}://:{port} {{
  bind 127.0.0.1
{tls}
  reverse_proxy 127.0.0.1:{origin}
}}
"""

CADDY_TLS = """\
  tls {folder}/cert.pem {folder}/key.pem {{
    protocols tls1.3
  }}
"""

CONNGUARD = """\
version: 1
listeners:
  - name: public
    bind: "127.0.0.1:{port}"
{tls}
upstreams:
  - {{name: origin, url: "http://127.0.0.1:{origin}"}}
routes:
{tunnels}
  - name: all
    match: {{path: "/**"}}
    upstream: origin
limits: {{connections: {connections}}}
admin: off
logging: {{level: error}}
workers: 1
"""

CONNGUARD_TLS = """\
    tls:
      certificates: [{{chain: {folder}/cert.pem, key: {folder}/key.pem}}]
      min_version: "1.3"
"""

# Every client of the generator has a path, and so a key and a fence, of its own.
CONNGUARD_TUNNELS = """\
  - name: tunnels
    match: {{path: "/ws/{{user}}"}}
    upstream: origin
    session: {{key: "{{path.user}}"}}
    {turn}
"""


def find(program: str) -> str:
    """Daemons are in places that are not on everybody's PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise RuntimeError(f"{program} is not installed")
    return path


def make_certificate(folder: Path) -> None:
    """cert.pem, key.pem, and both.pem, as HAProxy wants it: of this run, signed by itself."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=bench.example"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)
    both = folder / "both.pem"
    both.touch(mode=0o600)
    both.write_text(certificate.read_text() + key.read_text())


def nginx(setup: Setup, words: dict) -> tuple[str, list[str]]:
    words["tls"] = NGINX_TLS.format(**words) if setup.tls else ""
    words["upgrade"] = NGINX_UPGRADE if setup.websocket else NGINX_PLAIN
    words["buffering"] = "off" if setup.streams else "on"
    # Both sides count, and waiting clients are hung up on when a sixteenth is left.
    words["connections"] = words["connections"] * 9 // 4
    folder = str(words["folder"])
    return NGINX.format(**words), [find("nginx"), "-p", folder, "-e", "stderr", "-c"]


def haproxy(setup: Setup, words: dict) -> tuple[str, list[str]]:
    words["tls"] = HAPROXY_TLS.format(**words) if setup.tls else ""
    words["scheme"] = "https" if setup.tls else "http"
    return HAPROXY.format(**words), [find("haproxy"), "-db", "-f"]


def caddy(setup: Setup, words: dict) -> tuple[str, list[str]]:
    words["tls"] = CADDY_TLS.format(**words) if setup.tls else ""
    words["scheme"] = "https" if setup.tls else "http"
    # It would write into the home of who measures.
    homes = [f"{name}={words['folder']}" for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")]
    command = ["env", *homes, find("caddy"), "run", "--adapter", "caddyfile", "--config"]
    return CADDY.format(**words), command


def connguard(setup: Setup, words: dict) -> tuple[str, list[str]]:
    words["tls"] = CONNGUARD_TLS.format(**words) if setup.tls else ""
    turn = f"turn: {setup.turn}" if setup.turn else ""
    words["tunnels"] = CONNGUARD_TUNNELS.format(turn=turn) if setup.websocket else ""
    return CONNGUARD.format(**words), [words["binary"], "run", "-c"]


def command_of(setup: Setup, file: Path, **words) -> list[str]:
    """Writes the file. `words`: binary (connguard's), folder, port, origin (a port)."""
    words["connections"] = most_tunnels() if setup.websocket else 2048
    make = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy, "connguard": connguard}[setup.program]
    text, command = make(setup, words)
    file.write_text(text)
    return [*command, str(file)]
