"""A small agent of the usual kind: one session per user, tied to one WebSocket.

    uvicorn agent:app --port 8000           in this folder; AGENT_PACE=0.5 makes it slower

It has the bug that connguard is for, and keeps it: README.md says how to see it, and how it goes away
without a change here.
"""

from __future__ import annotations

import asyncio
import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

PACE = float(os.environ.get("AGENT_PACE", "0.3"))  # seconds for a word, as a model takes them

app = FastAPI()
sockets: dict[str, WebSocket] = {}  # of each user who is here
memory: dict[str, list[str]] = {}  # of each user, the answers so far


@app.websocket("/ws/{user_id}")
async def chat(ws: WebSocket, user_id: str) -> None:
    if user_id in sockets:
        await sockets[user_id].close()  # a user has one socket, the newest
    sockets[user_id] = ws
    await ws.accept()
    try:
        while True:
            question = await ws.receive_json()
            await answer(user_id, str(question.get("text", "")))
    except WebSocketDisconnect:
        if sockets.get(user_id) is ws:
            del sockets[user_id]


async def answer(user_id: str, question: str) -> None:
    """Streams the words of an answer, then the whole of it."""
    answers = memory.setdefault(user_id, [])
    words = f"You said: {question}. That is what I have to say to message number {len(answers) + 1}.".split()
    try:
        for word in words:
            await asyncio.sleep(PACE)
            await sockets[user_id].send_json({"type": "token", "content": word})
        answers.append(" ".join(words))
        await sockets[user_id].send_json({"type": "answer", "content": answers[-1]})
    except Exception as error:  # the model has failed, or so the author thought
        await sockets[user_id].send_json({"type": "error", "content": str(error)})


@app.get("/memory/{user_id}")
async def remembered(user_id: str) -> list[str]:
    return memory.get(user_id, [])


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
