"""The binary as an operator meets it: exit statuses, diagnostics, endpoints, the log."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess

import httpclient
from guardconfig import guard_config
from processes import free_port, guard_binary
from wsclient import Client, Closed


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([guard_binary(), *arguments], capture_output=True, text=True, timeout=30)


def written(tmp_path, text: str) -> str:
    path = tmp_path / "connguard.yaml"
    path.write_text(text.replace("{port}", "18080").replace("{admin}", "19180"))
    return str(path)


def test_a_wrong_configuration_is_told_with_line_and_column_and_status_78(tmp_path):
    text = guard_config(1865).replace("settle:", "settel:").replace("60s", "60 parsecs", 1)
    path = written(tmp_path, text)
    for command in (["run", "-c", path], ["check", "-c", path]):
        result = run(*command)
        assert result.returncode == 78
        errors = re.findall(rf"^{re.escape(path)}:(\d+):(\d+): error: (.+)$", result.stderr, re.M)
        assert len(errors) == 2, result.stderr
        lines = text.splitlines()
        for line, column, message in errors:
            pointed = lines[int(line) - 1][int(column) - 1 :]
            assert pointed.startswith("settel") or "60 parsecs" in pointed, (pointed, message)
        assert "did you mean 'settle'" in result.stderr


def test_check_accepts_what_run_accepts(tmp_path):
    result = run("check", "-c", written(tmp_path, guard_config(1865)))
    assert (result.returncode, result.stderr) == (0, "")


def test_what_print_config_prints_is_a_configuration(tmp_path):
    printed = run("print-config", "-c", written(tmp_path, guard_config(1865)))
    assert printed.returncode == 0
    again = run("print-config", "-c", written(tmp_path, printed.stdout))
    assert (again.returncode, again.stdout) == (0, printed.stdout)


def test_a_wrong_flag_is_status_64_and_a_missing_file_78(tmp_path):
    assert run("--no-such-flag").returncode == 64
    assert run("run", "-c", str(tmp_path / "missing.yaml")).returncode == 78


def test_version():
    result = run("--version")
    assert result.returncode == 0
    assert re.search(r"\d+\.\d+\.\d+", result.stdout)


async def test_sigterm_ends_an_idle_guard_with_status_0(stack):
    s = stack()
    assert s.guard.stop() == 0


async def test_sigterm_ends_open_tunnels_and_exits_with_status_0(stack):
    s = stack()
    client = await s.connect("u")
    await client.turn()
    s.guard.process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(client.receive(), 10)
        raise AssertionError("a message instead of the end")
    except Closed as closed:
        assert closed.code in (1001, 1012)
    client.abort()
    assert await asyncio.to_thread(s.guard.process.wait, 15) == 0
    state = await s.agent.empty()
    assert (state["sessions"], state["handlers"]) == (0, 0)
    assert s.agent_server.trouble() == []


async def test_whoever_comes_first_is_served(start_agent, tmp_path):
    agent_server = start_agent()
    for number in range(10):
        port, admin = free_port(), free_port()
        text = guard_config(agent_server.port)
        path = tmp_path / f"{number}.yaml"
        path.write_text(text.replace("{port}", str(port)).replace("{admin}", str(admin)))
        guard = await asyncio.create_subprocess_exec(guard_binary(), "run", "-c", str(path))
        try:
            await (await connect_as_soon_as_possible(port)).close()
        finally:
            guard.terminate()
            assert await guard.wait() == 0


async def connect_as_soon_as_possible(port: int) -> Client:
    deadline = asyncio.get_running_loop().time() + 10
    while True:
        try:
            return await Client.connect(port, "/ws/u")
        except ConnectionRefusedError:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0)


async def test_the_admin_endpoints_answer(stack):
    s = stack()
    for path in ("/livez", "/readyz"):
        assert (await httpclient.request(s.guard.admin, path)).status == 200
    client = await s.connect("giulia")
    assert s.guard.gauge("connguard_tunnels") == 1
    assert s.guard.gauge("connguard_connections") == 1
    assert not any("giulia" in name for name in s.guard.metrics())
    await client.close()


async def test_the_end_of_a_tunnel_is_one_line_of_json(stack):
    s = stack()
    client = await s.connect("u")
    await client.turn()
    await client.close(1000)
    await s.agent.empty("u")
    (await Client.connect(s.port, "/ws/u")).abort()  # granted: so the old tunnel is over
    assert s.guard.stop() == 0  # all is written then
    lines = [json.loads(line) for line in s.guard.log().splitlines() if line.startswith("{")]
    closed = [line for line in lines if line["event"] == "tunnel_closed"]
    assert closed[0]["cause"] == "client_closed"
    assert closed[0]["route"] == "chat"
    assert closed[0]["close_up"] == closed[0]["close_down"] == 1000
    assert closed[0]["bytes_up"] > 0 and closed[0]["bytes_down"] > 0
    assert closed[0]["key"] != "u"
