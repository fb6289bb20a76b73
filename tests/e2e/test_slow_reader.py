"""A client that reads a byte per second while its backend pushes 200 MB: what it costs others."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import pathlib
import socket
import statistics
import time
from typing import AsyncIterator

from wsclient import TEXT, Client

TOKEN = 65536
PUSH = {"tokens": 200_000_000 // TOKEN + 1, "pace": 0, "size": TOKEN}
SHARE = {"tokens": 400, "pace": 0, "size": TOKEN}  # what those get who read
MIB = 1 << 20
READERS = 3
GROWTH = 8 * MIB
ECHOES = 2  # tunnels at a time
SECONDS = 1.0  # of echoes, for one figure
ROUNDS = (3, 6)  # at least; at most, when something else on the machine disturbs the measurement


async def connect_narrow(port: int, user: str, size: int) -> Client:
    """A client whose kernel keeps little for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return await Client.connect(port, f"/ws/{user}", sock=sock)


async def trickle(client: Client) -> None:
    """Reads a byte per second."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while await loop.sock_recv(client.sock, 1):
            await asyncio.sleep(1)


async def stalled(guard, start: float, size: int) -> None:
    """Waits until more than `size` has passed since `start`, and nothing more fits on the way."""
    before = start
    while (now := bytes_down(guard)) <= start + size or now != before:
        before = now
        await asyncio.sleep(0.1)


def bytes_down(guard) -> float:
    return guard.metrics()['connguard_bytes_total{route="chat",direction="down"}']


@contextlib.asynccontextmanager
async def slow_reader(stack, user: str) -> AsyncIterator[None]:
    """Within, there is one, and all on the way to it is full."""
    start = bytes_down(stack.guard)
    client = await connect_narrow(stack.port, user, 4096)
    await client.start(**PUSH)
    reading = asyncio.create_task(trickle(client))
    try:
        await stalled(stack.guard, start, MIB)
        yield
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        client.abort()


# Memory, and the bytes of the others.


def peak_memory(pid: int) -> int:
    """The most that was resident since the last `forget_peak`."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def forget_peak(pid: int) -> None:
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


async def digest_of_a_share(port: int, user: str, begin: asyncio.Event | None = None) -> str:
    """Of all frames of a turn, in their order; the same wherever the turn is asked for. They are
    read when `begin` is set."""
    client = await connect_narrow(port, user, TOKEN)
    await client.send_json({"text": "that is all", "turn": "t", "conn": "c", **SHARE})
    if begin is not None:
        await begin.wait()
    digest = hashlib.sha256()
    over = False
    while not over:
        frame = await client.read_frame()
        digest.update(bytes([frame.opcode, frame.final]) + len(frame.payload).to_bytes(8, "big"))
        digest.update(frame.payload)
        over = len(frame.payload) < TOKEN and frame.json()["type"] == "chat"
    await client.close()
    return digest.hexdigest()


async def test_memory_is_bounded_and_those_who_read_get_every_byte(stack, report):
    s = stack(workers="1", limits="{slow_client_timeout: 4s}")
    straight = await digest_of_a_share(s.agent_server.port, "straight")
    assert await digest_of_a_share(s.port, "warm") == straight
    await s.agent.empty()
    forget_peak(s.guard.pid)
    start_memory = s.guard.resident_bytes()
    async with slow_reader(s, "slow"):
        begin, before = asyncio.Event(), bytes_down(s.guard)
        users = [f"reader-{number}" for number in range(READERS)]
        readers = asyncio.gather(*(digest_of_a_share(s.port, user, begin) for user in users))
        await stalled(s.guard, before, READERS * MIB)  # so that much has to wait in the guard
        begin.set()
        assert await readers == [straight] * READERS
        assert await s.agent.wait("slow", "exit", timeout=40)
    story = ["open", "turn_started", "turn_done", "disconnect", "exit"]
    assert await s.agent.story("slow") == story
    assert await s.agent.close_codes("slow") == [1001]
    growth = peak_memory(s.guard.pid) - start_memory
    report(f"200 MB for a client that reads 1 byte/s: guard's peak + {growth / MIB:.1f} MiB")
    assert growth < GROWTH
    again = await s.connect("slow")
    await again.turn()
    await again.close()
    assert s.guard.closes("client_slow") == 1
    assert s.agent_server.trouble() == []


# The others' delay.


async def echo_p99(port: int) -> float:
    """Of the round trips of small messages on some tunnels, in seconds."""
    samples: list[float] = []

    async def play(number: int) -> None:
        client = await Client.connect(port, f"/echo/{number}")
        end = time.perf_counter() + SECONDS
        while (start := time.perf_counter()) < end:
            await client.send(TEXT, b"hello")
            await client.receive()
            samples.append(time.perf_counter() - start)
        await client.close()

    await asyncio.gather(*(play(number) for number in range(ECHOES)))
    return statistics.quantiles(samples, n=100)[98]


async def test_other_tunnels_are_not_delayed(stack, report):
    s = stack(workers="1", limits="{slow_client_timeout: 60s}")
    await echo_p99(s.port)
    without, beside = [], []
    while len(without) < ROUNDS[0] or (not unmoved(without, beside) and len(without) < ROUNDS[1]):
        without.append(await echo_p99(s.port))
        user = f"slow-{len(without)}"
        async with slow_reader(s, user):
            beside.append(await echo_p99(s.port))
            assert (await s.agent.state(user))["turns"] == 1
        assert await s.agent.wait(user, "exit", timeout=40)
    report(
        f"echo p99, medians of {len(without)}: {statistics.median(without) * 1000:.2f} ms, "
        f"beside a client that reads 1 byte/s {statistics.median(beside) * 1000:.2f} ms"
    )
    assert unmoved(without, beside)


def unmoved(without: list[float], beside: list[float]) -> bool:
    return statistics.median(beside) <= 3 * statistics.median(without) + 0.002
