"""A new guard takes over from an old one on the same address, and no client notices."""

from __future__ import annotations

import asyncio
import subprocess
import time

import pytest

from crowd import Crowd
from processes import guard_binary
from wsclient import Client

CONFIG = """\
version: 1
listeners: [{{name: public, bind: "{bind}:{{port}}"}}]
upstreams: [{{name: agent, url: "http://127.0.0.1:{agent}"}}]
routes:
  - name: chat
    match: {{path: "/ws/{{user_id}}"}}
    upstream: agent
    session: {{key: "{{path.user_id}}", settle: 10ms}}
    turn: {{profile: cheshire-cat}}
  - {{name: root, match: {{path: /}}, upstream: agent}}
shutdown: {{drain: 20s}}
admin: {{bind: "127.0.0.1:{{admin}}"}}
workers: {workers}
"""


def config(agent_port: int, workers: int, bind: str = "127.0.0.1") -> str:
    """{port} and {admin} are left for GuardServer to fill in."""
    text = CONFIG.format(agent=agent_port, workers=workers, bind=bind)
    return text


@pytest.mark.parametrize("bind,host", [("127.0.0.1", "127.0.0.1"), ("[::]", "::1")])
def test_a_row_of_guards_hands_over_without_a_connection_refused(
    start_agent, start_guard, report, bind, host
):
    agent = start_agent()
    guard = start_guard(config(agent.port, 2, bind))
    port = guard.port
    crowd = Crowd((host, port))
    # As many workers as before, more, and fewer.
    for workers in (2, 3, 1):
        newer = start_guard(config(agent.port, workers, bind), port=port, arguments=("--handover",))
        time.sleep(0.5)  # both serve for a while
        assert guard.stop() == 0
        assert '"event":"handing_over"' in guard.log() and '"steered":true' in guard.log()
        guard = newer
    time.sleep(0.5)
    results = crowd.leave()
    slow = results.pop("slow", 0)
    served = {kind: results.pop(kind, 0) for kind in ("knock", "handshake", "answer")}
    report(f"hand-over, {host}: {served} served over three hand-overs, {slow} after a second")
    assert results == {}
    assert served["knock"] > 2000 and served["handshake"] > 20 and served["answer"] > 20


async def test_a_turn_in_the_old_guard_ends_whole_while_the_new_one_serves(
    start_agent, start_guard
):
    agent = start_agent()
    older = start_guard(config(agent.port, 2))
    client = await Client.connect(older.port, "/ws/ann")
    turn = asyncio.ensure_future(client.turn(tokens=30, pace=0.1))
    await asyncio.sleep(0.3)
    newer = start_guard(config(agent.port, 2), port=older.port, arguments=("--handover",))
    stopped = asyncio.get_running_loop().run_in_executor(None, older.stop)
    await turn
    assert await stopped == 0
    other = await Client.connect(newer.port, "/ws/ann")
    await other.turn(tokens=1, pace=0)
    await other.close()


def test_a_guard_that_is_not_told_to_shares_no_address(start_agent, start_guard, tmp_path):
    agent = start_agent()
    older = start_guard(config(agent.port, 1))
    path = tmp_path / "second.yaml"
    text = config(agent.port, 1).replace("{port}", str(older.port)).replace("{admin}", "0")
    path.write_text(text)
    second = subprocess.run(
        [guard_binary(), "run", "-c", path], capture_output=True, text=True, timeout=20, check=False
    )
    assert second.returncode == 1
    assert "Address already in use" in second.stderr
