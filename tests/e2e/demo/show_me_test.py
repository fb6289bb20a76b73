#!/usr/bin/python3
"""Drives the page of `connguard demo` in headless Chromium.

    show_me_test.py CONNGUARD ARTEFACTS

CONNGUARD is the binary, which is run on free ports; screenshots go to the folder ARTEFACTS.
Needs Debian's chromium, chromium-driver and python3-selenium.
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SCENARIO_LIMIT_S = 60
STEP_LIMIT_S = 20
REASON = ("HTTP 500: Unexpected ASGI message 'websocket.close', "
          "after sending 'websocket.close'")
ARGUMENTS = ["--admin", "off", "demo", "--listen", "127.0.0.1:0", "--agent-listen", "127.0.0.1:0"]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1280,1080",
]


def url_of(demo):
    """The URL that the demo prints; it ends its output when it can't start."""
    for line in demo.stdout:
        url = re.search(r"http://\S+", line)
        if url:
            return url.group()
    raise RuntimeError("connguard demo ended without printing its URL")


class ShowMeTest(unittest.TestCase):
    binary = ""
    artefacts = pathlib.Path()

    @classmethod
    def setUpClass(cls):
        cls.demo = subprocess.Popen([cls.binary, *ARGUMENTS], stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.stop_demo)
        cls.url = url_of(cls.demo)
        profile = tempfile.TemporaryDirectory(prefix="connguard-demo-")
        cls.addClassCleanup(profile.cleanup)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in [*FLAGS, f"--user-data-dir={profile.name}"]:
            options.add_argument(flag)
        cls.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        cls.addClassCleanup(cls.browser.quit)

    @classmethod
    def stop_demo(cls):
        cls.demo.send_signal(signal.SIGTERM)
        try:
            cls.demo.wait(STEP_LIMIT_S)
        except subprocess.TimeoutExpired:
            cls.demo.kill()
            cls.demo.wait()
        cls.demo.stdout.close()

    def setUp(self):
        self.browser.get(self.url)
        for pane in ("guarded", "bare"):
            self.wait_for(pane, ".status-text", "Connected")

    def find(self, pane, selector):
        return self.browser.find_element(By.CSS_SELECTOR, f"#{pane} {selector}")

    def wait_for(self, pane, selector, text):
        message = f"{pane} {selector}: no {text!r}"
        WebDriverWait(self.browser, STEP_LIMIT_S).until(
            lambda _: self.find(pane, selector).text == text, message)

    def wait_for_tokens(self, pane, count):
        WebDriverWait(self.browser, STEP_LIMIT_S).until(
            lambda _: len(self.find(pane, ".log .agent:last-of-type").text.split()) >= count,
            f"{pane}: fewer than {count} words")

    def last_answer(self, pane):
        return self.browser.find_elements(By.CSS_SELECTOR, f"#{pane} .log .agent")[-1]

    def screenshot(self, name):
        self.artefacts.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(str(self.artefacts / f"{name}.png"))

    def scheme(self, value):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": value}]})

    def show_me(self):
        self.browser.find_element(By.ID, "show").click()
        WebDriverWait(self.browser, SCENARIO_LIMIT_S).until(
            lambda browser: browser.find_element(By.TAG_NAME, "body")
            .get_attribute("data-scenario") == "over", "the scenario did not end")

    def test_the_guarded_side_comes_back_and_the_bare_one_is_refused(self):
        self.show_me()
        for scheme in ("light", "dark"):
            self.scheme(scheme)
            self.screenshot(f"show-me-{scheme}")
        good = self.find("guarded", ".verdict")
        self.assertEqual(good.get_attribute("data-result"), "good", good.text)
        tokens = re.search(r"at the first attempt; the second answer is complete \((\d+) tokens\)",
                           good.text)
        self.assertIsNotNone(tokens, good.text)
        self.assertGreaterEqual(int(tokens.group(1)), 45)
        answer = self.last_answer("guarded").text
        self.assertTrue(answer.startswith("You sent 8 words."), answer)
        self.assertEqual(len(answer.split()), int(tokens.group(1)))
        self.assertEqual(self.find("guarded", ".status-text").text, "Connected")

        bad = self.find("bare", ".verdict")
        self.assertEqual(bad.get_attribute("data-result"), "bad", bad.text)
        self.assertRegex(bad.text, r"^Locked out: 3 attempts in \d+\.\d s")
        reasons = self.browser.find_elements(By.CSS_SELECTOR, "#bare .event.backend")
        self.assertEqual([reason.text for reason in reasons], [REASON] * 3)
        self.assertEqual(self.find("bare", ".status-text").text, "Refused")

    def test_the_buttons_do_the_same_by_hand_and_a_restart_cures_the_bare_side(self):
        for pane in ("guarded", "bare"):
            self.find(pane, ".send").click()
            self.wait_for_tokens(pane, 3)
            self.find(pane, ".drop").click()
            self.wait_for(pane, ".status-text", "Not connected")
            self.find(pane, ".reconnect").click()
        self.wait_for("bare", ".status-text", "Refused")
        self.wait_for("bare", ".event.backend", REASON)
        self.wait_for("guarded", ".status-text", "Connected")
        self.screenshot("by-hand")
        self.browser.find_element(By.ID, "restart").click()
        self.wait_for("bare", ".log .event:last-of-type", "The agent was restarted.")
        self.find("bare", ".reconnect").click()
        self.wait_for("bare", ".status-text", "Connected")

    def test_the_page_fits_a_narrow_screen(self):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
        self.screenshot("narrow")
        width = self.browser.execute_script("return document.documentElement.scrollWidth")
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.assertLessEqual(width, 390)

    def tearDown(self):
        # The bare side's refused connects are the only complaint a browser may have.
        complaints = [entry["message"] for entry in self.browser.get_log("browser")
                      if entry["level"] in ("SEVERE", "WARNING")]
        unexpected = [text for text in complaints if "Unexpected response code: 500" not in text]
        self.assertEqual(unexpected, [])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    ShowMeTest.binary = sys.argv[1]
    ShowMeTest.artefacts = pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1], verbosity=2)
