"""Chromium on a page of the agent's, which comes through the guard: EventSource, fetch, uploads."""

from __future__ import annotations

import hashlib
import time
from typing import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from demo.show_me_test import FLAGS

pytestmark = pytest.mark.sanitized

LIMIT_S = 20
QUESTION = '{"question": "why?"}'
UPLOAD = """
const done = arguments[arguments.length - 1];
upload(arguments[0]).then(done, error => done(`failed: ${error.message}`));
"""


class Page:
    """The agent's page; what it says is in a list."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def load(self, port: int) -> None:
        self.browser.get(f"http://127.0.0.1:{port}/page")
        assert self.browser.title == "agent"

    def run(self, script: str, *arguments) -> None:
        """Starts something; a promise is not waited for."""
        self.browser.execute_script(f"void ({script});", *arguments)

    def said(self) -> list[str]:
        script = "return [...document.querySelectorAll('#log li')].map(item => item.textContent)"
        return self.browser.execute_script(script)

    def await_said(self, *texts: str) -> None:
        wait = WebDriverWait(self.browser, LIMIT_S, poll_frequency=0.02)
        wait.until(lambda _: len(self.said()) >= len(texts), f"expected {texts}, got {self.said()}")
        assert self.said() == list(texts)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_script_timeout(LIMIT_S)
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    yield Page(browser)
    browser.get("about:blank")  # ends what the page still has open


async def test_the_first_event_reaches_the_browser_before_the_second_is_made(http_stack, page):
    s = http_stack
    page.load(s.port)
    page.run("listen('browser-events')")
    page.await_said("first")
    await s.agent.open("browser-events")
    page.await_said("first", "second")
    assert await s.agent.wait("browser-events", "stream_done")


async def test_fetch_reads_a_streamed_post_as_it_is_made(http_stack, page):
    s = http_stack
    page.load(s.port)
    page.run("ask('browser-answer', 'why?')")
    page.await_said(QUESTION)
    await s.agent.open("browser-answer")
    page.await_said(QUESTION, '{"last": "browser-answer"}', "over")


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
async def test_fetch_uploads(http_stack, page, size):
    page.load(http_stack.port)
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert page.browser.execute_async_script(UPLOAD, size) == {
        "bytes": size,
        "sha256": hashlib.sha256(body).hexdigest(),
        "framing": "content-length",
    }


@pytest.mark.parametrize(
    "gate, how",
    [("closed", "source.close()"), ("aborted", "abort.abort()"), ("left", "location.reload()")],
)
async def test_the_agent_notices_a_browser_that_leaves(http_stack, report, page, gate, how):
    s = http_stack
    page.load(s.port)
    if gate == "closed":
        page.run("listen(arguments[0])", gate)
        page.await_said("first")
    else:
        page.run("ask(arguments[0], 'why?')", gate)
        page.await_said(QUESTION)
    left = time.monotonic()
    page.run(how)
    assert await s.agent.wait(gate, "stream_cancelled", timeout=5)
    (at,) = [e["at"] for e in await s.agent.events(gate) if e["name"] == "stream_cancelled"]
    report(f"Chromium leaves with {how}: the agent knows after {(at - left) * 1000:.0f} ms")
    assert at - left < 1


async def test_an_event_source_comes_back_after_a_restart_of_the_agent(
    own_http_stack, start_agent, page
):
    """Its own retry comes after three seconds; what connections the guard kept are dead then."""
    s = own_http_stack()
    page.load(s.port)
    page.run("listen('events')")
    page.await_said("first")
    s.agent_server.process.kill()
    s.agent_server.stop()
    start_agent(port=s.agent_server.port)
    page.await_said("first", "error", "first")
    await s.agent.open("events")
    page.await_said("first", "error", "first", "second")


@pytest.mark.parametrize("http_name", ["h11", "httptools"])
async def test_a_reload_in_mid_answer_waits_for_its_end(own_http_stack, page, http_name):
    s = own_http_stack(("--http", http_name), on_drop="finish")
    page.load(s.port)
    page.run("ask('one', 'why?', {'x-user': 'u'})")
    page.await_said(QUESTION)
    page.browser.refresh()
    page.run("ask('two', 'again?', {'x-user': 'u'})")
    assert not await s.agent.wait("u", "stream_started|stream_cancelled", 0.3, count=2)
    assert page.said() == []
    await s.agent.open("one")
    page.await_said('{"question": "again?"}')
    await s.agent.open("two")
    page.await_said('{"question": "again?"}', '{"last": "two"}', "over")
    told = [(e["name"], e["detail"]["gate"]) for e in await s.agent.events("u")]
    assert told.index(("stream_done", "one")) < told.index(("question", "two"))
    assert s.agent_server.trouble() == []
