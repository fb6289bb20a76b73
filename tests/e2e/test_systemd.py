"""deploy/systemd/connguard.service: what systemd thinks of it, and that the guard can live in it.

systemd itself does not run here. So the guard is started by the unit's own command line as a user without
rights, is told that a manager listens, and every system call of a whole life – start, TLS, turns, reload,
watchdog, drain – is held to what the unit allows.
"""

from __future__ import annotations

import asyncio
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import httpclient
from certificates import Authority
from guardconfig import guard_config
from processes import ROOT, AgentServer, Server, free_port, guard_binary
from settings import seconds, shutdown_seconds
from wsclient import Client, Closed

UNIT = ROOT / "deploy/systemd/connguard.service"
BINARY = "/usr/bin/connguard"
CONFIG = "/etc/connguard/connguard.yaml"
# Refused by the unit without harm: it drops capabilities, of which there are none.
NEEDLESS = {"capset"}


def values(key: str) -> list[str]:
    """All that the unit says for it, in order."""
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.M)


def value(key: str) -> str:
    (only,) = values(key)
    return only


# --- the file


def test_systemd_reads_it_without_a_word(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(BINARY, guard_binary()))  # verify looks for the program
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_systemd_calls_its_exposure_low():
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    exposure = re.search(r"Overall exposure level for connguard\.service: ([\d.]+)", result.stdout)
    assert exposure, result.stdout + result.stderr
    assert float(exposure[1]) < 2.0, result.stdout


CONFIGS = [ROOT / "conf/connguard.yaml", ROOT / "conf/minimal.yaml", *ROOT.glob("deploy/examples/*/*.yaml")]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_stop_has_time_for_the_whole_drain(config):
    assert seconds(value("TimeoutStopSec")) >= shutdown_seconds(config) + 5


def test_what_cannot_get_better_is_not_tried_again(tmp_path):
    final = {int(status) for status in value("RestartPreventExitStatus").split()}

    def status(*arguments: str) -> int:
        command = [guard_binary(), *arguments]
        return subprocess.run(command, capture_output=True, timeout=30).returncode

    broken = tmp_path / "connguard.yaml"
    broken.write_text("version: 2\n")
    assert final == {status("--no-such-flag"), status("run", "-c", str(broken))}
    with socket.socket() as taken:  # may be free again later
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        arguments = ("--listen", address, "--upstream", "http://127.0.0.1:1", "--admin", "off")
        assert status(*arguments) not in final | {0}


def test_a_reload_is_the_signal_that_the_guard_reloads_by():
    assert value("ExecReload").split()[1:] == ["-HUP", "$MAINPID"]
    assert value("Type") == "notify"


# --- a life under it


class Manager:
    """systemd's end of the notifications."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)
        path.chmod(0o666)

    def hears(self, word: str) -> None:
        """Waits for it; whatever comes before is skipped."""
        while self._socket.recv(4096).decode().split("\n")[0] != word:
            pass

    def close(self) -> None:
        self._socket.close()


class TracedGuard(Server):
    """The guard as the unit starts it, every system call written down."""

    def __init__(self, directory: pathlib.Path, config: str, manager: Manager) -> None:
        self.port, self.admin = free_port(), free_port()
        # Not beside the configuration: that folder is watched, and each event read would make the next one.
        self.trace = directory / "strace" / "trace"
        self.trace.parent.mkdir()
        self.config = directory / "connguard.yaml"
        self.config.write_text(config.replace("{port}", str(self.port)).replace("{admin}", str(self.admin)))
        binary = directory / "connguard"  # the build may be where others cannot get at it
        shutil.copy(guard_binary(), binary)
        started = shlex.split(value("ExecStart").replace(BINARY, str(binary)).replace(CONFIG, str(self.config)))
        # -D: the guard is our child, and strace its descendant: signals and status are the guard's own.
        strace = ["strace", "-D", "-f", "-q", "-s", "200", "-o", str(self.trace)]
        if os.geteuid() == 0:
            strace += ["-u", "nobody"]
        environment = {
            "NOTIFY_SOCKET": str(manager.path),
            "WATCHDOG_USEC": "1000000",
        }
        command = [*strace, *started, "--watch"]
        super().__init__(command, directory / "guard.log", self.admin, "/readyz", environment)

    async def calls(self) -> list[str]:
        """All of them, each with its arguments, once it has gone."""
        for _ in range(200):
            lines = self.trace.read_text(errors="replace").splitlines()
            if re.fullmatch(rf"{self.pid} +\+\+\+ exited with 0 \+\+\+", lines[-1]):
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(f"the trace has no end: {lines[-3:]}")
        calls = [line.split(maxsplit=1)[1] for line in lines]
        return [call for call in calls if re.match(r"\w+\(", call)]


async def whole_life(directory: pathlib.Path) -> list[str]:
    authority = Authority(directory)
    certificate = authority.issue("server", "DNS:localhost")
    certificate.key.chmod(0o640)
    if os.geteuid() == 0:
        shutil.chown(certificate.key, group="nogroup")
    listener = f"    tls: {{certificates: [{{chain: {certificate.chain}, key: {certificate.key}}}]}}\n"
    agent = AgentServer(directory, "D")
    manager = Manager(directory / "notify")
    guard = None
    try:
        config = guard_config(agent.port, listener=listener, agent_host="localhost", settle="100ms")
        guard = TracedGuard(directory, config, manager)
        manager.hears("READY=1")
        tls = authority.client()
        client = await Client.connect(guard.port, "/ws/ann", tls=tls)
        await client.turn()
        dropped = await Client.connect(guard.port, "/ws/ben", tls=tls)
        await dropped.start(tokens=5, pace=0.1)
        await dropped.message()
        dropped.abort()
        again = await Client.connect(guard.port, "/ws/ben", tls=tls)
        await again.turn()
        assert (await httpclient.request(guard.port, "/", tls=tls, host="localhost")).status == 200
        assert (await httpclient.request(guard.admin, "/metrics")).status == 200
        assert (await httpclient.request(guard.admin, "/v1/sessions")).status == 200
        manager.hears("WATCHDOG=1")
        guard.process.send_signal(signal.SIGHUP)
        manager.hears("RELOADING=1")
        manager.hears("READY=1")
        guard.config.write_text(guard.config.read_text().replace("settle: 100ms", "settle: 110ms"))
        manager.hears("RELOADING=1")  # by itself: --watch
        manager.hears("READY=1")
        turn = await client.start(tokens=5, pace=0.1)
        await client.message()
        guard.process.send_signal(signal.SIGTERM)
        manager.hears("STOPPING=1")
        await client.finish(turn)
        with pytest.raises(Closed, match="1012"):
            await client.receive()
        client.abort()
        again.abort()
        assert await asyncio.to_thread(guard.process.wait, 20) == 0, guard.log()
        return await guard.calls()
    finally:
        if guard and guard.process.poll() is None:
            guard.process.kill()
            guard.process.wait()
        manager.close()
        agent.stop(timeout=3)


@pytest.fixture(scope="module")
def calls() -> list[str]:
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        return asyncio.run(asyncio.wait_for(whole_life(directory), 110))


@functools.cache
def members(group: str) -> frozenset[str]:
    """The calls of one of systemd's groups, those of its groups included."""
    printed = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    names = [line.strip() for line in printed.splitlines()[1:]]
    names = [name for name in names if name and not name.startswith("#")]
    assert names, printed
    found: set[str] = set()
    for name in names:
        found |= members(name) if name.startswith("@") else {name}
    return frozenset(found)


def allowed() -> set[str]:
    calls: set[str] = set(members("@default"))
    for line in values("SystemCallFilter"):
        taken = set()
        for word in line.removeprefix("~").split():
            taken |= members(word) if word.startswith("@") else {word}
        calls = calls - taken if line.startswith("~") else calls | taken
    return calls


def test_every_system_call_is_inside_the_filter(calls, report):
    used = {call.split("(")[0] for call in calls}
    assert len(calls) > 1000 and {"execve", "sendmsg", "inotify_init1"} <= used, used  # the trace is whole
    report(f"{len(used)} system calls in a whole life under connguard.service")
    assert used - allowed() - NEEDLESS == set()


def test_every_socket_is_of_a_family_that_is_allowed(calls):
    families = {match[1] for call in calls if (match := re.match(r"socket(?:pair)?\((AF_\w+)", call))}
    assert "AF_INET" in families
    assert families <= set(value("RestrictAddressFamilies").split())


def test_no_memory_is_both_written_and_executed(calls):
    assert value("MemoryDenyWriteExecute") == "yes"
    for call in calls:
        name = call.split("(")[0]
        if name in ("mprotect", "pkey_mprotect", "shmat"):
            assert "PROT_EXEC" not in call and "SHM_EXEC" not in call, call
        elif name == "mmap":
            assert not ("PROT_EXEC" in call and "PROT_WRITE" in call), call


def test_no_file_is_written(calls):
    assert value("ProtectSystem") == "strict"
    for call in calls:
        if re.match(r"open(?:at)?\(", call):
            assert not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", call) or '"/dev/null"' in call, call
        assert not re.match(r"(?:mkdir|unlink|rename|link|symlink|truncate|chmod|chown)(?:at2?)?\(", call), call


def test_what_the_unit_hides_is_not_missed(calls):
    """PrivateDevices=yes, ProtectProc=invisible, ProcSubset=pid, ProtectHome=yes."""
    paths = {match[1] for call in calls if (match := re.match(r'open(?:at)?\([^"]*"([^"]+)"', call))}
    assert value("ProcSubset") == "pid"
    # glibc's malloc reads the second and libuv (Debian 13's) the third, which only Ubuntu has: both do without.
    own = re.compile(r"/proc/(?:self|thread-self)/|/proc/sys/vm/overcommit_memory$|/proc/version_signature$")
    assert {path for path in paths if path.startswith("/proc/") and not own.match(path)} == set()
    assert {path for path in paths if path.startswith("/dev/")} <= {"/dev/null", "/dev/urandom", "/dev/random"}
    assert {path for path in paths if path.startswith(("/home/", "/root/"))} == set()
