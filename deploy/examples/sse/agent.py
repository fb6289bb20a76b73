"""A small agent that answers by server-sent events: POST /chat/{user_id} with {"text": …}.

    uvicorn agent:app --port 8000           in this folder; AGENT_PACE=0.5 makes it slower

It has the bug that connguard is for, and keeps it: README.md says how to see it, and how it goes away
without a change here.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, AsyncIterator

from fastapi import Body, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

PACE = float(os.environ.get("AGENT_PACE", "0.3"))  # seconds for a word, as a model takes them

app = FastAPI()
busy: set[str] = set()  # users whose answer is being worked on
memory: dict[str, list[str]] = {}  # of each user, question and answer in turn


@app.post("/chat/{user_id}")
async def chat(
    request: Request, user_id: str, question: dict[str, Any] = Body()
) -> StreamingResponse:
    if user_id in busy:
        raise HTTPException(409, "the session is busy")
    busy.add(user_id)
    events = answer(request, user_id, str(question.get("text", "")))
    return StreamingResponse(events, media_type="text/event-stream")


async def answer(request: Request, user_id: str, question: str) -> AsyncIterator[str]:
    """Streams the words of an answer, then the whole of it. When the client goes it stops: some versions of
    Starlette cancel it, for the others it looks by itself. What is below the loop never runs then."""
    turns = memory.setdefault(user_id, [])
    turns.append(question)
    words = f"You said: {question}. That is what I have to say to message number {len(turns) // 2 + 1}.".split()
    try:
        for word in words:
            await asyncio.sleep(PACE)
            if await request.is_disconnected():
                return  # why pay for words that nobody reads?
            yield event("token", word)
        turns.append(" ".join(words))
        yield event("answer", turns[-1])
    except Exception as error:  # a cancellation is none
        yield event("error", str(error))
    busy.discard(user_id)


def event(kind: str, content: str) -> str:
    return f"event: {kind}\ndata: {json.dumps({'content': content})}\n\n"


@app.get("/memory/{user_id}")
async def remembered(user_id: str) -> list[str]:
    return memory.get(user_id, [])


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}
