"""What the live page makes of the stream of events and of snapshots, in every order: in Chromium,
against admin endpoints that a test scripts."""

from __future__ import annotations

import asyncio
import json
import time


from fakeadmin import session
from livepage import LivePage

MOST_ROWS = 100  # in the document, whatever there is
WATCH_TASKS = """
window.tasks = [];
new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration)))
  .observe({type: 'longtask'});
"""


def states(page: LivePage) -> dict[str, str]:
    return {row.id: row.state for row in page.rows()}


async def test_events_are_read_wherever_the_stream_is_cut(admin, page):
    await page.open(admin.port)
    stream = b""
    for number in (1, 2, 3):
        data = json.dumps({**session(number, key="ü" * 10), "at": "2026-01-01T00:00:00Z"})
        stream += b": a comment\n\nid: 7\r\nevent: opened\r\ndata: " + data.encode() + b"\r\n\r\n"
    for i in range(0, len(stream), 37):
        admin.send(stream[i : i + 37])
        await asyncio.sleep(0.002)
    await page.until(lambda: len(page.rows()) == 3)
    assert {row.key for row in page.rows()} == {"ü" * 10}


async def test_a_lost_stream_is_opened_again_and_what_was_missed_is_caught_up_with(admin, page):
    admin.sessions = [session(1), session(2)]
    await page.open(admin.port)
    await page.until(lambda: states(page) == {"0:1": "open", "0:2": "open"})
    admin.sessions = [session(2, state="shielded", client_leg="gone"), session(3)]
    admin.hang_up()
    await page.until(lambda: page.text("#link").startswith("Reconnecting"))
    await page.until(lambda: page.text("#link") == "Live")
    await page.until(lambda: states(page).get("0:2") == "shielded")
    await page.until(lambda: states(page) == {"0:2": "shielded", "0:3": "open"}, "0:1 has gone")


async def test_after_a_gap_all_is_read_again(admin, page):
    admin.sessions = [session(1)]
    await page.open(admin.port)
    await page.until(lambda: states(page) == {"0:1": "open"})
    admin.sessions = [session(1), session(2)]
    passes = admin.passes
    await page.until(lambda: admin.passes > passes)  # the next one by itself is two seconds away
    passes, start = admin.passes, time.monotonic()
    admin.tell("gap", {"lost": 12})
    await page.until(lambda: admin.passes > passes)
    assert time.monotonic() - start < 1.5
    await page.until(lambda: "0:2" in states(page))


async def test_a_snapshot_does_not_revive_what_an_event_has_closed(admin, page):
    admin.sessions = [session(1), session(2)]
    await page.open(admin.port)
    await page.until(lambda: len(page.rows()) == 2)
    admin.tell("closed", session(1, state="over", cause="client_lost"))
    closed = await page.until(lambda: [row for row in page.rows() if row.state == "closed"])
    assert (closed[0].id, closed[0].cause, closed[0].client) == ("0:1", "client lost", "gone")
    await page.until(lambda: states(page) == {"0:2": "open"}, "it fades, while snapshots have it")
    passes = admin.passes
    await page.until(lambda: admin.passes >= passes + 2)
    assert states(page) == {"0:2": "open"}


async def test_a_key_keeps_its_old_and_its_new_session_together(admin, page):
    admin.sessions = [session(number, age_ms=1000 * number) for number in range(1, 40)]
    await page.open(admin.port)
    old = session(20, state="shielded", client_leg="gone", cause="client_reset")
    new = session(99, key=old["key"], state="waiting", client_leg="waiting", up_leg="none", age_ms=0)
    admin.sessions[19] = old
    admin.sessions.append(new)
    admin.tell("shielded", old)
    admin.tell("state", new)
    await page.until(lambda: [row.id for row in page.rows()[:2]] == ["0:20", "0:99"])
    await page.until(lambda: "behind 0:20 shielded" in page.text("#waits"))


async def test_pages_of_sessions_are_all_read(admin, page):
    admin.sessions = [session(number) for number in range(2500)]
    await page.open(admin.port)
    await page.until(lambda: page.text("#tile-open .value") == "2,500")
    offsets = [path for path in admin.asked if "/v1/sessions?" in path][:3]
    assert [path.split("offset=")[1].split("&")[0] for path in offsets] == ["0", "1000", "2000"]


async def test_a_busy_guard_does_not_make_the_page_busy(admin, page, report):
    """2,000 sessions and 200 events a second. How long tasks take depends on the machine, and is
    only reported; what they do does not: few rows, few nodes, and no more of them with time."""
    admin.sessions = [session(number) for number in range(2000)]
    await page.open(admin.port)
    await page.until(lambda: page.text("#tile-open .value") == "2,000")
    await asyncio.sleep(1)
    page.run(WATCH_TASKS)
    start = time.monotonic()
    nodes = []
    for turn in range(200):
        for number in range(turn * 10, turn * 10 + 5):
            admin.tell("shielded", session(number, state="shielded", client_leg="gone"))
            admin.tell("opened", session(number, epoch=turn))
        await asyncio.sleep(max(0.0, start + turn * 0.05 - time.monotonic()))
        if turn % 50 == 49:
            nodes.append(page.run("return document.querySelectorAll('*').length"))
            assert len(page.rows()) <= MOST_ROWS
    tasks = page.run("return tasks")
    report(f"live page, 2,000 sessions, 200 events/s for 10 s: {len(tasks)} tasks over 50 ms, "
           f"the longest {max(tasks, default=0):.0f} ms; {nodes[-1]} nodes")  # fmt: skip
    assert nodes[-1] < 4000 and nodes[-1] < nodes[0] + 1000
