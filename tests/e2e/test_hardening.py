"""What the process and its binary give up."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from certificates import Authority
from guardconfig import guard_config
from processes import GuardServer, guard_binary
from test_tls import listener


@pytest.fixture
def status(start_agent, start_guard) -> dict[str, str]:
    guard = start_guard(guard_config(start_agent("D").port))
    text = pathlib.Path(f"/proc/{guard.pid}/status").read_text()
    text += pathlib.Path(f"/proc/{guard.pid}/limits").read_text().replace("Max core", "Core:")
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


KEPT = 1 << 1 | 1 << 2 | 1 << 10  # DAC_OVERRIDE, DAC_READ_SEARCH, NET_BIND_SERVICE


def test_the_process_gives_up_what_it_does_not_need(status):
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Core"].split()[-3:-1] == ["0", "0"]


def test_every_thread_has_given_up_its_capabilities(start_agent, start_guard):
    guard = start_guard(guard_config(start_agent("D").port))
    threads = list(pathlib.Path(f"/proc/{guard.pid}/task").iterdir())
    assert len(threads) > 2
    for thread in threads:
        text = (thread / "status").read_text()
        for word in ("CapEff", "CapPrm"):
            assert int(re.search(rf"^{word}:\s+(\w+)$", text, re.M)[1], 16) & ~KEPT == 0


def test_the_binary_is_hardened():
    def readelf(*arguments: str) -> str:
        command = ["readelf", "-W", *arguments, guard_binary()]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert re.search(r"Type:\s+DYN", readelf("-h")), "not position-independent"
    dynamic = readelf("-d")
    assert "BIND_NOW" in dynamic and "PIE" in dynamic
    segments = readelf("-l")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.*RW ", segments), "the stack is executable"
    symbols = readelf("--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk@", symbols), "nothing is fortified"


@pytest.mark.parametrize("told", [False, True])
def test_a_key_that_others_can_read_is_refused(start_agent, tmp_path, told):
    server = Authority(tmp_path).issue("server", "DNS:localhost")
    server.key.chmod(0o644)
    config = guard_config(start_agent("D").port, listener=listener(server))
    if told:
        config += "readable_keys: true\n"
        guard = GuardServer(tmp_path, config)
        assert guard.stop() == 0
        return
    path = tmp_path / "guard.yaml"
    path.write_text(config.replace("{port}", "0").replace("{admin}", "0"))
    done = subprocess.run(
        [guard_binary(), "check", "-c", path], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 78
    assert re.search(r"guard\.yaml:\d+:\d+: error: .*server\.key.*chmod", done.stderr), done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_runs_as_any_user(start_agent, tmp_path):
    config = guard_config(start_agent("D").port)
    path = tmp_path / "guard.yaml"
    path.write_text(config.replace("{port}", "0").replace("{admin}", "0"))
    for folder in [tmp_path, *tmp_path.parents]:
        folder.chmod(folder.stat().st_mode | 0o055)
    # The build may be where only its owner can look, as in /root.
    binary = shutil.copy(guard_binary(), tmp_path)
    done = subprocess.run(
        [binary, "check", "-c", path], user=12345, group=12345, extra_groups=[],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
