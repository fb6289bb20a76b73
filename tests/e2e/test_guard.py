"""What the guard does when clients drop, come back, wait and compete: one claim, one test."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from wsclient import BINARY, TEXT, Client, Closed, Drop, Refused

pytestmark = pytest.mark.sanitized

LONG_TURN = {"tokens": 10, "pace": 0.1}


async def drop_in_mid_stream(stack, user: str, how: Drop = Drop.RST, **turn) -> Client:
    client = await stack.connect(user)
    await client.start(**(turn or LONG_TURN))
    await client.message()
    await client.drop(how)
    return client


async def names_of_events(stack, user: str) -> list[str]:
    return await stack.agent.story(user)


async def disconnect_codes(stack, user: str) -> list[int]:
    return await stack.agent.close_codes(user)


async def is_held(client: Client, seconds: float = 0.2) -> bool:
    """True when the handshake is still unanswered after a while."""
    answer = asyncio.ensure_future(client.accepted())
    done, _ = await asyncio.wait([answer], timeout=seconds)
    client.answer = answer
    return not done


async def everything_is_over(stack) -> None:
    """Waits until nothing is left in guard and backend."""
    deadline = time.monotonic() + 10
    while stack.guard.gauge("connguard_tunnels") or stack.guard.gauge("connguard_connections"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    state = await stack.agent.empty()
    assert (state["sessions"], state["handlers"], state["turns"]) == (0, 0, 0)


# The drop.


async def test_a_client_that_closes_in_mid_turn_gets_its_close_answered_at_once(stack):
    s = stack()
    client = await s.connect("u")
    turn = await client.start(tokens=1, first=3)
    assert await s.agent.wait("u", "turn_started", turn=turn)
    start = time.monotonic()
    assert await client.close(1000) == 1000
    assert time.monotonic() - start < 1
    assert (await s.agent.state("u"))["turns"] == 1
    assert await s.agent.wait("u", "exit")
    assert await disconnect_codes(s, "u") == [1000]
    assert s.agent_server.trouble() == []


@pytest.mark.parametrize("how", [Drop.FIN, Drop.RST])
async def test_the_backend_of_a_vanished_client_finishes_and_is_closed_with_1001(stack, how):
    s = stack()
    await drop_in_mid_stream(s, "u", how)
    assert await s.agent.wait("u", "exit")
    story = ["open", "turn_started", "turn_done", "disconnect", "exit"]
    assert await names_of_events(s, "u") == story
    assert await disconnect_codes(s, "u") == [1001]


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4321])
async def test_between_turns_a_close_goes_through_with_its_code(stack, code):
    s = stack()
    client = await s.connect("u")
    await client.turn()
    assert await client.close(code) == code
    assert await s.agent.wait("u", "exit")
    assert await disconnect_codes(s, "u") == [code]


async def test_all_messages_sent_before_the_drop_are_answered_before_the_close(stack):
    s = stack()
    client = await s.connect("u")
    for _ in range(3):
        await client.start(tokens=3, pace=0.05)
    await client.drop(Drop.CLOSE_1000)
    new = await s.connect("u")
    names = await names_of_events(s, "u")
    assert names[: names.index("exit")].count("turn_done") == 3
    await new.turn()
    await new.close()
    assert s.agent_server.trouble() == []


async def test_messages_beyond_the_window_are_dropped_with_their_client(stack):
    s = stack()
    client = await s.connect("u")
    for _ in range(6):
        await client.start(tokens=1, first=0.3)
    start = time.monotonic()
    assert await client.close(1000) == 1000
    assert time.monotonic() - start < 1
    assert await s.agent.wait("u", "exit")
    assert (await names_of_events(s, "u")).count("turn_done") == 4


async def test_messages_beyond_the_window_are_passed_on_as_turns_end(stack):
    s = stack()
    client = await s.connect("u")
    turns = [await client.start(tokens=1) for _ in range(12)]
    for turn in turns:
        assert (await asyncio.wait_for(client.finish(turn), 10))[-1]["turn"] == turn
    await client.close()


async def test_pings_of_the_backend_are_answered_during_the_shield(stack):
    s = stack(agent_arguments=("--ws-ping-interval", "1", "--ws-ping-timeout", "1"))
    client = await s.connect("u")
    turn = await client.start(tokens=1, first=5)
    assert await s.agent.wait("u", "turn_started", turn=turn)
    await client.drop(Drop.RST)
    assert await s.agent.wait("u", "exit", timeout=15)
    assert "turn_done" in await names_of_events(s, "u")
    assert await disconnect_codes(s, "u") == [1001]
    assert s.agent_server.trouble() == []


async def test_on_drop_close_ends_the_upstream_in_mid_turn(stack):
    s = stack(on_drop="close")
    await drop_in_mid_stream(s, "u", tokens=30, pace=0.1)
    assert await s.agent.wait("u", "turn_failed", timeout=2)


# The reconnect.


async def test_racing_reconnects_of_one_user_cost_one_upstream_session(stack):
    s = stack()
    await drop_in_mid_stream(s, "u", tokens=20, pace=0.1)

    async def attempt() -> Client | int:
        try:
            return await s.connect("u")
        except Refused as refused:
            return refused.status

    outcomes = await asyncio.gather(*(attempt() for _ in range(32)))
    winners = [outcome for outcome in outcomes if isinstance(outcome, Client)]
    assert len(winners) == 1
    assert outcomes.count(409) == 31
    await winners[0].turn()
    await winners[0].close()
    await s.agent.empty("u")
    assert (await names_of_events(s, "u")).count("open") == 2


@pytest.mark.parametrize("how", [Drop.FIN, Drop.RST])
async def test_a_waiter_that_leaves_is_forgotten(stack, how):
    s = stack()
    await drop_in_mid_stream(s, "u")
    waiter = await s.open("u")
    assert await is_held(waiter)
    waiter.answer.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiter.answer
    again = await s.open("u")
    await again.drop(how)
    assert await s.agent.wait("u", "exit")
    await everything_is_over(s)
    assert (await names_of_events(s, "u")).count("open") == 1
    fresh = await s.connect("u")
    await fresh.turn()
    await fresh.close()


@pytest.mark.parametrize("ws", ["websockets", "wsproto"])
async def test_clients_that_vanish_around_the_101_leave_nothing_behind(stack, ws):
    s = stack(ws=ws)

    async def vanish(number: int) -> None:
        client = await s.open(f"u{number % 20}")
        await asyncio.sleep(number % 40 / 5000)  # before, at and after the upstream's answer
        client.abort()

    for start in range(0, 400, 20):
        await asyncio.gather(*(vanish(number) for number in range(start, start + 20)))
    await everything_is_over(s)
    for number in range(20):
        client = await s.connect(f"u{number}")
        await client.turn()
        await client.close()
    assert s.agent_server.trouble() == []


async def test_a_handshake_held_for_too_long_gets_503_with_retry_after(stack):
    s = stack(wait="300ms")
    await drop_in_mid_stream(s, "u", tokens=20, pace=0.1)
    start = time.monotonic()
    with pytest.raises(Refused) as refused:
        await s.connect("u")
    assert refused.value.status == 503
    assert 0.25 < time.monotonic() - start < 1.5
    names = {name.lower(): value for name, value in refused.value.headers}
    assert int(names["retry-after"]) >= 1
    await s.agent.wait("u", "exit")
    await (await s.connect("u")).close()


async def test_a_newer_live_client_takes_over_and_the_old_turn_is_finished_first(stack):
    s = stack()
    old = await s.connect("u")
    await old.start(**LONG_TURN)
    await old.message()
    new = await s.open("u")
    assert await is_held(new)
    with pytest.raises(Closed) as closed:
        while True:
            await asyncio.wait_for(old.message(), 5)
    assert closed.value.code == 4409
    await new.answer
    names = await names_of_events(s, "u")
    assert names.index("turn_done") < names.index("exit") < len(names) - 1
    await new.turn()
    await new.close()
    assert not new.wrong


async def test_a_stalled_client_finds_close_4409_when_it_reads_again(stack):
    s = stack()
    old = await s.connect("u")
    await old.turn()
    await old.drop(Drop.STALL)
    new = await s.connect("u")
    await new.turn()
    assert await old.read_again()
    assert old.close_code == 4409
    await new.close()


async def test_reject_refuses_the_newcomer_while_the_old_client_answers(stack):
    s = stack(on_conflict="reject")
    old = await s.connect("u")
    turn = await old.start(tokens=10, pace=0.3)
    reading = asyncio.create_task(old.finish(turn))
    with pytest.raises(Refused) as refused:
        await s.connect("u")
    assert refused.value.status == 409
    await asyncio.wait_for(reading, 10)
    await old.close()


async def test_reject_lets_the_newcomer_in_when_the_old_client_is_half_open(stack):
    s = stack(on_conflict="reject")
    old = await s.connect("u")
    await old.drop(Drop.STALL)
    start = time.monotonic()
    new = await s.connect("u")
    assert 1.8 < time.monotonic() - start < 4
    await new.turn()
    await new.close()
    old.abort()


async def test_share_lets_both_live(stack):
    s = stack(on_conflict="share", path="/echo/{user_id}", turn="{profile: request-reply}")
    first = await Client.connect(s.port, "/echo/u")
    second = await Client.connect(s.port, "/echo/u")
    for client in (first, second, first):
        await client.send(TEXT, client.conn.encode())
        assert (await asyncio.wait_for(client.receive(), 5)).payload.decode() == client.conn
    await first.close()
    await second.close()


# Messages that would kill the session.


@pytest.mark.parametrize(
    "opcode, payload, code",
    [
        (BINARY, b'{"text": "hi"}', 1003),
        (TEXT, b"hello", 1007),
        (TEXT, b'["text", "hi"]', 1007),
        (TEXT, b'"hi"', 1007),
        (TEXT, b"", 1007),
        (TEXT, b'{"text": "\xff"}', 1007),
        (TEXT, b'{"text": "hi"', 1007),
    ],
    ids=["binary", "no-json", "array", "string", "empty", "no-utf-8", "cut-off"],
)
async def test_a_message_that_kills_such_a_backend_never_reaches_it(stack, opcode, payload, code):
    s = stack()
    client = await s.connect("u")
    await client.turn()
    await client.send(opcode, payload)
    with pytest.raises(Closed) as closed:
        await asyncio.wait_for(client.receive(), 5)
    assert closed.value.code == code
    new = await s.connect("u")
    await new.turn()
    await new.close()
    assert (await names_of_events(s, "u")).count("turn_started") == 2
    assert s.agent_server.trouble() == []


async def test_a_fragmented_json_object_is_accepted(stack):
    s = stack()
    client = await s.connect("u")
    text = f'{{"text": "hi", "turn": "t", "conn": "{client.conn}"}}'.encode()
    await client.send(TEXT, text[:7], final=False)
    await client.send(0, text[7:12], final=False)
    await client.send(0, text[12:])
    assert (await asyncio.wait_for(client.finish("t"), 5))[-1]["turn"] == "t"
    await client.close()
