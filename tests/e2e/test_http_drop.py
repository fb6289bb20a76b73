"""Clients that leave plain requests: the agent knows at once, or the shield lets it finish."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time

import httpx
import pytest

import httpclient
from streamclients import CurlClient, HttpxClient, RawClient, ResettingClient, StreamClient
from wsclient import Drop

pytestmark = pytest.mark.sanitized

NOTICE = 1.0  # seconds from a client's going to the agent's knowing
HOLD = 0.3  # seconds in which something that must not happen is waited for
anyone = pytest.mark.parametrize("client", [CurlClient, HttpxClient, RawClient, ResettingClient])
each = pytest.mark.parametrize(
    "client, http_name",
    [
        (CurlClient, "h11"),
        (HttpxClient, "httptools"),
        (RawClient, "h11"),
        (ResettingClient, "httptools"),
    ],
)
both = pytest.mark.parametrize("http_name", ["h11", "httptools"])


async def noticed_after(stack, user: str, since: float, event: str = "stream_cancelled") -> float:
    """Seconds from `since` until the agent recorded it: the machine has one monotonic clock."""
    assert await stack.agent.wait(user, event, timeout=5), await stack.agent.events(user)
    (at,) = [e["at"] for e in await stack.agent.events(user) if e["name"] == event]
    return at - since


# Without a session key the agent is left at once.


@anyone
async def test_the_agent_notices_who_leaves_while_it_is_silent(http_stack, report, client):
    s, gate = http_stack, f"silent-{client.__name__}"
    stream = await client.open(s.port, f"/events/{gate}")
    assert await stream.line() == "id: 1"
    left = time.monotonic()
    await stream.leave()
    seconds = await noticed_after(s, gate, left)
    report(f"{client.__name__} leaves: the agent knows after {seconds * 1000:.1f} ms")
    assert seconds < NOTICE


@anyone
async def test_the_agent_notices_who_leaves_while_it_talks(http_stack, client):
    s, gate = http_stack, f"talking-{client.__name__}"
    await s.agent.open(gate)
    stream = await client.open(s.port, f"/answers/{gate}?tokens=1000&pace=0.005", b"why?")
    while '"token": 5' not in await stream.line():
        pass
    left = time.monotonic()
    await stream.leave()
    assert await noticed_after(s, gate, left) < NOTICE


@anyone
async def test_the_agent_notices_who_leaves_before_its_answer(http_stack, client):
    s, gate = http_stack, f"thinking-{client.__name__}"
    stream = await client.open(s.port, f"/thinking/{gate}")
    assert await s.agent.wait(gate, "stream_started")
    left = time.monotonic()
    await stream.leave()
    assert await noticed_after(s, gate, left) < NOTICE


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_an_upload_that_breaks_off_breaks_off_at_the_agent(http_stack, framing):
    s, user = http_stack, f"upload-{framing[:7]}"
    head = f"PUT /upload?user={user} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", s.port)
    writer.write(head.encode() + b"a\r\n0123456789\r\n")
    assert await s.agent.wait(user, "upload_started")
    left = time.monotonic()
    writer.close()
    assert await noticed_after(s, user, left, "upload_broken") < NOTICE


async def test_others_on_the_guard_are_served_while_clients_leave(http_stack):
    s, gate = http_stack, "others"
    stayer = await RawClient.open(s.port, f"/events/{gate}")
    assert await stayer.line() == "id: 1"
    for n in range(20):
        leaver = await (RawClient, ResettingClient)[n % 2].open(s.port, f"/events/{gate}-{n}")
        assert await leaver.line() == "id: 1"
        await leaver.leave()
    await s.agent.open(gate)
    assert await stayer.rest() == ["data: first", "id: 2", "data: second"]
    for n in range(20):
        assert await s.agent.wait(f"{gate}-{n}", "stream_cancelled", timeout=NOTICE)


# The shield. A second question of the same user waits for the end of the first one's answer.


def asked_by(user: str) -> dict[str, str]:
    return {"x-user": user}


async def ask(stack, client: type[StreamClient], user: str, target: str) -> StreamClient:
    """Asks, and reads the first line of the answer."""
    stream = await client.open(stack.port, f"/answers/{target}", b"why?", asked_by(user))
    assert await stream.line() == '{"question": "why?"}'
    return stream


async def story(stack, user: str) -> list[tuple[str, str]]:
    events = await stack.agent.events(user)
    names = ((event["name"].partition("_"), event["detail"]["gate"]) for event in events)
    return [(what, gate) for (kind, _, what), gate in names if kind == "stream"]


def most_at_a_time(told: list[tuple[str, str]]) -> int:
    running, most = 0, 0
    for name, _ in told:
        running += 1 if name == "started" else -1
        most = max(most, running)
    return most


def agent_with(http_name: str) -> tuple[str, ...]:
    return ("--http", http_name)


@each
async def test_finish_lets_an_abandoned_answer_end_before_the_next_begins(
    own_http_stack, report, client, http_name
):
    s = own_http_stack(agent_with(http_name), on_drop="finish")
    first = await ask(s, client, "u", "one?tokens=20")
    await first.leave()
    second = await RawClient.open(s.port, "/answers/two", b"again?", asked_by("u"))
    assert not await s.agent.wait("u", "stream_started|stream_cancelled", HOLD, count=2)
    await s.agent.open("one")
    assert await second.line() == '{"question": "again?"}'
    await s.agent.open("two")
    assert await second.rest() == ['{"last": "two"}']
    assert await s.agent.wait("u", "stream_done", count=2)
    told = await story(s, "u")
    assert told == [("started", "one"), ("done", "one"), ("started", "two"), ("done", "two")]
    at = {(e["name"], e["detail"]["gate"]): e["at"] for e in await s.agent.events("u")}
    gap = at["stream_started", "two"] - at["stream_done", "one"]
    report(f"{http_name}, {client.__name__} left: {gap * 1000:.0f} ms of settle and barrier")
    assert 0.1 <= gap < 1
    asked = re.findall(r'"(GET /|POST /answers/\w+)[ ?]', s.agent_server.log())
    asked = asked[asked.index("POST /answers/one") :][:3]
    assert asked == ["POST /answers/one", "GET /", "POST /answers/two"]  # GET: the barrier
    assert s.agent_server.trouble() == []


@both
async def test_finish_keeps_many_returns_of_one_user_apart(own_http_stack, http_name):
    s = own_http_stack(agent_with(http_name), on_drop="finish", settle="10ms")
    for n in range(10):
        await s.agent.open(f"t{n}")
        client = (RawClient, ResettingClient, HttpxClient)[n % 3]
        stream = await ask(s, client, "u", f"t{n}?tokens=10")
        await stream.leave()
    assert await s.agent.wait("u", "stream_done", count=10)
    told = await story(s, "u")
    assert [gate for name, gate in told if name == "done"] == [f"t{n}" for n in range(10)]
    assert most_at_a_time(told) == 1


async def test_a_return_that_races_the_drop_is_served_after_it(own_http_stack):
    """The guard hears of both at once, on two threads, in either order."""
    s = own_http_stack(on_drop="finish", settle="5ms")
    rounds = 40
    for n in range(rounds):
        first = await ask(s, (RawClient, ResettingClient)[n % 2], "u", f"a{n}")
        second = await RawClient.connect(s.port)
        leaving = asyncio.ensure_future(first.leave())
        if n % 4 < 2:
            await leaving
        second.send(f"/answers/b{n}", b"again?", asked_by("u"))
        await leaving
        await s.agent.open(f"a{n}")
        await s.agent.open(f"b{n}")
        assert await second.rest() == ['{"question": "again?"}', f'{{"last": "b{n}"}}']
    assert await s.agent.wait("u", "stream_done", count=2 * rounds)
    told = await story(s, "u")
    order = [f"{which}{n}" for n in range(rounds) for which in "ab"]
    assert [gate for name, gate in told if name == "done"] == order
    assert most_at_a_time(told) == 1


@both
async def test_finish_holds_for_who_leaves_before_the_first_byte(own_http_stack, http_name):
    s = own_http_stack(agent_with(http_name), on_drop="finish")
    first = await RawClient.open(s.port, "/answers/one", b"why?", asked_by("u"))
    assert await s.agent.wait("u", "stream_started")
    await first.leave()
    second = await RawClient.open(s.port, "/answers/two", b"again?", asked_by("u"))
    assert not await s.agent.wait("u", "stream_started|stream_cancelled", HOLD, count=2)
    await s.agent.open("one")
    assert await second.line() == '{"question": "again?"}'
    await second.leave()
    await s.agent.open("two")
    assert await s.agent.wait("u", "stream_done", count=2)
    assert most_at_a_time(await story(s, "u")) == 1


@pytest.mark.parametrize("on_drop", ["finish", "close"])
async def test_a_question_that_breaks_off_does_not_keep_the_key(own_http_stack, on_drop):
    """There is nothing to finish: the agent has no whole question."""
    s = own_http_stack(on_drop=on_drop)
    head = b"POST /answers/one HTTP/1.1\r\nHost: a\r\nX-User: u\r\nContent-Length: 1000\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", s.port)
    writer.write(head + b"why")
    assert await s.agent.wait("u", "question", gate="one")
    writer.close()
    second = await ask(s, RawClient, "u", "two")
    await s.agent.open("two")
    assert await second.rest() == ['{"last": "two"}']
    assert await story(s, "u") == [("started", "two"), ("done", "two")]


@each
async def test_close_lets_the_agent_know_and_the_next_one_begin(own_http_stack, client, http_name):
    s = own_http_stack(agent_with(http_name), on_drop="close")
    first = await ask(s, client, "u", "one")
    left = time.monotonic()
    await first.leave()
    second = await ask(s, RawClient, "u", "two")
    assert await noticed_after(s, "u", left) < NOTICE
    await s.agent.open("two")
    assert await second.rest() == ['{"last": "two"}']
    told = await story(s, "u")
    assert told[:3] == [("started", "one"), ("cancelled", "one"), ("started", "two")]
    assert most_at_a_time(told) == 1


async def test_a_held_request_gives_up_after_wait_with_503_and_retry_after(own_http_stack):
    s = own_http_stack(on_drop="finish", wait="300ms")
    await (await ask(s, RawClient, "u", "one")).leave()
    start = time.monotonic()
    request = b"POST /answers/two HTTP/1.1\r\nHost: a\r\nX-User: u\r\nContent-Length: 4\r\n\r\nwhy?"
    response = await httpclient.exchange(s.port, request)
    assert response.status == 503
    assert 0.25 < time.monotonic() - start < 1.5
    assert int(response.header("retry-after")) >= 1
    assert response.header("content-type") == "application/problem+json"
    assert response.json()["request_id"] == response.header("x-request-id")
    await s.agent.open("one")
    await s.agent.open("two")
    assert await s.agent.wait("u", "stream_done")
    second = await RawClient.open(s.port, "/answers/two", b"why?", asked_by("u"))
    assert (await second.rest())[-1] == '{"last": "two"}'
    assert most_at_a_time(await story(s, "u")) == 1


async def test_a_newer_request_takes_the_place_of_one_that_waits(own_http_stack):
    s = own_http_stack(on_drop="finish")
    await (await ask(s, RawClient, "u", "one")).leave()
    waiter = await RawClient.open(s.port, "/answers/never", b"why?", asked_by("u"))
    assert not await s.agent.wait("u", "stream_started", HOLD, count=2)
    newest = await RawClient.open(s.port, "/answers/two", b"again?", asked_by("u"))
    problem = json.loads(await waiter.line())
    assert (waiter.status, problem["status"]) == (409, 409)
    await waiter.leave()
    await s.agent.open("one")
    assert await newest.line() == '{"question": "again?"}'
    await s.agent.open("two")
    assert await newest.rest() == ['{"last": "two"}']
    assert [gate for name, gate in await story(s, "u") if name == "started"] == ["one", "two"]


async def test_takeover_cuts_the_older_answer_visibly_and_lets_the_agent_finish_it(own_http_stack):
    s = own_http_stack(on_drop="finish", on_conflict="takeover")
    old = await ask(s, RawClient, "u", "one")
    new = await RawClient.open(s.port, "/answers/two", b"again?", asked_by("u"))
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await old.line()
    await s.agent.open("one")
    await s.agent.open("two")
    assert await new.rest() == ['{"question": "again?"}', '{"last": "two"}']
    assert await s.agent.wait("u", "stream_done", count=2)
    told = await story(s, "u")
    assert told == [("started", "one"), ("done", "one"), ("started", "two"), ("done", "two")]


async def test_reject_refuses_the_newer_request_and_leaves_the_older_alone(own_http_stack):
    s = own_http_stack(on_drop="finish", on_conflict="reject")
    old = await ask(s, RawClient, "u", "one")
    new = await RawClient.open(s.port, "/answers/never", b"again?", asked_by("u"))
    assert json.loads(await new.line())["status"] == new.status == 409
    await new.leave()
    await s.agent.open("one")
    assert await old.rest() == ['{"last": "one"}']
    assert [gate for name, gate in await story(s, "u") if name == "started"] == ["one"]


async def test_a_waiter_that_leaves_never_asks_the_agent(own_http_stack):
    s = own_http_stack(on_drop="finish")
    await (await ask(s, RawClient, "u", "one")).leave()
    for client in (RawClient, ResettingClient):
        waiter = await client.open(s.port, "/answers/never", b"why?", asked_by("u"))
        assert not await s.agent.wait("u", "stream_started", HOLD, count=2)
        await waiter.leave()
    await s.agent.open("one")
    await s.agent.open("two")
    second = await ask(s, RawClient, "u", "two")
    assert await second.rest() == ['{"last": "two"}']
    assert [gate for name, gate in await story(s, "u") if name == "started"] == ["one", "two"]


async def test_other_users_and_other_methods_and_nobodys_requests_are_not_held(own_http_stack):
    s = own_http_stack(on_drop="finish")
    await (await ask(s, RawClient, "ann", "one")).leave()  # ann's key is held until the gate opens
    bob = await ask(s, RawClient, "bob", "two")
    nobodies = [await RawClient.open(s.port, f"/answers/n{n}", b"why?") for n in range(2)]
    for nobody in nobodies:
        assert await nobody.line() == '{"question": "why?"}'
    get = b"GET /answers/one HTTP/1.1\r\nHost: a\r\nX-User: ann\r\nConnection: close\r\n\r\n"
    assert (await httpclient.exchange(s.port, get)).json() == {"open": False}
    assert await story(s, "ann") == [("started", "one")]
    for gate in ("one", "two", "n0", "n1"):
        await s.agent.open(gate)
    for stream in (bob, *nobodies):
        assert len(await stream.rest()) == 1
    assert await s.agent.wait("ann", "stream_done")


async def test_a_user_who_stays_asks_again_on_the_same_connection(own_http_stack, report):
    """Nobody left: neither the shield nor a second connection has a part in it."""
    s = own_http_stack(on_drop="finish")
    await s.agent.open("one")
    url = f"http://127.0.0.1:{s.port}/answers/one"
    async with httpx.AsyncClient(trust_env=False) as client:
        start = time.monotonic()
        for _ in range(5):
            response = await client.post(url, content=b"why?", headers=asked_by("u"))
            assert response.text.endswith('{"last": "one"}\n')
        seconds = (time.monotonic() - start) / 5
    report(f"fenced POSTs of one user, one after the other: {seconds * 1000:.0f} ms each")
    assert most_at_a_time(await story(s, "u")) == 1
    assert s.guard.gauge("connguard_connections_accepted_total") == 1


# WebSockets of the same user, and the guard's own end.


async def test_a_question_waits_for_the_turn_of_a_websocket_that_dropped(own_http_stack):
    s = own_http_stack(on_drop="finish")
    client = await s.connect("u")
    await client.start(tokens=20, pace=0.05)
    await client.message()
    await client.drop(Drop.RST)
    await s.agent.open("one")
    assert len(await (await ask(s, RawClient, "u", "one")).rest()) == 1
    names = [event["name"] for event in await s.agent.events("u")]
    assert names.index("turn_done") < names.index("exit") < names.index("question")
    assert s.agent_server.trouble() == []


async def test_a_websocket_waits_for_the_answer_of_a_client_that_left(own_http_stack):
    s = own_http_stack(on_drop="finish")
    await (await ask(s, RawClient, "u", "one")).leave()
    client = await s.open("u")
    assert not await s.agent.wait("u", "open|stream_cancelled", HOLD)
    await s.agent.open("one")
    await client.accepted()
    names = [event["name"] for event in await s.agent.events("u")]
    assert names == ["question", "stream_started", "stream_done", "open"]
    await client.turn()
    await client.close()


async def test_sigterm_lets_answers_end_with_and_without_their_clients(own_http_stack):
    s = own_http_stack(on_drop="finish")
    await (await ask(s, RawClient, "ann", "left")).leave()
    stream = await RawClient.open(s.port, "/events/stayed")
    assert await stream.line() == "id: 1"
    s.guard.process.send_signal(signal.SIGTERM)
    while (await httpclient.request(s.guard.admin, "/readyz")).status == 200:
        pass
    await s.agent.open("stayed")
    assert await stream.rest() == ["data: first", "id: 2", "data: second"]
    await s.agent.open("left")
    assert await asyncio.to_thread(s.guard.process.wait, 10) == 0
    assert await story(s, "ann") == [("started", "left"), ("done", "left")]
    assert (await story(s, "stayed"))[-1] == ("done", "stayed")
