"""deploy/examples: each file is sound, and each agent that can be run here shows what its page says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
from typing import Iterator

import pytest

import httpclient
from examples import EXAMPLES, ExampleAgent, ExampleGuard
from processes import guard_binary
from streamclients import RawClient
from wsclient import Client, Closed, Drop, Refused

NAMES = sorted(folder.name for folder in EXAMPLES.iterdir())
each = pytest.mark.parametrize("name", NAMES)
dropped = pytest.mark.parametrize("how", [Drop.CLOSE_1000, Drop.FIN, Drop.RST], ids=lambda how: how.value)


@each
def test_the_guard_accepts_the_file_without_a_word(name):
    path = EXAMPLES / name / "connguard.yaml"
    result = subprocess.run(
        [guard_binary(), "check", "-c", str(path)], capture_output=True, text=True, timeout=30
    )
    assert (result.returncode, result.stderr) == (0, "")


@each
def test_the_page_answers_what_is_asked_of_it(name):
    page = (EXAMPLES / name / "README.md").read_text()
    headings = re.findall(r"^## (.+)$", page, re.M)
    assert headings == ["Without the guard", "With it", "Why this profile", "Run it", "What to check"]
    # Commands name files that there are.
    for path in re.findall(r"\bdeploy/[\w./-]+\w", page):
        assert (EXAMPLES.parents[1] / path).exists(), path


@contextlib.contextmanager
def running(tmp_path, example: str, guarded: bool) -> Iterator[tuple[ExampleAgent, int]]:
    """The example's agent, and the port to reach it by: the guard's, or its own."""
    agent = ExampleAgent(tmp_path, example)
    try:
        if not guarded:
            yield agent, agent.port
            return
        guard = ExampleGuard(tmp_path, example, AGENT_URL=f"http://127.0.0.1:{agent.port}")
        try:
            yield agent, guard.port
        finally:
            assert guard.stop() == 0, guard.log()
    finally:
        agent.stop(timeout=3)


async def memory(agent: ExampleAgent, user: str) -> list[str]:
    return (await httpclient.request(agent.port, f"/memory/{user}")).json()


# --- fastapi


async def asked(port: int, text: str) -> Client:
    """A client that has the first word of its answer."""
    client = await Client.connect(port, "/ws/ann")
    await client.send_json({"text": text})
    assert (await client.receive()).json()["type"] == "token"
    return client


async def answered(client: Client) -> str:
    while (message := (await client.receive()).json())["type"] == "token":
        pass
    assert message["type"] == "answer", message
    return message["content"]


@dropped
async def test_fastapi_without_the_guard_a_drop_in_mid_answer_locks_the_user_out(tmp_path, how):
    with running(tmp_path, "fastapi", guarded=False) as (agent, port):
        client = await asked(port, "one")
        await client.drop(how)
        assert await asyncio.to_thread(agent.says, "Traceback")
        for _ in range(3):  # it does not heal
            with pytest.raises((Refused, Closed)):
                await Client.connect(port, "/ws/ann")
        assert await memory(agent, "ann") == []
        await client.bury()


@dropped
async def test_fastapi_with_the_guard_the_answer_is_finished_and_the_user_served(tmp_path, how):
    with running(tmp_path, "fastapi", guarded=True) as (agent, port):
        client = await asked(port, "one")
        await client.drop(how)
        again = await asked(port, "two")  # at once: the guard holds the handshake
        assert "message number 2" in await answered(again)
        first, second = await memory(agent, "ann")
        assert "You said: one" in first and "You said: two" in second
        assert await again.close() == 1000
        await client.bury()
        assert "Traceback" not in agent.log()


# --- sse

JSON = {"content-type": "application/json"}


async def post(port: int, user: str, text: str) -> RawClient:
    return await RawClient.open(port, f"/chat/{user}", json.dumps({"text": text}).encode(), JSON)


async def test_sse_without_the_guard_a_drop_in_mid_answer_leaves_the_session_busy(tmp_path):
    with running(tmp_path, "sse", guarded=False) as (agent, port):
        stream = await post(port, "ann", "one")
        assert await stream.line() == "event: token"
        await stream.leave()
        other = await (await post(port, "ben", "one")).rest()  # takes as long as hers would have
        assert other[-2] == "event: answer"
        for _ in range(3):  # it does not heal
            refused = await httpclient.request(
                port, "/chat/ann", "POST", b'{"text": "two"}', headers=tuple(JSON.items())
            )
            assert refused.status == 409
        assert await memory(agent, "ann") == ["one"]


async def test_sse_with_the_guard_the_answer_is_finished_and_the_user_served(tmp_path):
    with running(tmp_path, "sse", guarded=True) as (agent, port):
        stream = await post(port, "ann", "one")
        assert await stream.line() == "event: token"
        await stream.leave()
        lines = await (await post(port, "ann", "two")).rest()  # at once: the guard holds the request
        assert lines[-2] == "event: answer" and "message number 2" in lines[-1]
        one, first, two, second = await memory(agent, "ann")
        assert (one, two) == ("one", "two")
        assert "You said: one" in first and "You said: two" in second
