"""The admin API on live sessions: what it shows of them, and what it does to them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from typing import Any, AsyncIterator

import jsonschema
import pytest
from guardconfig import guard_config
from test_admin_api import ask, check
from wsclient import Client, Closed, Drop

KEY = hashlib.sha256(b"giulia").hexdigest()[:10]


async def document(port: int) -> dict[str, Any]:
    return (await ask(port, "GET", "/v1/openapi.json")).json()


async def get(port: int, target: str) -> Any:
    response = await ask(port, "GET", target)
    assert response.status == 200, (target, response)
    return response.json()


async def only_session(port: int) -> dict[str, Any]:
    (session,) = (await get(port, "/v1/sessions"))["sessions"]
    return session


async def eventually(probe, timeout: float = 15.0) -> Any:
    """The first true value of `await probe()`."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not (value := await probe()):
        assert asyncio.get_running_loop().time() < deadline, probe
        await asyncio.sleep(0.02)
    return value


@contextlib.asynccontextmanager
async def events(port: int, query: str = "") -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """(event, data) one after the other; the greeting has come when the body begins."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")

    async def blocks() -> AsyncIterator[tuple[str, Any]]:
        while True:
            lines = (await asyncio.wait_for(reader.readuntil(b"\n\n"), 20)).decode().split("\n")
            fields = dict(line.split(": ", 1) for line in lines if ": " in line)
            if fields:
                yield fields["event"], json.loads(fields["data"])

    stream = blocks()
    assert (await anext(stream))[0] == "hello"
    try:
        yield stream
    finally:
        writer.close()


async def test_a_session_is_shown_without_its_users_name(stack):
    s = stack()
    client = await s.connect("giulia")
    await client.turn()
    described = await document(s.guard.admin)
    response = await ask(s.guard.admin, "GET", "/v1/sessions?state=open")
    check(described, "/v1/sessions", "GET", response)
    assert b"giulia" not in response.body
    (session,) = response.json()["sessions"]
    assert (session["route"], session["upstream"], session["key"]) == ("chat", "agent", KEY)
    assert session["messages_up"] >= 1 and session["bytes_down"] > 0
    assert session["client"]["address"].startswith("127.0.0.1")
    one = await ask(s.guard.admin, "GET", f"/v1/sessions/{session['id']}")
    check(described, "/v1/sessions/{id}", "GET", one)
    assert len(one.json()["recorder"]) > 1
    keys = await ask(s.guard.admin, "GET", "/v1/keys")
    check(described, "/v1/keys", "GET", keys)
    (key,) = keys.json()["keys"]
    assert (key["key"], key["state"], key["waiter"]) == (KEY, "held", None)
    assert key["holders"][0]["session"] == session["id"]
    await client.close()


async def test_keys_are_shown_where_the_operator_wants_them(start_agent, start_guard):
    text = guard_config(start_agent().port)
    guard = start_guard(text.replace("{admin}}", "{admin}, show_keys: true}"))
    client = await Client.connect(guard.port, "/ws/giulia")
    assert (await only_session(guard.admin))["key"] == "giulia"
    assert (await get(guard.admin, "/v1/keys?q=giulia"))["matched"] == 1
    await client.close()


async def test_an_operator_closes_a_session(stack):
    s = stack()
    client = await s.connect("giulia")
    session = await only_session(s.guard.admin)
    response = await ask(s.guard.admin, "DELETE", f"/v1/sessions/{session['id']}")
    check(await document(s.guard.admin), "/v1/sessions/{id}", "DELETE", response)
    assert (response.status, response.json()["id"]) == (202, session["id"])
    with pytest.raises(Closed) as closed:
        while True:
            await client.receive()
    assert (closed.value.code, closed.value.reason) == (1000, "closed by the operator")
    await s.agent.empty()
    gone = f"/v1/sessions/{session['id']}"

    async def is_gone() -> bool:
        return (await ask(s.guard.admin, "GET", gone)).status == 404

    await eventually(is_gone)
    assert s.guard.closes("operator") == 1
    assert (await ask(s.guard.admin, "DELETE", gone)).status == 404
    again = await s.connect("giulia")
    await again.turn()
    await again.close()


async def test_a_drop_in_mid_turn_is_seen_as_it_happens(stack):
    s = stack()
    schemas = await document(s.guard.admin)
    stream_schema = schemas["paths"]["/v1/events"]["get"]["responses"]["200"]["content"][
        "text/event-stream"
    ]["schema"]["x-events"]
    seen = []
    async with events(s.guard.admin) as stream:
        client = await s.connect("giulia")
        await client.start(seconds=1)
        await client.drop(Drop.FIN)
        async for name, data in stream:
            schema = {**stream_schema[name], "components": schemas["components"]}
            jsonschema.Draft202012Validator(schema).validate(data)
            assert data["key"] == KEY
            seen.append(name)
            if name == "shielded":
                overview = await get(s.guard.admin, "/v1/overview")
                assert overview["tunnels"]["shielded"] == 1
                assert overview["turns_in_flight"] == 1
            if name == "closed":
                break
    order = [name for name in seen if name != "state"]
    assert order[0] == "opened" and order[-1] == "closed"
    assert "dropped" in order and "shielded" in order
    drops = (await get(s.guard.admin, "/v1/overview"))["drops"]
    assert sum(drops["causes"]["client_lost"]) == 1


async def test_an_event_stream_can_be_of_one_session(stack):
    s = stack()
    first = await s.connect("giulia")
    session = await only_session(s.guard.admin)
    async with events(s.guard.admin, f"?session={session['id']}") as stream:
        other = await s.connect("marco")
        await other.close()
        await first.close()
        async for name, data in stream:
            assert data["id"] == session["id"]
            if name == "closed":
                break


async def test_a_refused_reload_is_told_and_nothing_changes(stack):
    s = stack()
    described = await document(s.guard.admin)
    path = next(part for part in s.guard.process.args if str(part).endswith(".yaml"))
    before = open(path).read()
    unchanged = await ask(s.guard.admin, "POST", "/v1/reload")
    check(described, "/v1/reload", "POST", unchanged)
    assert unchanged.json()["result"] == "unchanged"
    with open(path, "w") as file:
        file.write(before.replace("settle:", "settel:"))
    refused = await ask(s.guard.admin, "POST", "/v1/reload")
    check(described, "/v1/reload", "POST", refused)
    assert refused.status == 422 and "settel" in refused.json()["errors"][0]
    ready = await get(s.guard.admin, "/readyz")
    assert ready["status"] == "ready" and "settel" in ready["config"]["last_error"]
    with open(path, "w") as file:
        file.write(before.replace("settle: 100ms", "settle: 50ms"))
    applied = await ask(s.guard.admin, "POST", "/v1/reload")
    check(described, "/v1/reload", "POST", applied)
    assert applied.json()["result"] == "applied"
    assert "routes.chat: session.settle: 100ms -> 50ms" in applied.json()["plan"]["live"]
    assert "settle: 50ms" in (await ask(s.guard.admin, "GET", "/v1/config")).body.decode()
    assert (await get(s.guard.admin, "/readyz"))["config"]["last_error"] is None


async def test_a_drain_by_the_api_is_that_of_sigterm(stack):
    s = stack()
    client = await s.connect("giulia")
    response = await ask(s.guard.admin, "POST", "/v1/drain")
    check(await document(s.guard.admin), "/v1/drain", "POST", response)
    with pytest.raises(Closed) as closed:
        while True:
            await client.receive()
    assert closed.value.code in (1001, 1012)
    assert await asyncio.to_thread(s.guard.process.wait, 20) == 0
