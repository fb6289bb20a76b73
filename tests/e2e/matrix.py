"""The drop matrix: how a client leaves × when × how it comes back. One cell, one user."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import itertools
import ssl
import time
from typing import Any

from httpclient import Agent
from wsclient import Client, Closed, Drop, Refused

TURN = {"tokens": 10, "pace": 0.05}  # the turn that is dropped
FRESH = {"tokens": 4, "pace": 0.03}  # the turn after the reconnect
THINKING = 0.4  # before the first token, where that matters
TAIL = 0.02  # what a handler does after its final message; below turn.linger + session.settle
HELD = 0.1  # how long a handshake that should be held is watched


class Moment(enum.Enum):
    IDLE = "idle"
    FIRST_TOKEN = "before-the-first-token"
    STREAM = "mid-stream"
    FINAL = "after-the-final-message"
    HELD = "held-handshake"


class Return(enum.Enum):
    AT_ONCE = "at-once"
    SOON = "in-0.3s"
    AFTER_TURN = "after-the-turn"
    RACE = "two-racing"


@dataclasses.dataclass(frozen=True)
class Cell:
    drop: Drop
    moment: Moment
    back: Return

    def __str__(self) -> str:
        return f"{self.moment.value} × {self.drop.value} × {self.back.value}"


CELLS = [Cell(*combination) for combination in itertools.product(Drop, Moment, Return)]


@dataclasses.dataclass
class Target:
    """Where clients connect to, and the agent behind it (the same port when there is no guard)."""

    port: int
    agent: Agent
    guarded: bool
    patience: float  # seconds for a handshake or a turn
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        return "through the guard" if self.guarded else "straight at the backend"


class Run:
    """One cell against one target. `problems` is empty when all is well."""

    def __init__(self, target: Target, cell: Cell, user: str) -> None:
        self.target, self.cell, self.user = target, cell, user
        self.problems: list[str] = []
        self.clients: dict[str, Client] = {}
        self.turn_id = ""
        self._story: list[str] = []
        self._start = time.monotonic()

    def tell(self, text: str) -> None:
        self._story.append(f"  {time.monotonic() - self._start:7.3f} {text}")

    def problem(self, text: str) -> None:
        self.tell("PROBLEM " + text)
        self.problems.append(text)

    async def story(self) -> str:
        """What the clients saw, then what the agent saw."""
        head = f"{self.cell} ({self.user}, {self.target.name}): {'; '.join(self.problems)}"
        events = await self.target.agent.events(self.user)
        first = self._start
        lines = [f"  {e['at'] - first:7.3f} agent: {e['name']} {e['detail']}" for e in events]
        return "\n".join([head, *sorted(self._story + lines)])

    async def run(self) -> "Run":
        self._start = time.monotonic()
        try:
            await self._drop()
            await self._pause()
            await self._come_back()
        except Exception as error:  # the story tells it; other cells go on
            self.problem(f"{type(error).__name__}: {error}")
        await self._leave()
        for name, client in self.clients.items():
            if client.wrong:
                self.problem(f"{name} got {len(client.wrong)} answers of another connection")
        return self

    # The drop.

    async def _connect(self, name: str) -> Client:
        client = await Client.connect(
            self.target.port,
            f"/ws/{self.user}",
            timeout=self.target.patience,
            tls=self.target.tls,
        )
        self.clients[name] = client
        self.tell(f"{name} is connected")
        return client

    async def _drop(self) -> None:
        first = await self._connect("first")
        moment = self.cell.moment
        leaving = first
        if moment is Moment.IDLE:
            messages = await first.turn(self.target.patience, tokens=1, pace=0)
            await self.target.agent.wait(self.user, "turn_done", turn=messages[-1]["turn"])
        elif moment is Moment.FIRST_TOKEN:
            self.turn_id = await first.start(**TURN, first=THINKING)
            await self.target.agent.wait(self.user, "turn_started", turn=self.turn_id)
        elif moment is Moment.FINAL:
            self.turn_id = await first.start(tokens=3, pace=0.02, tail=TAIL)
            await asyncio.wait_for(first.finish(self.turn_id), self.target.patience)
        else:
            self.turn_id = await first.start(**TURN)
            for _ in range(3):
                await asyncio.wait_for(first.message(), self.target.patience)
        if moment is Moment.HELD:
            await first.drop(Drop.RST)
            self.tell("first is dropped by rst in mid-stream")
            leaving = await self._open_held()
        await leaving.drop(self.cell.drop)
        self.tell(f"dropped by {self.cell.drop.value}")

    async def _open_held(self) -> Client:
        """A client whose handshake the guard holds, as the old session is not yet over."""
        held = await Client.open(self.target.port, f"/ws/{self.user}", tls=self.target.tls)
        self.clients["held"] = held
        done = await held.hears(HELD)
        if done and self.target.guarded:
            self.problem("the handshake was answered while the old session was not over")
        self.tell("held: " + ("answered" if done else "no answer yet"))
        return held

    # The reconnect.

    async def _pause(self) -> None:
        if self.cell.back is Return.SOON:
            await asyncio.sleep(0.3)
        elif self.cell.back is Return.AFTER_TURN:
            if self.turn_id:
                ended = "turn_done|turn_failed"
                await self.target.agent.wait(self.user, ended, timeout=5, turn=self.turn_id)
            else:
                await self.target.agent.wait(self.user, "exit", timeout=1)

    async def _come_back(self) -> None:
        racing = self.cell.back is Return.RACE
        names = ["new-1", "new-2"] if racing else ["new"]
        outcomes = await asyncio.gather(*(self._attempt(name) for name in names))
        alive = [client for client in outcomes if client]
        for client in list(alive):  # once more: who was superseded after its turn learns it here
            if not await self._works(client, "still"):
                alive.remove(client)
        if len(alive) != 1 and not self.problems:
            self.problem(f"{len(alive)} of {len(names)} reconnects work in the end")

    async def _attempt(self, name: str) -> Client | None:
        try:
            client = await self._connect(name)
        except Refused as refusal:
            self._lost(f"{name}: reconnect refused: {refusal}", refusal.status == 409)
            return None
        except (Closed, asyncio.TimeoutError, OSError) as error:
            self._lost(f"{name}: reconnect failed: {type(error).__name__} {error}", False)
            return None
        return client if await self._works(client, name) else None

    async def _works(self, client: Client, name: str) -> bool:
        try:
            await client.turn(self.target.patience, **FRESH)
        except Closed as closed:
            self._lost(f"{name}: {closed} in the fresh turn", closed.code == 4409)
            return False
        except asyncio.TimeoutError:
            self._lost(f"{name}: deaf: no answer to the fresh turn", False)
            return False
        except OSError as error:
            self._lost(f"{name}: {error} in the fresh turn", False)
            return False
        self.tell(f"{name}: a whole turn")
        return True

    def _lost(self, text: str, superseded: bool) -> None:
        """An attempt failed. Of two racing ones the guard must refuse one by the book; the bare
        backend may do it as it likes, as long as the other one works."""
        racing = self.cell.back is Return.RACE
        if racing and (superseded or not self.target.guarded):
            self.tell(text)
        else:
            self.problem(text)

    # The end.

    async def _leave(self) -> None:
        dropped = {"first", "held"} & self.clients.keys()
        for name in self.clients.keys() - dropped:
            try:
                code = await self.clients[name].close(1000, timeout=self.target.patience)
                self.tell(f"{name} closed: {code}")
            except (asyncio.TimeoutError, OSError) as error:
                self.problem(f"{name}: no end of the closing handshake: {type(error).__name__}")
            finally:
                self.clients[name].abort()
        for name in dropped:
            await self._bury(name)
        if self.target.guarded:
            state = await self.target.agent.empty(self.user)
            if state["sessions"] or state["handlers"] or state["turns"]:
                self.problem(f"left over in the backend: {state}")

    async def _bury(self, name: str) -> None:
        client = self.clients[name]
        stalled = self.cell.drop is Drop.STALL and client.sock.fileno() >= 0
        if self.target.guarded and stalled:
            ended = await client.read_again(self.target.patience)
            if client.status != 409 and client.close_code not in (4409, None):
                self.problem(f"{name} stalled and finds Close {client.close_code}")
        else:
            ended = await client.bury(self.target.patience if self.target.guarded else 0)
        client.abort()
        if self.target.guarded and not ended:
            self.problem(f"the guard did not end the connection of {name}")


async def run_cells(target: Target, cells: list[Cell], tag: str, concurrency: int) -> list[Run]:
    gate = asyncio.Semaphore(concurrency)

    async def one(number: int, cell: Cell) -> Run:
        async with gate:
            return await Run(target, cell, f"{tag}-{number}").run()

    return await asyncio.gather(*(one(number, cell) for number, cell in enumerate(cells)))


def failures_by_moment(runs: list[Run]) -> dict[str, int]:
    counts: dict[str, Any] = {moment.value: 0 for moment in Moment}
    for run in runs:
        counts[run.cell.moment.value] += bool(run.problems)
    return counts
