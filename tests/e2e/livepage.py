"""The live page in Chromium: what it shows, and the checks that every state of it has to pass."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import pathlib
import time
from typing import Any, Callable

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from demo.show_me_test import FLAGS

RESULTS = pathlib.Path(__file__).resolve().parent.parent.parent / "build/results/live-page"
LIMIT_S = 20

ROWS = """
return [...document.querySelectorAll('#table tbody tr:not([hidden])')].map(row => ({
  id: row.dataset.id, mood: row.dataset.mood,
  key: row.querySelector('.name').textContent, epoch: row.querySelector('.epoch').textContent,
  client: row.querySelectorAll('.leg')[0].dataset.state,
  upstream: row.querySelectorAll('.leg')[1].dataset.state,
  state: row.querySelector('.pill').textContent,
  cause: row.querySelector('.c-cause').textContent,
  turns: row.querySelector('.c-turns').textContent,
}));
"""

# Text whose contrast to its ground is too low. Colours are read back from a canvas, because they may
# be mixes; what is disabled or has no text of its own does not count.
FAINT = """
const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
  .getContext('2d', {willReadFrequently: true});
const seen = new Map();
function rgba(color) {
  if (!seen.has(color)) {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    seen.set(color, [r, g, b, a / 255]);
  }
  return seen.get(color);
}
const over = (top, ground) => [0, 1, 2].map(i => top[i] * top[3] + ground[i] * (1 - top[3]));
function groundOf(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const layer = rgba(getComputedStyle(at).backgroundColor);
    if (layer[3] > 0) layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
}
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const faint = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || element.closest('.hidden, .skip, :disabled') || !element.checkVisibility()) continue;
  const ground = groundOf(element);
  const ink = over(rgba(getComputedStyle(element).color), ground);
  const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
  const contrast = (high + 0.05) / (low + 0.05);
  if (contrast < 4.5) faint.push(`${element.tagName}.${element.className}: ` +
    `"${element.textContent.slice(0, 30)}" ${contrast.toFixed(2)}`);
}
return faint;
"""

STRUCTURE = """
const wrong = [];
const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`two of id ${id}`);
for (const name of ['aria-labelledby', 'aria-describedby', 'for']) {
  for (const element of document.querySelectorAll(`[${name}]`)) {
    for (const id of element.getAttribute(name).split(' ')) {
      if (!document.getElementById(id)) wrong.push(`${name} names ${id}, which is not there`);
    }
  }
}
if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
let level = 1;
for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
  if (!heading.checkVisibility()) continue;
  const own = Number(heading.tagName[1]);
  if (own > level + 1) wrong.push(`h${own} "${heading.textContent}" behind h${level}`);
  level = own;
}
if (!document.documentElement.lang) wrong.push('no lang');
for (const tag of ['header', 'main']) {
  if (!document.querySelector(`body > ${tag}, #frame > ${tag}`)) wrong.push(`no ${tag}`);
}
for (const element of document.querySelectorAll('[tabindex]')) {
  if (element.tabIndex > 0) wrong.push(`tabindex ${element.tabIndex}`);
}
return wrong;
"""

FOCUSED = """
const element = document.activeElement;
const style = getComputedStyle(element);
return {
  name: element.id || element.getAttribute('aria-label') || element.textContent.trim(),
  session: element.closest('tr[data-id]')?.dataset.id ?? null,
  ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1,
  body: element === document.body,
};
"""

LANDMARKS = {"banner", "main", "table", "row", "columnheader"}
SETTLED = """
const done = arguments[0];
Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished))
  .then(() => requestAnimationFrame(() => done()));
"""
INTERACTIVE = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "dialog", "table"}


def hash_of(user: str) -> str:
    """How the guard shows a session key."""
    return hashlib.sha256(user.encode()).hexdigest()[:10]


def start_browser(profile: pathlib.Path) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_script_timeout(LIMIT_S)
    return browser


@dataclasses.dataclass
class Row:
    """A session as the table shows it; the legs' and the tunnel's states are the API's words."""

    id: str
    mood: str
    key: str
    epoch: str
    client: str
    upstream: str
    state: str
    cause: str
    turns: str


class LivePage:
    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser
        self.resize(1440, 1000)
        self.scheme("light")

    def load(self, admin_port: int) -> None:
        self.browser.get(f"http://127.0.0.1:{admin_port}/")
        assert self.browser.title == "connguard"

    async def open(self, admin_port: int) -> "LivePage":
        """Loads the page and waits until it is live."""
        self.load(admin_port)
        await self.until(lambda: self.text("#link") == "Live" and self.text("#tile-open .value") != "–")
        return self

    async def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Polls, so that the test's clients go on meanwhile. Returns what the condition has come to."""
        deadline = time.monotonic() + LIMIT_S
        while not (value := condition()):
            assert time.monotonic() < deadline, f"{what or 'the page'}: {self.rows()[:8]}"
            await asyncio.sleep(0.03)
        return value

    # What it shows.

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def find(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0])?.textContent.trim() ?? ''"
        return self.run(script, selector)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())"
        return self.run(script, selector)

    def shown(self, selector: str) -> bool:
        script = "return document.querySelector(arguments[0])?.checkVisibility() ?? false"
        return self.run(script, selector)

    def rows(self) -> list[Row]:
        return [Row(**row) for row in self.run(ROWS)]

    def rows_of(self, user: str) -> list[Row]:
        """Those of a session key, in their order on the page."""
        return [row for row in self.rows() if row.key == hash_of(user)]

    async def row(self, user: str, state: str) -> Row:
        """Waits for a row of this key in this state."""

        def matching() -> list[Row]:
            return [row for row in self.rows_of(user) if row.state == state]

        return (await self.until(matching, f"no {state} row of {user}"))[0]

    def activity_of(self, user: str) -> list[str]:
        """The words of the lines about a session key, the oldest first."""
        lines = self.run(
            "return [...document.querySelectorAll('#activity .line')].map(line =>"
            " [line.querySelector('.word').textContent, line.children[2].textContent])"
        )
        return [word for word, name in reversed(lines) if name == hash_of(user)]

    # What an operator does.

    def press(self, *keys: str) -> None:
        for key in keys:
            webdriver.ActionChains(self.browser).send_keys(key).perform()

    def focused(self) -> dict[str, Any]:
        return self.run(FOCUSED)

    def search(self, text: str) -> None:
        field = self.find("#search")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    async def open_panel(self, user: str) -> None:
        row = await self.row(user, "open")
        self.find(f'tr[data-id="{row.id}"] .session').click()
        await self.until(lambda: self.shown("#panel"))

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, value: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": value}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def screenshot(self, name: str) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.browser.set_script_timeout(10)
        self.browser.execute_async_script(SETTLED)  # not in the middle of a change of colours
        self.browser.save_screenshot(str(RESULTS / f"{name}.png"))

    # What holds in every state.

    def nameless(self, landmarks: set[str]) -> list[str]:
        """Controls without an accessible name, as the browser computes it. There must be these
        roles; a modal dialog takes all others away."""
        tree = self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        nodes = [node for node in tree if not node["ignored"]]
        roles = [node["role"]["value"] for node in nodes]
        assert landmarks <= set(roles), set(roles)
        bad = [n for n in nodes if n["role"]["value"] in INTERACTIVE and not n["name"]["value"]]
        return [f"{node['role']['value']} {node['nodeId']}" for node in bad]

    def flaws(self, landmarks: set[str] = LANDMARKS) -> list[str]:
        return self.nameless(landmarks) + self.run(STRUCTURE) + self.run(FAINT)

    def complaints(self) -> list[str]:
        """What the browser has warned of, a violated content security policy for one."""
        log = self.browser.get_log("browser")
        return [entry["message"] for entry in log if entry["level"] in ("SEVERE", "WARNING")]

    def strangers(self) -> list[str]:
        """What was fetched from somewhere else."""
        names = self.run("return performance.getEntriesByType('resource').map(e => e.name)")
        origin = self.run("return location.origin + '/'")
        return [name for name in names if not name.startswith(origin)]
