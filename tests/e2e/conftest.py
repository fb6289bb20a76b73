"""Fixtures: agents and guards on free ports, ended by pid; a report after the summary."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import pathlib
import resource
import sys
from typing import Callable, Iterator

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from guardconfig import guard_config, http_config  # noqa: E402
from httpclient import Agent  # noqa: E402
from processes import AgentServer, GuardServer  # noqa: E402
from wsclient import Client  # noqa: E402

REPORT: list[str] = []
collect_ignore = ["demo"]  # runs by itself: it takes the binary as an argument


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="repeat the drop matrix, with CPU burn")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sanitized: uses the binary of CONNGUARD_ASAN, if it is set")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Tests may be coroutines; each has two minutes."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 120))
    return True


def pytest_terminal_summary(terminalreporter) -> None:
    if REPORT:
        terminalreporter.section("figures")
        for line in REPORT:
            terminalreporter.write_line(line)


@pytest.fixture
def report() -> Callable[[str], None]:
    """Lines to print after the run."""
    return REPORT.append


@contextlib.contextmanager
def agents(directory: pathlib.Path) -> Iterator[Callable[..., AgentServer]]:
    started: list[AgentServer] = []

    def start(*args, **kwargs) -> AgentServer:
        started.append(AgentServer(directory, *args, **kwargs))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            server.stop(timeout=3)  # uvicorn waits for handlers; a broken session's never ends


@contextlib.contextmanager
def guards(directory: pathlib.Path, request) -> Iterator[Callable[..., GuardServer]]:
    """Guards from the sanitized binary where a test or its module is marked so."""
    sanitized = request.node.get_closest_marker("sanitized") is not None
    started: list[GuardServer] = []

    def start(config: str, sanitized: bool = sanitized, **kwargs) -> GuardServer:
        started.append(GuardServer(directory, config, sanitized, **kwargs))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            assert server.stop() == 0, server.log()
            assert server.reports() == []


@pytest.fixture
def start_agent(tmp_path: pathlib.Path) -> Iterator[Callable[..., AgentServer]]:
    with agents(tmp_path) as start:
        yield start


@pytest.fixture
def start_guard(tmp_path: pathlib.Path, request) -> Iterator[Callable[..., GuardServer]]:
    with guards(tmp_path, request) as start:
        yield start


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium for the live page."""
    from livepage import start_browser  # only here is Selenium needed

    browser = start_browser(tmp_path_factory.mktemp("profile"))
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def admin():
    """Admin endpoints that a test scripts."""
    from fakeadmin import FakeAdmin

    admin = FakeAdmin()
    try:
        yield admin
    finally:
        admin.stop()


@pytest.fixture
def page(browser, admin):
    """The live page of `admin`; a test of a real guard's has its own."""
    from livepage import LivePage

    page = LivePage(browser)
    page.complaints()
    yield page
    browser.get("about:blank")


@dataclasses.dataclass
class Stack:
    """A guard in front of an agent."""

    agent_server: AgentServer
    guard: GuardServer

    @property
    def port(self) -> int:
        return self.guard.port

    @property
    def agent(self) -> Agent:
        return Agent(self.agent_server.port)

    async def connect(self, user: str, **kwargs) -> Client:
        return await Client.connect(self.port, f"/ws/{user}", **kwargs)

    async def open(self, user: str) -> Client:
        return await Client.open(self.port, f"/ws/{user}")


@pytest.fixture
def stack(start_agent, start_guard) -> Callable[..., Stack]:
    """stack(variant=, ws=, agent_arguments=, and any word of guard_config)."""

    def start(
        variant: str = "A", ws: str = "websockets", agent_arguments: tuple[str, ...] = (), **config
    ) -> Stack:
        agent_server = start_agent(variant, ws, agent_arguments)
        return Stack(agent_server, start_guard(guard_config(agent_server.port, **config)))

    return start


@pytest.fixture(scope="module", params=["h11", "httptools"])
def http_stack(tmp_path_factory, request) -> Iterator[Stack]:
    """One guard and one agent for all tests of a module: they use names of their own."""
    directory = tmp_path_factory.mktemp(request.param)
    with agents(directory) as start_agent, guards(directory, request) as start_guard:
        agent_server = start_agent(arguments=("--http", request.param))
        yield Stack(agent_server, start_guard(http_config(agent_server.port)))


@pytest.fixture
def own_http_stack(start_agent, start_guard) -> Callable[..., Stack]:
    """own_http_stack(agent_arguments, and any word of http_config): for one test alone."""

    def start(agent_arguments: tuple[str, ...] = (), **config) -> Stack:
        agent_server = start_agent(arguments=agent_arguments)
        return Stack(agent_server, start_guard(http_config(agent_server.port, **config)))

    return start
