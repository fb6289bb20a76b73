"""Measures how often a close right behind the final message breaks the next session, by
turn.linger, session.settle and the barrier, with and without a busy backend. For the decision on
the defaults.

    python3 tests/e2e/measure_settle.py [--tries 200] [--variants A,B,C] [--tail 20] [--full]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import pathlib
import tempfile
import time

from guardconfig import CAT, guard_config
from httpclient import Agent
from processes import AgentServer, GuardServer
from wsclient import Client, Closed, Drop, Refused

LINGERS = (0, 20, 50, 100)
SETTLES = (0, 50, 100)
USERS = 10  # at a time
COLUMNS = (
    "variant", "ws        ", "backend", "tail ms", "linger ms", "settle ms", "barrier", "failed",
    "log lines", "tries", "seconds",
)  # fmt: skip


def row(*cells: object) -> None:
    padded = (f"{cell:{len(name)}}" for cell, name in zip(cells, COLUMNS))
    print("| " + " | ".join(padded) + " |", flush=True)


async def one_try(port: int, agent: Agent, user: str, tail: float) -> str | None:
    """Drops right behind the final message and reconnects at once; says what went wrong."""
    try:
        first = await Client.connect(port, f"/ws/{user}")
        await first.turn(tokens=2, pace=0.005, tail=tail)
        await first.drop(Drop.CLOSE_1000)
        second = await Client.connect(port, f"/ws/{user}")
    except (Refused, Closed, asyncio.TimeoutError) as error:
        return f"reconnect: {error}"
    try:
        # Longer than a late exit of the old handler takes: it would make this session deaf.
        await second.turn(timeout=5, tokens=4, pace=0.02)
        await second.close()
        await first.bury()
        state = await agent.empty(user, timeout=5)
    except (Closed, asyncio.TimeoutError) as error:
        return f"deaf: {type(error).__name__} {error}"
    if second.wrong or first.wrong:
        return "an answer on the wrong socket"
    return "a session was left over" if state["sessions"] else None


async def tries(port: int, agent: Agent, count: int, tag: str, tail: float) -> int:
    gate = asyncio.Semaphore(USERS)

    async def run(number: int) -> bool:
        async with gate:
            return await one_try(port, agent, f"{tag}-{number}", tail) is not None

    return sum(await asyncio.gather(*(run(number) for number in range(count))))


def measure(variant: str, ws: str, busy: bool, tail_ms: int, count: int, full: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        agent_server = AgentServer(directory, variant, ws, ("--burn", "2") if busy else ())
        try:
            for linger, settle, barrier in itertools.product(LINGERS, SETTLES, (False, True)):
                if not full and linger not in (0, 50) and settle != 0:
                    continue
                text = guard_config(
                    agent_server.port,
                    settle=f"{settle}ms",
                    barrier=barrier,
                    turn=CAT.replace("linger: 50ms", f"linger: {linger}ms"),
                )
                guard = GuardServer(directory, text)
                before, start = len(agent_server.trouble()), time.monotonic()
                try:
                    tag = f"{linger}-{settle}-{barrier}"
                    agent = Agent(agent_server.port)
                    failed = asyncio.run(tries(guard.port, agent, count, tag, tail_ms / 1000))
                finally:
                    guard.stop()
                trouble = len(agent_server.trouble()) - before
                setting = tail_ms, linger, settle, "on" if barrier else "off"
                seconds = f"{time.monotonic() - start:.1f}"
                load = "busy" if busy else "calm"
                row(variant, ws, load, *setting, failed, trouble, count, seconds)
        finally:
            agent_server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--variants", default="A,B,C")
    parser.add_argument("--ws", default="websockets,wsproto")
    parser.add_argument("--load", default="calm,busy")
    parser.add_argument("--tail", type=int, default=0, help="ms between final message and return")
    parser.add_argument("--full", action="store_true", help="every linger with every settle")
    args = parser.parse_args()
    row(*COLUMNS)
    row(*("-" * len(name) for name in COLUMNS))
    for variant, ws, load in itertools.product(
        args.variants.split(","), args.ws.split(","), args.load.split(",")
    ):
        measure(variant, ws, load == "busy", args.tail, args.tries, args.full)


if __name__ == "__main__":
    main()
