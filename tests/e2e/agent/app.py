"""The agent's application: the WebSocket endpoint, and what tests may ask about it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import os
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

from . import rest, streams
from .behaviour import Behaviour
from .recorder import Recorder
from .sessions import VARIANTS, VariantD

THREADS = 600  # one per running turn; more than any test has at a time


def create_app(variant: str) -> FastAPI:
    app = FastAPI()
    app.state.agent = VARIANTS[variant]()
    app.state.recorder = Recorder()
    app.state.defaults = Behaviour.from_environment()
    app.state.pool = concurrent.futures.ThreadPoolExecutor(THREADS, "turn")
    app.state.ids = itertools.count(1)
    app.state.server = None  # the uvicorn.Server, set by who runs the application

    @app.on_event("startup")
    async def bind() -> None:
        app.state.recorder.bind(asyncio.get_running_loop())

    @app.websocket("/ws")
    @app.websocket("/ws/")
    async def default_user(ws: WebSocket) -> None:
        await converse(app, ws, "user")

    @app.websocket("/ws/{user_id}")
    async def websocket(ws: WebSocket, user_id: str) -> None:
        await converse(app, ws, user_id)

    @app.websocket("/echo/{name}")
    async def echo(ws: WebSocket, name: str) -> None:
        """Sends back what comes; knows no sessions."""
        await ws.accept()
        while (message := await ws.receive())["type"] != "websocket.disconnect":
            await ws.send({**message, "type": "websocket.send"})

    add_introspection(app)
    rest.add_routes(app)
    streams.add_routes(app)
    return app


async def converse(app: FastAPI, ws: WebSocket, user: str) -> None:
    """The endpoint as tests see it: counted, its beginning and end recorded."""
    recorder: Recorder = app.state.recorder
    number = next(app.state.ids)
    recorder.handler(user, +1)
    shown = {"headers": dict(ws.headers), "query": ws.url.query}
    recorder.record(user, "open", handler=number, **shown)
    reason = "error"
    try:
        if "refuse" in ws.query_params:
            await ws.close()
            reason = "refused"
            return
        if "fail" in ws.query_params:
            raise RuntimeError("the agent fails before its answer")
        await serve(app, ws, user)
        reason = "disconnect"
    finally:
        recorder.handler(user, -1)
        recorder.record(user, "exit", handler=number, reason=reason)


async def serve(app: FastAPI, ws: WebSocket, user: str) -> None:
    """The endpoint as such a backend has it."""
    agent = app.state.agent
    session = await agent.attach(user, ws)
    try:
        offered = ws.scope.get("subprotocols") or [None]
        await ws.accept(offered[0], headers=[(b"set-cookie", b"agent=1; Path=/; HttpOnly")])
        while True:
            message = await ws.receive_json()
            await run_turn(app, session, ws, message)
    except WebSocketDisconnect as gone:
        app.state.recorder.record(user, "disconnect", code=gone.code)
        agent.disconnected(session, ws)
    finally:
        agent.left(session, ws)


async def run_turn(app: FastAPI, session: Any, ws: WebSocket, message: dict[str, Any]) -> None:
    agent, recorder, user = app.state.agent, app.state.recorder, session.user
    behaviour = app.state.defaults.override(ws.query_params).override(message)
    turn = message.get("turn")
    recorder.turn(user, +1)
    recorder.record(user, "turn_started", turn=turn)
    end = "turn_failed"
    try:
        if isinstance(agent, VariantD):
            await agent.run_async(session, message, behaviour)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(app.state.pool, agent.run, session, message, behaviour)
        end = "turn_done"
    finally:
        recorder.turn(user, -1)
        recorder.record(user, end, turn=turn)


def add_introspection(app: FastAPI) -> None:
    recorder: Recorder = app.state.recorder

    @app.get("/_state")
    async def state(user: str | None = None) -> dict[str, Any]:
        sessions = app.state.agent.sessions
        server: uvicorn.Server | None = app.state.server
        return {
            "sessions": len(sessions) if user is None else int(user in sessions),
            "handlers": recorder.handlers(user),
            "turns": recorder.turns(user),
            "threads": threading.active_count(),
            "connections": len(server.server_state.connections) if server else None,
            "descriptors": len(os.listdir("/proc/self/fd")),
        }

    @app.get("/_events")
    async def events(user: str) -> list[dict[str, Any]]:
        return recorder.events(user)

    @app.get("/_wait")
    async def wait(request: Request, user: str, event: str, count: int = 1, timeout: float = 10):
        """Answers 200 once `count` of the named events (a|b) have happened, 408 after `timeout`."""
        known = {"user", "event", "count", "timeout"}
        detail = {k: v for k, v in request.query_params.items() if k not in known}
        happened = await recorder.wait(user, set(event.split("|")), detail, count, timeout)
        return JSONResponse({"happened": happened}, 200 if happened else 408)
