"""What happened in the agent, for tests: they wait for conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import threading
import time
from typing import Any


@dataclasses.dataclass
class Event:
    at: float
    user: str
    name: str
    detail: dict[str, Any]


class Recorder:
    """Remembers events per user and wakes those who wait for one.

    `record` may be called from any thread; everything else runs on the event loop.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._events: dict[str, list[Event]] = collections.defaultdict(list)
        self._waiters: dict[str, set[asyncio.Future]] = collections.defaultdict(set)
        self._handlers: collections.Counter[str] = collections.Counter()
        self._turns: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()  # of the counters only

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def record(self, user: str, name: str, **detail: Any) -> None:
        event = Event(time.monotonic(), user, name, detail)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._append, event)

    def _append(self, event: Event) -> None:
        self._events[event.user].append(event)
        for waiter in self._waiters.pop(event.user, ()):
            if not waiter.done():
                waiter.set_result(None)

    def handler(self, user: str, step: int) -> None:
        with self._lock:
            self._handlers[user] += step

    def turn(self, user: str, step: int) -> None:
        with self._lock:
            self._turns[user] += step

    def handlers(self, user: str | None = None) -> int:
        with self._lock:
            return self._handlers.total() if user is None else self._handlers[user]

    def turns(self, user: str | None = None) -> int:
        with self._lock:
            return self._turns.total() if user is None else self._turns[user]

    def events(self, user: str) -> list[dict[str, Any]]:
        return [dataclasses.asdict(event) for event in self._events.get(user, ())]

    def count(self, user: str, names: set[str], detail: dict[str, str]) -> int:
        return sum(
            event.name in names and detail.items() <= event.detail.items()
            for event in self._events.get(user, ())
        )

    async def wait(
        self, user: str, names: set[str], detail: dict[str, str], count: int, timeout: float
    ) -> bool:
        """True once `count` such events have happened, False after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.count(user, names, detail) < count:
            future = asyncio.get_running_loop().create_future()
            self._waiters[user].add(future)
            try:
                await asyncio.wait_for(future, deadline - time.monotonic())
            except asyncio.TimeoutError:
                return False
        return True
