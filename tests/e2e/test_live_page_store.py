"""What the live page forgets, and when: nothing of an earlier process stays, nothing that is over leaks,
and nothing that it is told can stop it. In Chromium, against admin endpoints that a test scripts."""

from __future__ import annotations

import asyncio
import time

from selenium.webdriver.common.keys import Keys

from fakeadmin import session
from livepage import LivePage

# The page's own store, from its module; it calls `expire` all the time.
FIND_STORE = """
const done = arguments[0];
import('/store.js').then(({ Store }) => {
  const { expire } = Store.prototype;
  Store.prototype.expire = function (now) {
    window.store = this;
    Store.prototype.expire = expire;
    this.expire(now);
    done();
  };
});
"""
SIZES = """
const { sessions, changed, byKey } = window.store;
return [sessions.size, changed.size, byKey.size];
"""
SWEEP = """
const done = arguments[0];
import('/store.js').then(({ Store }) => {
  const store = new Store();
  const raw = (id, age) => ({
    id, key: id, upstream: 'agent', client: {address: ''}, upstream_leg: {}, state: 'open',
    age_ms: age, state_ms: 0, fence_wait_ms: 0,
  });
  store.snapshot([raw('old', 9000), raw('young', 1000), raw('told', 1000)], 0, 10_000);
  const left = [];
  for (const now of [100_000, 200_000, 300_000, 400_000]) {
    store.tell('state', raw('told', now - 9000), now);
    store.sweep(now - 1, now, 5000);
    store.expire(now);
    left.push([...store.sessions.keys()].join());
  }
  done([left, store.counts.open, store.byKey.size, store.changed.size]);
});
"""


def states(page: LivePage) -> dict[str, str]:
    return {row.id: row.state for row in page.rows()}


async def test_nothing_of_an_earlier_process_stays(admin, page):
    """Ids are used again: they are no names across a restart."""
    waiting = {"state": "waiting", "client_leg": "waiting", "up_leg": "none"}
    admin.sessions = [session(1, key="before"), session(2), session(3, key="w-before", **waiting)]
    await page.open(admin.port)
    admin.tell("closed", session(2, state="over", cause="client_lost"))
    await page.until(lambda: page.text("#waits .wait-head").startswith("w-before"))
    await page.until(lambda: states(page).get("0:1") == "open")  # the list and the table are drawn apart
    page.find('tr[data-id="0:1"] .session').click()
    await page.until(lambda: page.shown("#panel"))
    admin.sessions = [session(1, key="after"), session(2), session(3, key="w-after", **waiting)]
    admin.started = "2026-01-01T00:00:01.000Z"
    admin.hang_up()
    start = time.monotonic()
    await page.until(lambda: {row.key for row in page.rows()} == {"after", f"{2:010x}", "w-after"})
    assert states(page) == {"0:1": "open", "0:2": "open", "0:3": "waiting"}
    assert time.monotonic() - start < 5, "and not when the old ones have faded"
    await page.until(lambda: page.text("#waits .wait-head").startswith("w-after"))
    assert page.run("return document.querySelectorAll('#waits .wait-head').length") == 1
    assert page.text("#panel h2").startswith("before"), "who is looking at one may go on"
    await page.until(lambda: page.text("#panel .pill") == "closed")
    assert page.run("return document.querySelectorAll('tr[aria-current=true]').length") == 0
    assert not page.run("return [...document.querySelectorAll('#activity button')].some(b => !b.disabled)")


async def test_a_stream_of_the_same_process_forgets_nothing(admin, page):
    admin.sessions = [session(1), session(2)]
    await page.open(admin.port)
    admin.tell("closed", session(2, state="over", cause="client_lost"))
    await page.until(lambda: states(page) == {"0:1": "open", "0:2": "closed"})
    admin.hang_up()
    await page.until(lambda: admin.streams == 2 and page.text("#link") == "Live")
    passes = admin.passes
    await page.until(lambda: admin.passes >= passes + 2)
    assert states(page).get("0:2") in ("closed", None), "an older snapshot does not revive it"
    assert states(page)["0:1"] == "open"


async def test_a_bad_event_does_not_end_the_feed(admin, page):
    await page.open(admin.port)
    admin.send(b"event: opened\ndata: {\n\n")
    admin.tell("opened", {"id": "0:1"})
    admin.send(b"event: drain\ndata: {\"why\": \"delay\", \"at\": \"then\"}\n\n")
    admin.tell("opened", session(2))
    await page.until(lambda: states(page) == {"0:2": "open"})
    admin.tell("drain", {"why": "draining"})
    await page.until(lambda: "draining" in page.text("#activity"))
    assert admin.streams == 1
    complaints = page.complaints()
    assert len(complaints) == 3 and all("event" in text for text in complaints), complaints


async def test_a_session_that_changes_its_key_can_be_forgotten(admin, page):
    await page.open(admin.port)
    admin.tell("state", session(1, key=None, state="dialing"))
    admin.tell("opened", session(1, fence_wait_ms=0))
    admin.tell("opened", session(2))
    await page.until(lambda: states(page) == {"0:1": "open", "0:2": "open"})
    admin.sessions = [session(2)]
    admin.tell("closed", session(1, key="another", state="over", cause="client_lost"))
    await page.until(lambda: states(page) == {"0:2": "open"}, "it fades")
    assert admin.streams == 1
    assert page.complaints() == []


async def test_a_tab_that_is_not_drawn_does_not_grow(admin, page):
    await page.open(admin.port)
    page.browser.execute_async_script(FIND_STORE)
    page.run("window.requestAnimationFrame = () => 0")  # as in a tab that is hidden
    for number in range(300):
        admin.tell("opened", session(number))
        admin.tell("closed", session(number, state="over", cause="client_lost"))
    await page.until(lambda: page.run(SIZES)[0] == 300)
    await page.until(lambda: page.run(SIZES) == [0, 0, 0], "all are forgotten")


async def test_the_end_of_a_shield_is_told_without_a_list_of_shields(admin, page):
    await page.open(admin.port)
    admin.tell("shielded", session(1, state="shielded", client_leg="gone"))
    admin.tell("opened", session(2))
    admin.tell("closed", session(1, state="over", cause="client_lost", shield_ms=1500))
    admin.tell("closed", session(2, state="over", cause="client_lost"))
    await page.until(lambda: len(page.texts("#activity .line")) == 3)
    assert page.texts("#activity .line .text")[:2] == ["client lost", "shielded for 1.5 s"]


async def test_more_sessions_than_are_read_are_swept_as_far_as_they_are_read(admin, page):
    admin.total = 20_000
    admin.sessions = [session(number, age_ms=60_000 * (4 - number)) for number in (1, 2, 3)]
    await page.open(admin.port)
    admin.tell("opened", session(9, age_ms=0))
    await page.until(lambda: len(page.rows()) == 4)
    del admin.sessions[1]
    await page.until(lambda: states(page).get("0:2") == "closed", "it is over")
    await page.until(lambda: set(states(page)) == {"0:1", "0:3", "0:9"}, "younger ones stay")


async def test_what_no_pass_reaches_goes_when_nothing_is_heard_of_it(admin, page):
    await page.open(admin.port)
    left, open_ones, fences, changed = page.browser.execute_async_script(SWEEP)
    assert left == ["old,young,told", "old,young,told", "young,told", "told"]
    assert (open_ones, fences, changed) == (1, 1, 1)


async def test_gaps_do_not_make_the_page_read_all_the_time(admin, page):
    await page.open(admin.port)
    await page.until(lambda: admin.passes > 0)
    passes, start = admin.passes, time.monotonic()
    while time.monotonic() < start + 5:
        admin.tell("gap", {"lost": 1})
        await asyncio.sleep(0.02)
    assert 2 <= admin.passes - passes <= 8  # three or so are the page's own
    admin.sessions = [session(1)]
    await page.until(lambda: "0:1" in states(page))


async def test_a_token_that_no_field_can_carry_is_asked_for_again(admin, page):
    await page.open(admin.port)
    admin.token = "a-token-of-more-than-16"
    page.run("sessionStorage.setItem('connguard-token', 'zażółć')")
    page.load(admin.port)
    await page.until(lambda: page.shown("#token-dialog"))
    page.press("smart “quotes”", Keys.ENTER)
    await page.until(lambda: "letters, digits" in page.text("#token-error"))
    assert page.shown("#token-dialog") and page.focused()["name"] == "token"
    for _ in range(3):
        page.press(Keys.ESCAPE)
        await page.until(lambda: page.shown("#token-dialog"), "it cannot be escaped from")
    page.find("#token").send_keys(Keys.CONTROL, "a")
    page.press(f" {admin.token} ", Keys.ENTER)
    await page.until(lambda: page.text("#link") == "Live")
    await page.until(lambda: not page.shown("#token-dialog"))
    admin.token = None
