"""Admin endpoints that say what a test wants them to say, to the live page: for what a real guard does
too rarely, or never twice in the same way."""

from __future__ import annotations

import http.server
import json
import pathlib
import queue
import threading
import urllib.parse
from typing import Any

WEB = pathlib.Path(__file__).resolve().parent.parent.parent / "proxy/admin/web"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
HISTOGRAM = {"bounds_ms": [1, 10, 100, 1000], "counts": [3, 5, 2, 1, 0]}


def session(number: int, **change: Any) -> dict[str, Any]:
    """One that is open, as the API describes it; `client_leg`, `up_leg`: other states of its legs."""
    client = change.pop("client_leg", "open")
    upstream = change.pop("up_leg", "open")
    return {
        "id": f"0:{number}", "route": "chat", "upstream": "agent", "key": f"{number:010x}",
        "epoch": 1, "client": {"address": f"10.0.0.1:{number}", "state": client, "rtt_ms": 1.5},
        "upstream_leg": {"state": upstream, "rtt_ms": None}, "state": "open",
        "turns_in_flight": 0, "age_ms": number, "state_ms": number, "fence_wait_ms": 0,
        "shield_ms": 0, "bytes_up": 1, "bytes_down": 2, "messages_up": 1, "messages_down": 1,
        "buffered_bytes": 0, "cause": None, "trace_id": None, **change,
    }  # fmt: skip


class FakeAdmin:
    """Serves the page's files and these sessions; `tell` sends an event to whoever watches."""

    def __init__(self) -> None:
        self.sessions: list[dict[str, Any]] = []
        self.token: str | None = None
        self.total: int | None = None  # said of the sessions; None: how many there are
        self.started = "2026-01-01T00:00:00.000Z"
        self.asked: list[str] = []
        self.drain: dict[str, Any] = {"state": "off", "deadline": None, "left": 0}
        self._streams: list[queue.Queue[bytes | None]] = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.hang_up()
        self._server.shutdown()
        self._server.server_close()

    @property
    def streams(self) -> int:
        """How often the page has asked for the stream of events."""
        return self.asked.count("/v1/events")

    @property
    def passes(self) -> int:
        """How often the page has begun to read all sessions."""
        return sum(path.startswith("/v1/sessions?") and "offset=0" in path for path in self.asked)

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        data = {**data, "event": kind, "at": "2026-01-01T00:00:00.000Z"}
        self.send(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode())

    def send(self, piece: bytes) -> None:
        """A piece of the stream, wherever it begins and ends."""
        for stream in list(self._streams):
            stream.put(piece)

    def hang_up(self) -> None:
        for stream in list(self._streams):
            stream.put(None)

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.asked.append(request.path)
        file = WEB / (url.path[1:] or "index.html")
        if self.token and url.path.startswith("/v1/") and not self._trusts(request):
            request.send_error(401)
        elif url.path == "/v1/events":
            self._stream(request)
        elif url.path == "/v1/overview":
            self._json(request, self._overview())
        elif url.path == "/v1/sessions":
            first = int(query["offset"])
            some = self.sessions[first : first + int(query["limit"])]
            self._json(request, {"total": self.total or len(self.sessions), "sessions": some})
        elif url.path == "/v1/keys":
            self._json(request, {"total": 0, "keys": []})
        elif file.is_file():
            self._send(request, TYPES[file.suffix], file.read_bytes())
        else:
            request.send_error(404)

    def _trusts(self, request: http.server.BaseHTTPRequestHandler) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    def _overview(self) -> dict[str, Any]:
        return {
            "version": "0", "now": "2026-01-01T00:00:00Z", "workers": 1, "uptime_s": 1,
            "connections": len(self.sessions), "fence_keys": 0, "turns_in_flight": 0,
            "buffered_bytes": 0, "tunnels": {}, "drain": self.drain, "routes": [{"name": "chat"}],
            "config": {"generation": 1, "loaded_at": "2026-01-01T00:00:00Z", "last_error": None},
            "drops": {"causes": {}}, "ping_rtt": {"client": HISTOGRAM, "upstream": HISTOGRAM},
            "shield": HISTOGRAM,
        }  # fmt: skip

    def _json(self, request: http.server.BaseHTTPRequestHandler, value: Any) -> None:
        self._send(request, "application/json", json.dumps(value).encode())

    def _send(self, request: http.server.BaseHTTPRequestHandler, kind: str, body: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Security-Policy", "default-src 'self'")
        request.end_headers()
        request.wfile.write(body)

    def _stream(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream")
        request.end_headers()
        pieces: queue.Queue[bytes | None] = queue.Queue()
        hello = {"version": "0", "started_at": self.started}
        pieces.put(f"event: hello\ndata: {json.dumps(hello)}\n\n".encode())
        self._streams.append(pieces)
        try:
            while (piece := pieces.get()) is not None:
                request.wfile.write(piece)
                request.wfile.flush()
        except OSError:
            pass
        finally:
            self._streams.remove(pieces)
