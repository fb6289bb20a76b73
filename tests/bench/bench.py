"""Runs scenarios: proxies on one core, their load on another, taking turns."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Callable

import proxies
from configs import Setup
from proxies import Program, Proxy, Server
from tables import Column, Figures

QUIET_PERCENT = 20  # of a core: what others may take for a turn to begin …
QUIET_SECONDS = 5  # … which waits no longer than this


class Wrong(Exception):
    """An answer was wrong or missing: the turn does not count."""


def insist(figures: Figures) -> None:
    """Raises Wrong unless every answer was there and right, as a load generator says."""
    if not figures["ok"]:
        raise Wrong(f"{figures['errors']} errors, the first: {figures['first_error']}")


class Scenario:
    title: str
    load: str  # http_load or ws_load
    pace: int = 1000  # microseconds, of the origin's streams
    setups: list[Setup]
    references: list[str]  # labels of setups
    columns: list[Column]
    fresh = False  # a new process of the proxy for every turn

    def turn(self, bench: Bench, proxy: Proxy) -> Figures:
        raise NotImplementedError


def busy_seconds(cores: list[int]) -> float:
    """What the cores spent on anything at all, the host of a virtual machine included."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name in [f"cpu{core}" for core in cores]:
            user, nice, system, _idle, _wait, irq, softirq, steal, *_guest = map(int, ticks)
            total += user + nice + system + irq + softirq + steal
    return total / os.sysconf("SC_CLK_TCK")


class Window:
    """What the proxy, its load and others take of the two cores, from here to `close`."""

    def __init__(self, bench: Bench, proxy: Proxy, load_seconds: Callable[[], float]) -> None:
        self.cores = [bench.load_core, bench.proxy_core]
        self.readings = [proxy.cpu_seconds, load_seconds, lambda: busy_seconds(self.cores), time.monotonic]
        self.before = [read() for read in self.readings]

    def close(self) -> Figures:
        proxy, load, busy, elapsed = (read() - was for read, was in zip(self.readings, self.before))
        return {
            "proxy_seconds": proxy,
            "proxy_percent": 100 * proxy / elapsed,
            "load_percent": 100 * load / elapsed,
            "others_percent": max(0.0, 100 * (busy - proxy - load) / elapsed),
        }


SHARES = [
    Column("proxy %", "proxy_percent"),
    Column("load %", "load_percent"),
    Column("others %", "others_percent"),
]


class Bench:
    def __init__(self, programs: dict[str, str], folder: Path, seconds: float) -> None:
        """`programs`: the paths of connguard, http_load and ws_load."""
        self.programs, self.folder, self.seconds = programs, folder, seconds
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise RuntimeError("needs two cores: one for the proxy, one for the load")
        self.load_core, self.proxy_core = cores[:2]
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.failures: list[str] = []
        self.origin: Server

    def counts(self) -> dict[str, int]:
        return json.loads(proxies.get(self.origin.port, "/counts"))

    def await_quiet(self) -> None:
        cores, window = [self.load_core, self.proxy_core], 0.25
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            before = busy_seconds(cores)
            time.sleep(window)
            if 100 * (busy_seconds(cores) - before) / window <= QUIET_PERCENT:
                return

    def _start(self, setup: Setup) -> Proxy:
        return proxies.start(setup, self.programs, self.origin.port, self.proxy_core, self.folder)

    def _turn(self, scenario: Scenario, proxy: Proxy) -> Figures | None:
        """None when anything went wrong, which is noted in `failures`."""
        self.await_quiet()
        try:
            return scenario.turn(self, proxy)
        except (Wrong, OSError) as error:
            reason = error
            if proxy.process.poll() is not None:
                reason = f"it ended with status {proxy.process.returncode}:\n{proxy.log.read_text()}"
            elif isinstance(error, OSError):
                raise
            self.failures.append(f"{scenario.title}: {proxy.setup.label}: {reason}")
            return None

    def measure(self, scenario: Scenario, rounds: int) -> dict[str, list[Figures | None]]:
        """By the setups' labels. Who begins changes from round to round."""
        turns: dict[str, list[Figures | None]] = {setup.label: [] for setup in scenario.setups}
        command = [self.programs[scenario.load], "origin", "--pace", str(scenario.pace)]
        self.origin = Server(command, self.load_core, self.folder / "origin.log")
        running: list[Program] = [self.origin]
        setups = scenario.setups
        try:
            if not scenario.fresh:
                for setup in setups:
                    running.append(self._start(setup))
            for first in range(rounds):
                for index in range(first, first + len(setups)):
                    setup = setups[index % len(setups)]
                    if scenario.fresh:
                        running.append(self._start(setup))
                    proxy = running[-1] if scenario.fresh else running[1 + index % len(setups)]
                    turns[setup.label].append(self._turn(scenario, proxy))
                    if scenario.fresh:
                        running.pop().stop()
        finally:
            for program in reversed(running):
                program.stop()
        return turns
