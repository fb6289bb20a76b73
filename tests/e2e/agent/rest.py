"""The agent's plain HTTP endpoints, for what is not a WebSocket."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse


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
    async def upload(request: Request) -> dict[str, Any]:
        digest, size = hashlib.sha256(), 0
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
        return {"bytes": size, "sha256": digest.hexdigest()}

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

    @app.delete("/teapot")
    async def teapot() -> Response:
        return Response("short and stout", 418, headers={"x-pot": "tea"})
