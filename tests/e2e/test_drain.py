"""`connguard drain` against a running guard: told once, watched, refused without token."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from guardconfig import guard_config
from processes import guard_binary
from wsclient import Client, Closed

SECONDS = 30
TOKEN = "a-token-of-this-test-alone"


async def drain(guard, *flags: str) -> subprocess.CompletedProcess:
    command = [guard_binary(), "drain", "--admin", f"127.0.0.1:{guard.admin}", *flags]

    def run() -> subprocess.CompletedProcess:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)

    return await asyncio.get_running_loop().run_in_executor(None, run)


async def in_turn(s, tokens: int) -> tuple[Client, asyncio.Future]:
    """A client whose turn the agent has begun, and the turn."""
    client = await s.connect("ann")
    turn = asyncio.ensure_future(client.turn(tokens=tokens, pace=0.1))
    assert await s.agent.wait("ann", "turn_started")
    return client, turn


async def test_who_waits_sees_the_turn_in_flight_end_and_then_the_guard(stack):
    s = stack()
    client, turn = await in_turn(s, tokens=20)
    told = await drain(s.guard, "--wait")
    await turn
    with pytest.raises(Closed) as closed:
        await client.message()
    assert closed.value.code == 1012
    client.abort()
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert "1 tunnel left" in lines[0]
    assert lines[-1] == "stopped"
    assert s.guard.process.wait(SECONDS) == 0


async def test_a_second_order_changes_nothing(stack):
    s = stack()
    client, turn = await in_turn(s, tokens=20)
    first, second = await drain(s.guard), await drain(s.guard)
    assert (first.returncode, second.returncode) == (0, 0)
    assert not turn.done()
    await turn
    client.abort()
    assert s.guard.process.wait(SECONDS) == 0


async def test_the_first_signal_behind_it_changes_nothing(stack):
    s = stack()
    client, turn = await in_turn(s, tokens=20)
    assert (await drain(s.guard)).returncode == 0
    s.guard.process.send_signal(signal.SIGTERM)
    assert len(await turn) == 21
    client.abort()
    assert s.guard.process.wait(SECONDS) == 0


async def test_the_second_signal_behind_it_cuts_and_says_so(stack):
    s = stack()
    client, turn = await in_turn(s, tokens=200)
    assert (await drain(s.guard)).returncode == 0
    s.guard.process.send_signal(signal.SIGTERM)
    s.guard.process.send_signal(signal.SIGINT)  # two of the same may come as one
    with pytest.raises(Closed) as closed:
        await turn
    assert closed.value.code == 1012
    assert s.guard.process.wait(SECONDS) == 0
    assert '"cause":"shutdown"' in s.guard.log() and '"close_up":1001' in s.guard.log()


async def test_a_guard_that_wants_a_token_obeys_nobody_else(start_agent, start_guard, tmp_path):
    agent = start_agent()
    config = guard_config(agent.port).replace(
        "{bind: 127.0.0.1:{admin}}", f"{{bind: 127.0.0.1:{{admin}}, token: {TOKEN}}}"
    )
    assert TOKEN in config
    guard = start_guard(config)
    stranger = await drain(guard)
    assert stranger.returncode == 1
    assert "a token is needed" in stranger.stderr
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    friend = await drain(guard, "--token-file", str(file), "--wait")
    assert (friend.returncode, friend.stdout.splitlines()[-1]) == (0, "stopped")


async def test_where_no_guard_is_nothing_drains(stack):
    s = stack()
    assert s.guard.stop() == 0
    told = await drain(s.guard, "--wait")
    assert told.returncode == 1
    assert "Connection refused" in told.stderr
