"""deploy/examples/jupyter before a real Jupyter server: what a kernel says while nobody hears it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import uuid
from typing import Any, Iterator

import pytest

import httpclient
from examples import ExampleGuard
from processes import PYTHON, Server, free_port
from wsclient import Client, Drop

TOKEN = "0123456789abcdef"
HEADERS = (("Authorization", f"token {TOKEN}"),)
LINES = [str(n) for n in range(12)]
CODE = f"import time\nfor n in range({len(LINES)}):\n    print(n, flush=True)\n    time.sleep(0.15)"


class Jupyter(Server):
    def __init__(self, directory: pathlib.Path) -> None:
        self.port = free_port()
        command = [
            PYTHON, "-m", "jupyter_server", "--no-browser", "--allow-root",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0",
            f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={directory}",
        ]  # fmt: skip
        folders = ("CONFIG", "DATA", "RUNTIME")
        environment = {f"JUPYTER_{name}_DIR": str(directory / name.lower()) for name in folders}
        environment |= {"IPYTHONDIR": str(directory / "ipython"), "HOME": str(directory)}
        super().__init__(command, directory / "jupyter.log", self.port, "/api", environment, timeout=60)

    async def ask(self, target: str, method: str = "GET") -> Any:
        answer = await httpclient.request(
            self.port, target, method, body=b"" if method == "POST" else None, headers=HEADERS
        )
        return answer.json() if answer.body else None

    async def idle(self, kernel: str) -> None:
        """Waits until it has run what it was told to."""
        for _ in range(300):
            if (await self.ask(f"/api/kernels/{kernel}"))["execution_state"] == "idle":
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the kernel is still busy")


class Tab:
    """A notebook's channel to its kernel; it comes back by the same session."""

    def __init__(self, kernel: str) -> None:
        self.kernel, self.session = kernel, uuid.uuid4().hex
        self.client: Client | None = None

    async def connect(self, port: int) -> None:
        path = f"/api/kernels/{self.kernel}/channels?session_id={self.session}"
        self.client = await Client.connect(port, path, headers=HEADERS)

    async def tell(self, kind: str, channel: str = "shell", **content: Any) -> str:
        """Sends a request; returns its id."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "session": self.session, "username": "ann"}
        header |= {"version": "5.3", "date": "2024-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        await self.client.send_json(message | {"channel": channel, "buffers": []})
        return number

    async def run(self, code: str) -> str:
        words = {"silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        return await self.tell("execute_request", code=code, user_expressions={}, **words)

    async def heard(self) -> None:
        """Waits until Jupyter listens to the kernel for this connection.

        It answers the handshake before, then takes the kernel's next word for a sign of life and passes it
        to nobody, unless it thinks the kernel busy; a kernel_info_request on the control channel makes it
        think otherwise, and it sends one itself at every connect.
        """
        request = await self.tell("kernel_info_request", channel="control")
        while True:
            message = await self.next()
            if message["header"]["msg_type"] == "stream":
                raise AssertionError(f"said too early: {message['content']}")
            if message["channel"] == "control" and message["parent_header"].get("msg_id") == request:
                return

    async def next(self) -> dict[str, Any]:
        return json.loads((await asyncio.wait_for(self.client.receive(), 30)).payload)

    async def printed(self, request: str, until: str | None = None) -> list[str]:
        """The lines that come, up to that line, or else until the kernel is done with the request."""
        lines: list[str] = []
        while True:
            message = await self.next()
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                lines += content["text"].split()
                if until in lines:
                    return lines
            done = kind == "status" and content["execution_state"] == "idle"
            if done and message["parent_header"].get("msg_id") == request:
                return lines


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory) -> Iterator[Jupyter]:
    server = Jupyter(tmp_path_factory.mktemp("jupyter"))
    try:
        yield server
    finally:
        server.stop(timeout=20)


@contextlib.asynccontextmanager
async def tab(jupyter: Jupyter):
    """On a kernel of its own."""
    kernel = (await jupyter.ask("/api/kernels", "POST"))["id"]
    try:
        yield Tab(kernel)
    finally:
        await jupyter.ask(f"/api/kernels/{kernel}", "DELETE")


@contextlib.contextmanager
def guarded(jupyter: Jupyter, tmp_path, **more: Any) -> Iterator[ExampleGuard]:
    url = f"http://127.0.0.1:{jupyter.port}"
    guard = ExampleGuard(tmp_path, "jupyter", JUPYTER_URL=url, **more)
    try:
        yield guard
    finally:
        assert guard.stop() == 0, guard.log()


async def over(guard: ExampleGuard) -> None:
    """Waits until the guard has closed a tunnel."""
    for _ in range(300):
        if "tunnel_closed" in guard.log():
            return
        await asyncio.sleep(0.03)
    raise AssertionError(guard.log())


@pytest.mark.parametrize("when", ["at once", "when all is said"])
@pytest.mark.parametrize("how", [Drop.CLOSE_1001, Drop.FIN, Drop.RST], ids=lambda how: how.value)
async def test_who_drops_in_mid_execution_gets_the_rest_of_the_output(jupyter, tmp_path, how, when):
    # Nothing is said between the drop and its being noticed: that could be lost, as tests below show.
    noticed = tmp_path / "noticed"
    wait = f"\n    while n == 2 and not os.path.exists({str(noticed)!r}): time.sleep(0.01)"
    with guarded(jupyter, tmp_path) as guard:
        async with tab(jupyter) as notebook:
            await notebook.connect(guard.port)
            request = await notebook.run(f"import os, {CODE.removeprefix('import ')}{wait}")
            before = await notebook.printed(request, until="2")
            gone = notebook.client
            await gone.drop(how)
            if when == "when all is said":
                await over(guard)
                noticed.touch()
                await jupyter.idle(notebook.kernel)
            await notebook.connect(guard.port)
            if when == "at once":
                await notebook.heard()
                noticed.touch()
            after = await notebook.printed(request)
            assert before + after == LINES
            assert await notebook.client.close() == 1000
            await gone.bury()


async def quiet_return(notebook: Tab, port: int) -> list[str]:
    """Comes back when all has been said; what was kept comes before the answer to a new request."""
    await notebook.connect(port)
    return await notebook.printed(await notebook.tell("kernel_info_request"))


async def test_without_the_guard_all_is_lost_that_is_said_to_a_client_who_vanished(jupyter):
    async with tab(jupyter) as notebook:
        await notebook.connect(jupyter.port)
        await notebook.printed(await notebook.run(CODE), until="2")
        gone = notebook.client  # the cable is cut: nobody tells the server
        await jupyter.idle(notebook.kernel)
        assert await quiet_return(notebook, jupyter.port) == []
        assert jupyter.says("Replacing stale connection")
        notebook.client.abort()
        gone.abort()


async def test_with_the_guard_only_that_is_lost_that_was_said_before_it_noticed(jupyter, tmp_path):
    pings = {"PING_INTERVAL": "200ms", "PING_TIMEOUT": "200ms"}
    with guarded(jupyter, tmp_path, **pings) as guard:
        async with tab(jupyter) as notebook:
            await notebook.connect(guard.port)
            before = await notebook.printed(await notebook.run(CODE), until="2")
            gone = notebook.client
            await jupyter.idle(notebook.kernel)
            await over(guard)  # a moment later, on a busy machine
            assert guard.closes("client_timeout") == 1
            after = await quiet_return(notebook, guard.port)
            lost = LINES[len(before) : len(LINES) - len(after)]
            assert after == LINES[-len(after) :] and len(after) >= 4, (before, after)
            assert len(lost) <= 5, lost  # some 0.6 s
            notebook.client.abort()
            gone.abort()


async def test_an_upstream_that_is_kept_open_would_swallow_the_output(jupyter, tmp_path):
    """Why the example says `on_drop: close`."""
    with guarded(jupyter, tmp_path, changed=("on_drop: close", "on_drop: finish")) as guard:
        async with tab(jupyter) as notebook:
            await notebook.connect(guard.port)
            await notebook.printed(await notebook.run(CODE), until="2")
            notebook.client.abort()
            await jupyter.idle(notebook.kernel)
            assert await quiet_return(notebook, guard.port) == []
            notebook.client.abort()
