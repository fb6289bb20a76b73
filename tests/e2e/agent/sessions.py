"""Sessions of an agent backend, in three generations of such code: A, B and C.

Each of them has the bug in its own way; none is a mock. D is an agent without threads, light enough
for thousands of users.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Callable, Iterator

from fastapi import WebSocket
from websockets.exceptions import ConnectionClosedOK

from .behaviour import Behaviour

log = logging.getLogger("uvicorn.error")

Message = dict[str, Any]
Send = Callable[[Message], None]


def replies(message: Message, behaviour: Behaviour) -> Iterator[Message]:
    """The messages of one turn; each names the turn and the connection that asked for it."""
    ids = {"turn": message.get("turn"), "conn": message.get("conn")}
    for n in range(behaviour.tokens):
        yield {"type": "chat_token", "content": text(n, behaviour.size), "n": n, **ids}
    if behaviour.final:
        yield {"type": "chat", "content": message.get("text"), **ids}


def text(n: int, size: int) -> str:
    """A token's characters, which tell it from others wherever it is cut."""
    return (f"{n:08x}" * (size // 8 + 1))[:size]


def pauses(behaviour: Behaviour) -> list[float]:
    """The pause before each of the messages of a turn."""
    paced = [behaviour.first] + [behaviour.pace] * max(behaviour.tokens - 1, 0)
    return paced[: behaviour.tokens] + [0.0 if behaviour.tokens else behaviour.first]


def run_turn(send: Send, message: Message, behaviour: Behaviour) -> None:
    """The agent at work, in a thread: thinks, streams tokens, answers."""
    for pause, reply in zip(pauses(behaviour), replies(message, behaviour)):
        time.sleep(pause)
        send(reply)
    time.sleep(behaviour.tail)


class Session:
    """One user's session; its socket is swapped when the user comes back."""

    def __init__(self, user: str, ws: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self.user = user
        self.ws = ws
        self._loop = loop

    def send(self, message: Message) -> None:
        """From a turn's thread: sends on the event loop and waits until it is sent."""
        asyncio.run_coroutine_threadsafe(self.ws.send_json(message), self._loop).result()


class VariantA:
    """Only WebSocketDisconnect is caught: a failed send leaves the stale socket in the session."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    async def attach(self, user: str, ws: WebSocket) -> Session:
        if user in self.sessions:
            session = self.sessions[user]
            await session.ws.close()
            session.ws = ws
        else:
            session = self.sessions[user] = Session(user, ws, asyncio.get_running_loop())
        return session

    def run(self, session: Session, message: Message, behaviour: Behaviour) -> None:
        try:
            run_turn(session.send, message, behaviour)
        except Exception as error:
            log.exception("The turn failed")
            session.send({"type": "error", "description": str(error)})

    def disconnected(self, session: Session, ws: WebSocket) -> None:
        if session.ws is ws:
            self.sessions.pop(session.user, None)

    def left(self, session: Session, ws: WebSocket) -> None:
        """Runs on the way out, whatever the reason."""


class VariantB(VariantA):
    """A failed send is tolerated when the peer had closed with 1000 or 1001; the turn goes on then,
    and what is left of it goes to the socket that the session has by that time."""

    def run(self, session: Session, message: Message, behaviour: Behaviour) -> None:
        def send(reply: Message) -> None:
            try:
                session.send(reply)
            except Exception as error:
                if not closed_well(error):
                    raise
                log.warning("The client of %s has left", session.user)

        try:
            run_turn(send, message, behaviour)
        except Exception as error:
            log.exception("The turn failed")
            send({"type": "error", "description": str(error)})


def closed_well(error: BaseException | None) -> bool:
    """True when a close with 1000 or 1001 is at the bottom of `error`."""
    while error is not None:
        if isinstance(error, ConnectionClosedOK):
            return True
        error = error.__cause__ or error.__context__
    return False


class VariantC:
    """Everything is looked up by the user's id, and on the way out the session is deleted by that
    id, whatever socket it belongs to."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}

    async def attach(self, user: str, ws: WebSocket) -> Session:
        if user in self.sessions:
            try:
                await self.sessions[user].ws.close()
            except Exception as error:
                log.warning("Closing the old socket of %s: %s", user, error)
        self.sessions[user] = Session(user, ws, asyncio.get_running_loop())
        return self.sessions[user]

    def run(self, session: Session, message: Message, behaviour: Behaviour) -> None:
        def send(reply: Message) -> None:
            current = self.sessions.get(session.user)
            if current is None:
                log.warning("No session of %s, answer dropped", session.user)
                return
            try:
                current.send(reply)
            except Exception as error:
                log.warning("Sending to %s: %s", session.user, error)

        run_turn(send, message, behaviour)

    def disconnected(self, session: Session, ws: WebSocket) -> None:
        """The way out does it all."""

    def left(self, session: Session, ws: WebSocket) -> None:
        self.sessions.pop(session.user, None)


class VariantD(VariantA):
    """As A, with turns on the event loop instead of threads."""

    async def run_async(self, session: Session, message: Message, behaviour: Behaviour) -> None:
        for pause, reply in zip(pauses(behaviour), replies(message, behaviour)):
            await asyncio.sleep(pause)
            await session.ws.send_json(reply)
        await asyncio.sleep(behaviour.tail)


VARIANTS = {"A": VariantA, "B": VariantB, "C": VariantC, "D": VariantD}
