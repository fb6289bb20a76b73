"""The agent's plain HTTP endpoints, for what is not a WebSocket."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
import re
from typing import Any, AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

FILE = random.Random(1).randbytes(100_000)
ETAG = '"noise"'
GZIPPED = gzip.compress(b"a body that the agent has compressed itself\n" * 500, mtime=0)


class Shout(Response):
    """Answers each piece of the request as it comes.

    Not a StreamingResponse: that one reads the request too, to learn of a disconnect.
    """

    async def __call__(self, scope, receive, send) -> None:
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            piece = message.get("body", b"").upper()
            await send({"type": "http.response.body", "body": piece, "more_body": more})


def add_routes(app: FastAPI) -> None:
    @app.get("/")
    async def root() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        body = await request.body()
        content_type = request.headers.get("content-type", "application/octet-stream")
        return Response(body, media_type=content_type, headers={"x-echo": str(len(body))})

    @app.get("/headers")
    async def headers(request: Request) -> dict[str, Any]:
        return {
            "target": request.scope["raw_path"].decode() + "?" + request.url.query,
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in request.headers.raw],
        }

    @app.put("/upload")
    @app.post("/upload")
    async def upload(request: Request, response: Response, user: str = "") -> dict[str, Any]:
        """`user` names it in the recorder; the header tells how the length was given."""
        recorder = app.state.recorder
        digest, size = hashlib.sha256(), 0
        recorder.record(user, "upload_started")
        try:
            async for chunk in request.stream():
                digest.update(chunk)
                size += len(chunk)
        except ClientDisconnect:
            recorder.record(user, "upload_broken", bytes=size)
            raise
        recorder.record(user, "upload_done", bytes=size)
        framing = {"content-length", "transfer-encoding"}.intersection(request.headers)
        response.headers["x-framing"] = ",".join(framing)
        return {"bytes": size, "sha256": digest.hexdigest()}

    @app.post("/refuse")
    async def refuse() -> Response:
        """Answers without having read the request's body."""
        return Response("no", 413, headers={"connection": "close"})

    @app.get("/sse")
    async def server_sent_events(count: int = 3, pace: float = 0.05) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            for n in range(count):
                if n:
                    await asyncio.sleep(pace)
                yield f"data: {n}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    @app.post("/shout")
    async def shout() -> Response:
        return Shout()

    @app.get("/connection")
    @app.post("/connection")
    async def connection(request: Request) -> dict[str, int]:
        """Tells connections apart: the port that this one comes from."""
        return {"port": request.client.port}

    @app.get("/gzip")
    async def gzipped() -> Response:
        return Response(GZIPPED, media_type="text/plain", headers={"content-encoding": "gzip"})

    @app.get("/file")
    @app.head("/file")
    async def file(request: Request, length: bool = False) -> Response:
        """Knows If-None-Match and one Range; a 304 tells the file's length if it is asked to."""
        headers = {"etag": ETAG, "accept-ranges": "bytes"}
        if request.headers.get("if-none-match") == ETAG:
            if length:
                headers["content-length"] = str(len(FILE))
            return Response(None, 304, headers)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if wanted:
            first, last = int(wanted[1]), int(wanted[2])
            headers["content-range"] = f"bytes {first}-{last}/{len(FILE)}"
            return Response(FILE[first : last + 1], 206, headers)
        return Response(FILE, 200, headers, "application/octet-stream")

    @app.delete("/file")
    async def delete() -> Response:
        return Response(None, 204)

    @app.delete("/teapot")
    async def teapot() -> Response:
        return Response("short and stout", 418, headers={"x-pot": "tea"})
