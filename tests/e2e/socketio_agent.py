"""An agent on Socket.IO that treats its sessions as Chainlit does: found again by the id that the client
sends along, moved to the newest socket, ended by the end of the socket that they have.

    uvicorn socketio_agent:app; GET /events tells what happened.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import socketio

TOKENS = 12
PACE = 0.1

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
sockets: dict[str, str] = {}  # of each session
answering: set[str] = set()  # sessions
events: list[str] = []
tasks: set[asyncio.Task] = set()


@sio.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
    sockets[auth["sessionId"]] = sid


@sio.event
async def disconnect(sid: str, *reason: Any) -> None:
    for session, socket in sockets.items():
        if socket == sid:
            events.append("chat_end in mid-answer" if session in answering else "chat_end")


@sio.event
async def client_message(sid: str, text: str) -> None:
    session = next(session for session, socket in sockets.items() if socket == sid)
    tasks.add(asyncio.create_task(answer(session)))


async def answer(session: str) -> None:
    answering.add(session)
    for n in range(TOKENS):
        await asyncio.sleep(PACE)
        await sio.emit("stream_token", n, to=sockets[session])
    answering.discard(session)
    events.append("answered")


async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(events).encode()})


app = socketio.ASGIApp(sio, other_asgi_app=page, socketio_path="ws/socket.io")
