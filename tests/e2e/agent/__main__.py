"""Runs the agent: python3 -m agent --variant A --ws websockets --port 1865."""

from __future__ import annotations

import argparse
import threading
import time

import uvicorn

from .app import create_app


def burn(until: float) -> None:
    """Keeps the interpreter busy, as a model that computes beside the event loop does."""
    while time.monotonic() < until:
        sum(range(10_000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices="ABCD", default="A")
    parser.add_argument("--ws", choices=["websockets", "wsproto"], default="websockets")
    parser.add_argument("--http", choices=["h11", "httptools"], default="h11")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1865)
    parser.add_argument("--ws-ping-interval", type=float, default=20.0)
    parser.add_argument("--ws-ping-timeout", type=float, default=20.0)
    parser.add_argument("--timeout-keep-alive", type=float, default=5.0)
    parser.add_argument("--certificate", help="chain in PEM: serve https")
    parser.add_argument("--key", help="of the certificate")
    parser.add_argument("--burn", type=int, default=0, help="threads that saturate the CPU")
    args = parser.parse_args()

    app = create_app(args.variant)
    config = uvicorn.Config(
        app,
        host=args.host,
        port=args.port,
        http=args.http,
        ws=args.ws,
        ws_ping_interval=args.ws_ping_interval,
        ws_ping_timeout=args.ws_ping_timeout,
        timeout_keep_alive=args.timeout_keep_alive,
        ssl_certfile=args.certificate,
        ssl_keyfile=args.key,
        proxy_headers=False,  # request.client is to be who connected: tests count connections by it
        log_level="info",
        use_colors=False,
    )
    app.state.server = uvicorn.Server(config)
    for _ in range(args.burn):
        threading.Thread(target=burn, args=(float("inf"),), daemon=True).start()
    app.state.server.run()


if __name__ == "__main__":
    main()
