"""Real client libraries through the guard, with what they negotiate on their own (compression)."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import websockets
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

pytestmark = pytest.mark.sanitized
both = pytest.mark.parametrize("ws", ["websockets", "wsproto"])


async def turn(client, **options) -> dict:
    await client.send(json.dumps({"text": "hi", "turn": "t", "conn": "c", **options}))
    while True:
        message = json.loads(await asyncio.wait_for(client.recv(), 10))
        assert (message["turn"], message["conn"]) == ("t", "c"), "an answer of another turn"
        if message["type"] == "chat":
            return message


@both
async def test_python_websockets_has_its_turns(stack, ws):
    s = stack(ws=ws)
    async with websockets.connect(f"ws://127.0.0.1:{s.port}/ws/u") as client:
        for text in ("one", "two", "x" * 10_000):
            assert (await turn(client, text=text))["content"] == text
    assert (await s.agent.empty("u"))["sessions"] == 0


@both
async def test_python_websockets_comes_back_in_mid_turn_with_compression_on_offer(stack, ws):
    s = stack(ws=ws)
    url = f"ws://127.0.0.1:{s.port}/ws/u"
    client = await websockets.connect(url)
    await client.send(json.dumps({"text": "hi", "tokens": 10, "pace": 0.1}))
    await client.recv()
    await client.close()
    start = time.monotonic()
    async with websockets.connect(url) as client:
        assert time.monotonic() - start < 5  # the turn's end was seen, not waited out
        assert (await turn(client, text="again"))["content"] == "again"
    assert s.agent_server.trouble() == []


BROWSER_SCRIPT = """
const done = arguments[arguments.length - 1];
const url = `ws://${location.host}/ws/browser`;
const open = () => new Promise((resolve, reject) => {
  const ws = new WebSocket(url);
  ws.onopen = () => resolve(ws);
  ws.onerror = () => reject(new Error("refused"));
});
const turn = (ws, options, until) => new Promise((resolve, reject) => {
  const conn = crypto.randomUUID();
  ws.onclose = (event) => reject(new Error(`closed ${event.code}`));
  ws.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.conn !== conn) reject(new Error("an answer of another connection"));
    if (message.type === until) resolve(message);
  };
  ws.send(JSON.stringify({text: "hi", turn: "t", conn, ...options}));
});
(async () => {
  for (let drop = 0; drop < 3; drop += 1) {
    const ws = await open();
    await turn(ws, {tokens: 10, pace: 0.05}, "chat_token");
    ws.onclose = ws.onmessage = null;
    ws.close();
  }
  const ws = await open();
  return (await turn(ws, {text: "again"}, "chat")).content;
})().then(done, (error) => done(`failed: ${error.message}`));
"""


def test_a_browser_that_drops_in_mid_turn_comes_back_every_time(stack, tmp_path):
    s = stack()
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        browser.set_script_timeout(30)
        browser.get(f"http://127.0.0.1:{s.port}/")
        assert browser.execute_async_script(BROWSER_SCRIPT) == "again"
    finally:
        browser.quit()
    assert s.agent_server.trouble() == []
