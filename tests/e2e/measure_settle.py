"""Measures how often a close right behind the final message breaks the next session, by turn.linger,
session.settle and the barrier, with and without a busy backend. For the decision on the defaults.

    python3 tests/e2e/measure_settle.py [--tries 200] [--variants A,B,C] [--full]
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


async def one_try(port: int, agent: Agent, user: str) -> str | None:
    """Drops right behind the final message and reconnects at once; says what went wrong."""
    try:
        first = await Client.connect(port, f"/ws/{user}")
        await first.turn(tokens=2, pace=0.005)
        await first.drop(Drop.CLOSE_1000)
        second = await Client.connect(port, f"/ws/{user}")
    except (Refused, Closed, asyncio.TimeoutError) as error:
        return f"reconnect: {error}"
    try:
        # Longer than a late exit of the old handler takes: it would make this session deaf.
        await second.turn(timeout=10, tokens=4, pace=0.02)
        await second.close()
        await first.bury()
        state = await agent.empty(user, timeout=5)
    except (Closed, asyncio.TimeoutError) as error:
        return f"deaf: {type(error).__name__} {error}"
    if second.wrong or first.wrong:
        return "an answer on the wrong socket"
    return "a session was left over" if state["sessions"] else None


async def tries(port: int, agent: Agent, count: int, tag: str) -> int:
    gate = asyncio.Semaphore(USERS)

    async def run(number: int) -> bool:
        async with gate:
            return await one_try(port, agent, f"{tag}-{number}") is not None

    return sum(await asyncio.gather(*(run(number) for number in range(count))))


def measure(variant: str, ws: str, busy: bool, count: int, full: bool) -> None:
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
                    failed = asyncio.run(tries(guard.port, agent, count, tag))
                finally:
                    guard.stop()
                trouble = len(agent_server.trouble()) - before
                print(
                    f"| {variant} | {ws:10} | {'busy' if busy else 'calm'} | {linger:6} | {settle:6} "
                    f"| {'on' if barrier else 'off':7} | {failed:6} | {trouble:7} | {count:5} "
                    f"| {time.monotonic() - start:7.1f} |",
                    flush=True,
                )
        finally:
            agent_server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200)
    parser.add_argument("--variants", default="A,B,C")
    parser.add_argument("--ws", default="websockets,wsproto")
    parser.add_argument("--load", default="calm,busy")
    parser.add_argument("--full", action="store_true", help="every linger with every settle")
    args = parser.parse_args()
    print("| variant | ws | backend | linger ms | settle ms | barrier | failed | log lines | of | s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for variant, ws, load in itertools.product(
        args.variants.split(","), args.ws.split(","), args.load.split(",")
    ):
        measure(variant, ws, load == "busy", args.tries, args.full)


if __name__ == "__main__":
    main()
