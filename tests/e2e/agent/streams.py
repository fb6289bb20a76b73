"""The agent's streamed answers. A gate holds each behind its first piece, until a test opens it.

What becomes of one is recorded: stream_started, then stream_done or stream_cancelled; a POST's
`question` comes first.
"""

from __future__ import annotations

import asyncio
import collections
import json
import pathlib
from typing import AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.responses import StreamingResponse as StarletteStreaming

PAGE = pathlib.Path(__file__).with_name("page.html")
BLOCK = bytes(256 * 1024)


class StreamingResponse(StarletteStreaming):
    """Learns of its client's end at once, also while it is silent.

    Starlette listened for that up to ASGI 2.3; from 2.4 on it waits for its next piece to fail.
    """

    async def __call__(self, scope, receive, send) -> None:
        asgi = {**scope.get("asgi", {}), "spec_version": "2.3"}
        await super().__call__({**scope, "asgi": asgi}, receive, send)


def add_routes(app: FastAPI) -> None:
    recorder = app.state.recorder
    gates: dict[str, asyncio.Event] = collections.defaultdict(asyncio.Event)
    produced: collections.Counter[str] = collections.Counter()

    async def recorded(
        pieces: AsyncIterator[str | bytes], user: str, gate: str
    ) -> AsyncIterator[str | bytes]:
        recorder.turn(user, +1)
        recorder.record(user, "stream_started", gate=gate)
        end = "stream_cancelled"
        try:
            async for piece in pieces:
                yield piece
            end = "stream_done"
        finally:
            recorder.turn(user, -1)
            recorder.record(user, end, gate=gate)

    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text())

    @app.post("/gate/{gate}/open")
    async def open_gate(gate: str) -> dict[str, str]:
        gates[gate].set()
        return {"open": gate}

    @app.get("/events/{gate}")
    async def events(gate: str) -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "id: 1\ndata: first\n\n"
            await gates[gate].wait()
            yield "id: 2\ndata: second\n\n"

        return StreamingResponse(recorded(pieces(), gate, gate), media_type="text/event-stream")

    @app.post("/answers/{gate}")
    async def answer(
        request: Request, gate: str, tokens: int = 0, pace: float = 0.01
    ) -> StreamingResponse:
        """Says the question, and behind the gate `tokens` numbers and a last word: JSON lines."""
        user = request.headers.get("x-user", gate)
        recorder.record(user, "question", gate=gate)
        question = (await request.body()).decode()

        async def pieces() -> AsyncIterator[str]:
            yield json.dumps({"question": question}) + "\n"
            await gates[gate].wait()
            for n in range(tokens):
                yield json.dumps({"token": n}) + "\n"
                await asyncio.sleep(pace)
            yield json.dumps({"last": gate}) + "\n"

        return StreamingResponse(recorded(pieces(), user, gate), media_type="application/x-ndjson")

    @app.get("/answers/{gate}")
    async def is_open(gate: str) -> dict[str, bool]:
        return {"open": gates[gate].is_set()}

    @app.get("/thinking/{gate}")
    async def thinking(request: Request, gate: str) -> Response:
        """Has not begun its answer when its client goes away."""
        recorder.record(gate, "stream_started", gate=gate)
        while not gates[gate].is_set():
            if await request.is_disconnected():
                recorder.record(gate, "stream_cancelled", gate=gate)
                break
            await asyncio.sleep(0.01)
        return Response("thought")

    @app.get("/bulk/{name}")
    async def bulk(name: str, size: int) -> StreamingResponse:
        """`size` bytes as fast as they are taken; /produced/{name} counts them."""

        async def pieces() -> AsyncIterator[bytes]:
            while produced[name] < size:
                piece = BLOCK[: size - produced[name]]
                produced[name] += len(piece)
                yield piece

        return StreamingResponse(recorded(pieces(), name, name), media_type="application/x-bulk")

    @app.get("/produced/{name}")
    async def produced_bytes(name: str) -> int:
        return produced[name]

    @app.put("/discard/{gate}")
    async def discard(request: Request, gate: str, closed: bool = False) -> int:
        """Counts an upload; a closed gate keeps it from reading."""
        if closed:
            await gates[gate].wait()
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        return size

    @app.get("/broken")
    async def broken(length: bool = False) -> StreamingResponse:
        """Fails in the middle of its answer."""

        async def pieces() -> AsyncIterator[str]:
            yield "half of it"
            raise RuntimeError("the agent fails in its answer")

        headers = {"content-length": "20"} if length else {}
        return StreamingResponse(pieces(), media_type="text/plain", headers=headers)
