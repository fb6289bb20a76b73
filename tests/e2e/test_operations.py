"""Changing the guard's configuration, and stopping it, without anybody noticing."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import urllib.request

from guardconfig import guard_config
from wsclient import Client, Closed

TUNNELS = 500
RELOADS = 1000
MIB = 1 << 20


def rewrite(guard, old: str, new: str) -> None:
    """Another configuration in the file's place, as editors do it."""
    path = guard.config
    text = path.read_text()
    assert old in text
    fresh = path.with_suffix(".new")
    fresh.write_text(text.replace(old, new))
    fresh.replace(path)


async def until(condition, what: str, timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


def generation(guard) -> float:
    return guard.gauge("connguard_config_generation")


async def reload(guard, old: str, new: str) -> None:
    before = generation(guard)
    rewrite(guard, old, new)
    guard.process.send_signal(signal.SIGHUP)
    await until(lambda: generation(guard) == before + 1, "the reload")


async def talk(client: Client, stop: asyncio.Event) -> int:
    """Turn after turn, each whole and its own, until `stop`; returns how many."""
    turns = 0
    while not stop.is_set():
        messages = await client.turn(tokens=2, pace=0.05, timeout=60)
        assert len(messages) == 3
        turns += 1
    return turns


async def test_a_reload_under_load_touches_nobody(stack, report):
    s = stack(variant="D", settle="100ms")
    clients = await asyncio.gather(*(s.connect(f"user-{n}") for n in range(TUNNELS)))
    stop = asyncio.Event()
    talks = [asyncio.create_task(talk(client, stop)) for client in clients]
    for number in range(10):
        old, new = ("100ms", "110ms") if number % 2 == 0 else ("110ms", "100ms")
        await reload(s.guard, f"settle: {old}", f"settle: {new}")
        late = await s.connect(f"late-{number}")  # new connections are served all along
        await late.turn(tokens=1, pace=0)
        assert await late.close() == 1000
    stop.set()
    turns = sum(await asyncio.gather(*talks))
    assert turns >= TUNNELS
    assert not any(client.wrong for client in clients)
    assert s.guard.gauge("connguard_tunnels") >= TUNNELS
    codes = await asyncio.gather(*(client.close(timeout=60) for client in clients))
    assert set(codes) == {1000}
    assert s.agent_server.trouble() == []
    report(f"10 reloads under {TUNNELS} tunnels: {turns} turns, all whole")


async def test_a_thousand_reloads_do_not_grow(stack, report):
    s = stack(variant="D", settle="100ms")
    client = await s.connect("ann")

    async def reloads(count: int) -> None:
        for number in range(count):
            old, new = ("100ms", "110ms") if number % 2 == 0 else ("110ms", "100ms")
            await reload(s.guard, f"settle: {old}", f"settle: {new}")

    await reloads(100)
    fds, resident = s.guard.descriptors(), s.guard.resident_bytes()
    began = time.monotonic()
    await reloads(RELOADS)
    seconds = time.monotonic() - began
    growth = s.guard.resident_bytes() - resident
    report(f"{RELOADS} reloads in {seconds:.1f} s: resident {growth / 1024:+.0f} KiB")
    # The last question's connection may take a moment to close; one that leaked never does.
    await until(lambda: s.guard.descriptors() <= fds, "as many descriptors as before")
    assert growth < MIB
    await client.turn()
    assert await client.close() == 1000


async def test_the_file_is_watched_also_when_a_link_is_swapped(start_agent, start_guard):
    """As Kubernetes does it: the file is a link into a folder behind a link that is replaced."""
    agent = start_agent()
    guard = start_guard(guard_config(agent.port, settle="100ms"), arguments=("--watch",))
    # The guard's own file becomes such a link.
    path = guard.config
    text = path.read_text()
    for name, settle in (("one", "120ms"), ("two", "130ms")):
        (path.parent / name).mkdir()
        (path.parent / name / path.name).write_text(text.replace("settle: 100ms", f"settle: {settle}"))
    data = path.parent / "..data"
    data.symlink_to("one")
    link = path.with_suffix(".link")
    link.symlink_to(f"..data/{path.name}")
    link.replace(path)
    await until(lambda: generation(guard) == 2, "the first change")
    swap = path.parent / "..data_tmp"
    swap.symlink_to("two")
    swap.replace(data)
    await until(lambda: generation(guard) == 3, "the swap")
    with urllib.request.urlopen(f"http://127.0.0.1:{guard.admin}/v1/config", timeout=10) as answer:
        assert b"settle: 130ms" in answer.read()


async def write_log(guard) -> None:
    """A line of the guard's log every 50 ms: a request without sense, refused."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", guard.port)
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        await asyncio.sleep(0.05)


async def test_a_log_beside_the_watched_file_neither_causes_reloads_nor_puts_one_off(
    start_agent, start_guard
):
    agent = start_agent()
    guard = start_guard(guard_config(agent.port, settle="100ms"), arguments=("--watch",))
    assert guard.log_path.parent == guard.config.parent
    writing = asyncio.create_task(write_log(guard))
    for number, (old, new) in enumerate((("100ms", "110ms"), ("110ms", "120ms"))):
        lines = len(guard.log().splitlines())
        await until(lambda: len(guard.log().splitlines()) >= lines + 20, "a second's lines")
        rewrite(guard, f"settle: {old}", f"settle: {new}")
        await until(lambda: generation(guard) == number + 2, "the reload")
    writing.cancel()
    reloads = {k: v for k, v in guard.metrics().items() if k.startswith("connguard_reloads_total")}
    assert reloads['connguard_reloads_total{result="applied"}'] == 2
    assert sum(reloads.values()) == 2


async def test_a_bad_file_changes_nothing_and_is_seen(stack):
    s = stack(settle="100ms")
    client = await s.connect("ann")
    rewrite(s.guard, "settle: 100ms", "setle: 100ms")
    s.guard.process.send_signal(signal.SIGHUP)
    await until(lambda: s.guard.metrics()['connguard_reloads_total{result="rejected"}'] == 1, "it")
    with urllib.request.urlopen(f"http://127.0.0.1:{s.guard.admin}/readyz", timeout=10) as answer:
        text = answer.read().decode()
    assert "unknown key 'setle'; did you mean 'settle'?" in text
    assert f"{s.guard.config}:" in text
    assert generation(s.guard) == 1
    assert s.guard.gauge("connguard_config_last_reload_successful") == 0
    await client.turn()
    assert await client.close() == 1000


async def until_closed(client: Client) -> tuple[list, int]:
    """What comes before the guard's Close, and its code."""
    messages = []
    try:
        while True:
            messages.append(await client.message())
    except Closed as closed:
        return messages, closed.code


async def test_a_stop_ends_five_hundred_tunnels_between_two_turns(stack, report):
    s = stack(variant="D")
    rewrite(s.guard, "limits: {}", "limits: {}\nshutdown: {delay: 0s, drain: 40s}")
    s.guard.process.send_signal(signal.SIGHUP)
    await until(lambda: generation(s.guard) == 2, "the reload")
    clients = await asyncio.gather(*(s.connect(f"user-{n}") for n in range(TUNNELS)))
    busy, idle = clients[: TUNNELS // 2], clients[TUNNELS // 2 :]
    turns = await asyncio.gather(*(client.start(tokens=20, pace=0.1) for client in busy))
    while (await s.agent.state())["turns"] < len(busy):
        await asyncio.sleep(0.05)
    began = time.monotonic()
    s.guard.process.send_signal(signal.SIGTERM)
    ends = await asyncio.gather(*(until_closed(client) for client in clients))
    seconds = time.monotonic() - began
    assert {code for _, code in ends} == {1012}
    for (messages, _), turn in zip(ends, turns):
        assert [m["type"] for m in messages] == ["chat_token"] * 20 + ["chat"]
        assert messages[-1]["turn"] == turn
    assert all(messages == [] for messages, _ in ends[len(busy) :])
    assert len(idle) == len(ends) - len(busy)
    status = await asyncio.get_running_loop().run_in_executor(None, s.guard.process.wait, 40)
    assert status == 0
    for number in range(TUNNELS):
        assert await s.agent.wait(f"user-{number}", "disconnect")
        assert await s.agent.close_codes(f"user-{number}") == [1001]
    assert s.agent_server.trouble() == []
    report(f"SIGTERM with {TUNNELS} tunnels, half of them in mid-turn: {seconds:.1f} s")


async def test_a_turn_longer_than_the_drain_is_cut_and_its_client_told(stack):
    s = stack()
    rewrite(s.guard, "limits: {}", "limits: {}\nshutdown: {drain: 1s}")
    s.guard.process.send_signal(signal.SIGHUP)
    await until(lambda: generation(s.guard) == 2, "the reload")
    client = await s.connect("ann")
    await client.start(tokens=200, pace=0.1)
    await client.message()
    os.kill(s.guard.pid, signal.SIGTERM)
    _, code = await until_closed(client)
    assert code == 1012
    assert s.guard.process.wait(10) == 0
    assert '"cause":"shutdown"' in s.guard.log() and '"close_up":1001' in s.guard.log()
