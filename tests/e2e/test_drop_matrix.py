"""The drop matrix through the guard, where nothing may fail, and straight at the backend, where the
bug must show: 3 variants × 2 WebSocket implementations × 120 cells."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from guardconfig import guard_config
from httpclient import Agent
from matrix import CELLS, Run, Target, failures_by_moment, run_cells

GUARDED_PATIENCE = 30.0
STRAIGHT_PATIENCE = 3.0

pairs = pytest.mark.parametrize("ws", ["websockets", "wsproto"])
builds = pytest.mark.parametrize(
    "build", ["release", "sanitized"] if "CONNGUARD_ASAN" in os.environ else ["release"]
)
variants = pytest.mark.parametrize("variant", ["A", "B", "C"])


async def back_to(description: str, get, start: float, timeout: float = 20.0) -> str | None:
    """Waits until `get()` is at most `start`; a complaint when it stays above."""
    deadline = time.monotonic() + timeout
    while (value := get()) > start:
        if time.monotonic() > deadline:
            return f"{description}: {value:g} left, {start:g} at the start"
        await asyncio.sleep(0.1)
    return None


async def stories(runs: list[Run], limit: int = 12) -> str:
    failed = [run for run in runs if run.problems]
    told = [await run.story() for run in failed[:limit]]
    return f"{len(failed)} of {len(runs)} cells failed\n" + "\n".join(told)


@builds
@variants
@pairs
def test_every_reconnect_through_the_guard_works(
    variant, ws, build, start_agent, start_guard, report, request
):
    long = request.config.getoption("--long")
    agent_server = start_agent(variant, ws, ("--burn", "1") if long else ())
    guard = start_guard(guard_config(agent_server.port), build == "sanitized")
    agent = Agent(agent_server.port)
    target = Target(guard.port, agent, guarded=True, patience=GUARDED_PATIENCE * (4 if long else 1))

    async def run() -> list[Run]:
        await agent.state()
        before = agent_server.descriptors(), guard.descriptors()
        cells = CELLS * (5 if long else 1)
        runs = await run_cells(target, cells, f"{variant}-{ws}", concurrency=8 if long else 40)
        complaints = [
            await back_to("sockets of the backend", agent_server.descriptors, before[0]),
            await back_to("descriptors of the guard", guard.descriptors, before[1]),
            await back_to("tunnels", lambda: guard.gauge("connguard_tunnels"), 0),
            # the connection that asks for the metrics is not the data path's
            await back_to("connections", lambda: guard.gauge("connguard_connections"), 0),
        ]
        assert not any(run.problems for run in runs), await stories(runs)
        assert not any(complaints), [text for text in complaints if text]
        return runs

    start = time.monotonic()
    runs = asyncio.run(run())
    assert agent_server.trouble() == []
    assert guard.stop() == 0
    seconds = time.monotonic() - start
    name = f"drop matrix {variant}/{ws} through the guard ({build})"
    report(f"{name}: {len(runs)} cells, 0 failed, {seconds:.0f} s")


@variants
@pairs
def test_straight_at_the_backend_the_matrix_has_teeth(variant, ws, start_agent, report):
    agent_server = start_agent(variant, ws)
    agent = Agent(agent_server.port)
    target = Target(agent.port, agent, guarded=False, patience=STRAIGHT_PATIENCE)
    runs = asyncio.run(run_cells(target, CELLS, f"{variant}-{ws}", concurrency=40))
    counts = failures_by_moment(runs)
    failed = sum(counts.values())
    words = ", ".join(f"{moment} {count}" for moment, count in counts.items())
    report(f"drop matrix {variant}/{ws} straight: {failed} of {len(runs)} cells failed ({words})")
    assert counts["before-the-first-token"] > 0
    assert counts["mid-stream"] > 0
    assert failed < len(runs), "even the harmless cells fail: the harness is broken"
