"""The live page of the admin endpoints in Chromium, against the real guard: what it shows as it
happens, what it can do, and that it is usable without a mouse, without sight, and with 2,000 sessions."""

from __future__ import annotations

import asyncio
import signal
import urllib.request
from typing import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from livepage import LivePage, hash_of
from wsclient import Client, Closed, Drop

TURN = {"tokens": 25, "pace": 0.1}
SESSIONS = 2000
MOST_ROWS = 100  # in the document, whatever there is


@pytest.fixture
def page(browser) -> Iterator[LivePage]:
    page = LivePage(browser)
    page.complaints()  # of the test before
    yield page
    assert page.complaints() == []
    browser.execute_script("sessionStorage.clear(); localStorage.clear()")
    browser.get("about:blank")


async def drop_in_mid_turn(client: Client) -> None:
    await client.start(**TURN)
    await client.message()
    await client.drop(Drop.RST)


# What happens, as it happens.


async def test_a_drop_its_shield_and_the_fresh_binding_are_shown_as_they_happen(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    assert page.text("#none") == "There are no sessions."
    others = [await s.connect(f"other-{i}") for i in range(4)]
    client = await s.connect("alice")
    first = await page.row("alice", "open")
    assert (first.client, first.upstream, first.cause) == ("open", "open", "")
    await page.until(lambda: page.text("#tile-open .value") == "5")

    await drop_in_mid_turn(client)
    shielded = await page.row("alice", "shielded")
    assert (shielded.id, shielded.client, shielded.upstream) == (first.id, "gone", "open")
    assert shielded.cause in ("client reset", "client lost")
    assert page.text("#tile-shielded .value") == "1"

    returning = await s.open("alice")
    waiting = await page.row("alice", "waiting")
    assert waiting.upstream == "none"
    assert [row.id for row in page.rows_of("alice")] == [first.id, waiting.id]
    await page.until(lambda: first.id in page.text("#waits"), "who is waited for")
    assert hash_of("alice") in page.text("#waits")
    assert [row.id for row in page.rows()[:2]] == [first.id, waiting.id]  # above all that is calm
    await page.until(lambda: page.text("#tile-turns .value") == "1", "the turn in flight")
    page.screenshot("shielded")

    await returning.accepted()
    fresh = await page.row("alice", "open")
    over = await page.row("alice", "closed")
    assert (over.id, over.cause) == (first.id, shielded.cause)
    assert (fresh.id, fresh.client, fresh.upstream) == (waiting.id, "open", "open")
    assert (fresh.mood, "fresh" in fresh.epoch) == ("fresh", True)
    assert {row.id for row in page.rows() if row.mood == "fresh"} == {fresh.id}
    await page.until(lambda: len(page.activity_of("alice")) >= 4, "activity")
    assert page.activity_of("alice") == ["dropped", "shielded", "closed", "fresh"]
    await page.until(lambda: page.text("#drops") and shielded.cause in page.text("#drops"))
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        page.screenshot(f"fresh-binding-{scheme}")

    await page.until(lambda: len(page.rows_of("alice")) == 1, "the closed one fades")
    for other in [returning, *others]:
        await other.close()
    await page.until(lambda: page.text("#tile-open .value") == "0")


async def test_a_session_has_a_panel_with_its_recorder_and_can_be_closed(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    client = await s.connect("bob")
    await client.turn()
    await page.open_panel("bob")
    await page.until(lambda: page.texts("#panel .recorder li"), "flight recorder")
    assert any("client" in line for line in page.texts("#panel .recorder li"))
    assert any("upstream" in line for line in page.texts("#panel .recorder li"))
    page.screenshot("panel")

    page.find("#panel button.danger").click()
    assert page.focused()["name"] == "confirm-cancel"
    page.press(Keys.ESCAPE)
    await client.turn()  # nothing has happened
    page.find("#panel button.danger").click()
    page.screenshot("close")
    page.find("#confirm-go").click()
    with pytest.raises(Closed) as closed:
        await asyncio.wait_for(client.receive(), 10)
    assert (closed.value.code, closed.value.reason) == (1000, "closed by the operator")
    assert (await page.row("bob", "closed")).cause == "operator"
    assert s.agent_server.trouble() == []


async def test_a_shield_is_ended_only_by_a_button_that_says_so(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    client = await s.connect("bob")
    await page.open_panel("bob")
    assert page.text("#panel button.danger") == "Close session…"
    await drop_in_mid_turn(client)
    await page.until(lambda: page.text("#panel button.danger") == "End shield…")
    page.find("#panel button.danger").click()
    assert page.text("#confirm-title") == "End this shield?"
    page.screenshot("end-shield")
    page.find("#confirm-go").click()
    await page.row("bob", "closed")
    assert await s.agent.wait("bob", "turn_failed")  # what the shield had kept away


async def test_search_and_filters_find_a_session(stack, page):
    s = stack()
    clients = [await s.connect(user) for user in ("carol", "dave", "eve")]
    await page.open(s.guard.admin)
    await page.until(lambda: len(page.rows()) == 3)
    for text, users in [
        ("carol", ["carol"]),  # by the user, although the page knows only the key's hash
        (hash_of("dave")[:6], ["dave"]),
        ("127.0.0.1", ["carol", "dave", "eve"]),
        ("nobody", []),
        ("", ["carol", "dave", "eve"]),
    ]:
        page.search(text)
        expected = sorted(hash_of(user) for user in users)
        await page.until(lambda: sorted(row.key for row in page.rows()) == expected, text)
    page.find("#tile-waiting").click()
    await page.until(lambda: page.rows() == [] and page.text("#none") == "No session matches.")
    page.find("#tile-waiting").click()
    await page.until(lambda: len(page.rows()) == 3)
    page.find(".c-key .sort").click()
    keys = sorted(hash_of(user) for user in ("carol", "dave", "eve"))
    await page.until(lambda: [row.key for row in page.rows()] == keys)
    page.find(".c-key .sort").click()
    await page.until(lambda: [row.key for row in page.rows()] == keys[::-1])
    assert page.find("th.c-key").get_attribute("aria-sort") == "descending"


# What an operator does to the process.


async def test_a_refused_reload_says_why_and_stays_on_the_page(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    file = s.guard.config
    good = file.read_text()
    file.write_text(good.replace("settle:", "settel:", 1))
    page.find("#reload").click()
    page.find("#confirm-go").click()
    await page.until(lambda: "did you mean 'settle'" in page.text("#confirm-result"))
    await page.until(lambda: f"{file.name}:" in page.text("#reload-banner code"))
    page.screenshot("reload-refused")
    page.find("#confirm-cancel").click()
    file.write_text(good)
    page.find("#reload").click()
    page.find("#confirm-go").click()
    await page.until(lambda: not page.shown("#reload-banner"), "the banner goes")
    page.find("#confirm-cancel").click()
    complaints = page.complaints()  # the browser logs the refusal
    assert all("422" in text for text in complaints), complaints


async def test_a_drain_is_shown_until_the_guard_has_gone(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    client = await s.connect("frank")
    turn = await client.start(**TURN)
    page.find("#drain").click()
    page.find("#confirm-go").click()
    await page.until(lambda: page.text("#drain-banner strong") == "Draining.")
    assert not page.find("#drain").is_enabled()
    page.screenshot("draining")
    await client.finish(turn)
    await page.until(lambda: page.text("#link").startswith("Reconnecting"))
    assert s.guard.process.wait(10) == 0
    complaints = page.complaints()
    assert all("net::ERR" in text for text in complaints), complaints


async def test_the_page_asks_for_the_token(start_agent, start_guard, page):
    from guardconfig import guard_config

    agent = start_agent()
    config = guard_config(agent.port).replace(
        "admin: {bind: 127.0.0.1:{admin}}", "admin: {bind: 127.0.0.1:{admin}, token: a-token-of-more-than-16}"
    )
    guard = start_guard(config)
    client = await Client.connect(guard.port, "/ws/grace")
    page.load(guard.admin)
    await page.until(lambda: page.shown("#token-dialog"))
    page.screenshot("token")
    assert page.focused()["name"] == "token"
    page.press("wrong", Keys.ENTER)
    await page.until(lambda: page.text("#token-error") == "This token was refused.")
    page.press("a-token-of-more-than-16", Keys.ENTER)
    await page.row("grace", "open")
    page.load(guard.admin)
    await page.row("grace", "open")  # it is kept for this tab
    await client.close()
    await page.row("grace", "closed")  # the stream has the token as well
    complaints = page.complaints()
    assert all("401" in text for text in complaints), complaints


# For everybody.


async def test_a_walk_with_the_keyboard_alone(stack, page):
    s = stack()
    clients = [await s.connect(user) for user in ("heidi", "ivan", "judy")]
    await page.open(s.guard.admin)
    await page.until(lambda: len(page.rows()) == 3)
    walk = []
    for _ in range(60):
        page.press(Keys.TAB)
        at = page.focused()
        if at["body"]:
            break
        assert at["ring"], f"{at} has the focus and does not show it"
        walk.append("session" if at["session"] else at["name"])
    names = ["Skip to the sessions", "theme", "reload", "drain", "tile-waiting", "tile-closing"]
    names += ["waits", "activity", "search", "route", "Key", "Route", "session"]
    assert [name for name in walk if name in names] == names

    page.press("/")
    assert page.focused()["name"] == "search"
    page.press(Keys.ARROW_DOWN)
    ids = [row.id for row in page.rows()]
    assert page.focused()["session"] == ids[0]
    page.press(Keys.ARROW_DOWN)
    assert page.focused()["session"] == ids[1]
    page.press(Keys.END)
    assert page.focused()["session"] == ids[2]
    page.press(Keys.HOME, Keys.ENTER)
    assert page.shown("#panel") and page.focused()["name"] == "panel-title"
    page.press(Keys.ESCAPE)
    assert not page.shown("#panel")
    await page.until(lambda: page.focused()["session"] == ids[0], "the focus comes back")
    for client in clients:
        await client.close()


async def test_names_roles_structure_and_contrast(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    client = await s.connect("mallory")
    idle = await s.connect("niaj")
    await drop_in_mid_turn(client)
    waiting = await s.open("mallory")
    await page.row("mallory", "waiting")
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        await page.until(lambda: page.flaws() == [], f"{scheme}: {page.flaws()}")
    await page.open_panel("niaj")
    await page.until(lambda: page.texts("#panel .recorder li"))
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        await page.until(lambda: page.flaws() == [], f"panel, {scheme}: {page.flaws()}")
    page.find("#panel button.danger").click()
    assert page.run("return document.querySelector('#confirm').matches(':modal')")
    await page.until(lambda: page.flaws({"dialog", "heading", "button"}) == [], "the dialog")
    page.press(Keys.ESCAPE)
    await waiting.accepted()
    await waiting.close()
    await idle.close()


async def test_the_page_fits_a_narrow_screen(stack, page):
    s = stack()
    client = await s.connect("olivia")
    await page.open(s.guard.admin)
    await page.row("olivia", "open")
    page.resize(390, 844, mobile=True)
    assert page.run("return document.documentElement.scrollWidth") <= 390
    page.screenshot("narrow")
    await page.open_panel("olivia")
    assert page.run("return document.documentElement.scrollWidth") <= 390
    page.screenshot("narrow-panel")
    await client.close()


async def test_nothing_comes_from_elsewhere_and_nothing_else_would_be_let_in(stack, page):
    s = stack()
    await page.open(s.guard.admin)
    assert page.strangers() == []
    with urllib.request.urlopen(f"http://127.0.0.1:{s.guard.admin}/", timeout=5) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        text = answer.read().decode()
    assert "style=" not in text and "<style" not in text and " onclick" not in text


async def test_two_thousand_sessions(stack, page, report):
    s = stack()
    clients: list[Client] = []
    await page.open(s.guard.admin)
    page.run(
        "window.longest = 0; new PerformanceObserver(list => list.getEntries().forEach(entry =>"
        " { longest = Math.max(longest, entry.duration); })).observe({type: 'longtask'})"
    )
    for i in range(0, SESSIONS, 50):
        users = (f"user-{j}" for j in range(i, i + 50))
        clients += await asyncio.gather(*(s.connect(user) for user in users))
    await page.until(lambda: page.text("#tile-open .value") == f"{SESSIONS:,}", "all are open")
    await page.until(lambda: page.run("return document.querySelector('#table').ariaRowCount")
                     == str(SESSIONS + 1))
    assert len(page.rows()) <= MOST_ROWS
    page.press("/", Keys.ARROW_DOWN, Keys.END)
    assert page.focused()["session"]
    assert len(page.rows()) <= MOST_ROWS
    page.screenshot("two-thousand")
    for client in clients[:200]:
        await client.drop(Drop.RST)
    await page.until(lambda: page.text("#tile-open .value") == f"{SESSIONS - 200:,}", "some left")
    await page.until(lambda: page.text("#matches") == f"{SESSIONS - 200:,}", "and fade")
    assert len(page.rows()) <= MOST_ROWS
    report(f"live page, {SESSIONS} sessions: the longest task took {page.run('return longest')} ms")
    await asyncio.gather(*(client.close() for client in clients[200:]))
