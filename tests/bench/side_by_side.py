"""Measures plain HTTP through connguard, nginx and HAProxy: same work, one core each, taking turns.

tests/bench/run starts this; README.md beside it says how to read the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import proxies

NAMES = ("nginx", "haproxy", "connguard")
PACE_MICROSECONDS = 1000
CHUNKS = 50
WARM_UP_SECONDS = 0.3
QUIET_PERCENT = 20  # of a core: what others may take for a turn to begin …
QUIET_SECONDS = 5  # … which waits no longer than this


@dataclass(frozen=True)
class Scenario:
    title: str
    command: str  # of http_load
    connections: int
    unit: str
    units_per_answer: int


SCENARIOS = {
    "http-get": [
        Scenario("http-get: a body of 1 KiB, 64 connections", "get", 64, "request", 1),
        Scenario("http-get: a body of 1 KiB, 1 connection", "get", 1, "request", 1),
    ],
    "http-stream": [
        Scenario(
            f"http-stream: {CHUNKS} chunks of 200 B, {PACE_MICROSECONDS / 1000:g} ms apart, "
            "64 connections",
            "stream",
            64,
            "chunk",
            CHUNKS,
        ),
    ],
}


@dataclass(frozen=True)
class Turn:
    """What one proxy did in one round."""

    cost: float  # CPU µs of the proxy per unit
    rate: float  # units per second
    reads: float  # pieces in which an answer came
    opened: int  # connections by the generator
    upstream: int  # connections by the proxy
    proxy_percent: float  # of a core
    load_percent: float
    others_percent: float


def busy_seconds(cores: list[int]) -> float:
    """What the cores spent on anything at all, the host of a virtual machine included."""
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name in [f"cpu{core}" for core in cores]:
            user, nice, system, _idle, _wait, irq, softirq, steal, *_guest = map(int, ticks)
            total += user + nice + system + irq + softirq + steal
    return total / os.sysconf("SC_CLK_TCK")


def children_seconds() -> float:
    """CPU time of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Bench:
    def __init__(self, load: str, binary: str, folder: Path, seconds: float) -> None:
        self.load, self.binary, self.folder, self.seconds = load, binary, folder, seconds
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise RuntimeError("needs two cores: one for the proxy, one for the load")
        self.load_core, self.proxy_core = cores[:2]
        self.failures: list[str] = []
        command = [load, "origin", "--pace", str(PACE_MICROSECONDS)]
        self.origin = proxies.Program(command, self.load_core, folder / "origin.log")
        self.origin_port = self._await_origin()

    def _await_origin(self) -> int:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            line = self.origin.log.read_text()
            if line.endswith("\n"):
                return json.loads(line)["port"]
            time.sleep(0.02)
        raise RuntimeError("the origin does not start")

    def _generate(self, scenario: Scenario, port: int, seconds: float) -> tuple[dict, float]:
        """One run of the generator: what it says, and the CPU seconds that it took."""
        command = [self.load, scenario.command, "--to", f"127.0.0.1:{port}"]
        command += ["-c", str(scenario.connections), "-t", str(seconds)]
        command = proxies.on_core(self.load_core, command)
        before = children_seconds()
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"http_load: {done.stderr}")
        return json.loads(done.stdout), children_seconds() - before

    def _upstream_connections(self) -> int:
        return json.loads(proxies.get(self.origin_port, "/counts"))["connections"]

    def _await_quiet(self) -> None:
        cores, window = [self.load_core, self.proxy_core], 0.25
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            before = busy_seconds(cores)
            time.sleep(window)
            if 100 * (busy_seconds(cores) - before) / window <= QUIET_PERCENT:
                return

    def turn(self, scenario: Scenario, proxy: proxies.Proxy) -> Turn | None:
        """None when anything went wrong, which is noted in `failures`."""
        self._await_quiet()
        self._generate(scenario, proxy.port, WARM_UP_SECONDS)
        upstream = self._upstream_connections()
        start, busy = time.monotonic(), busy_seconds([self.load_core, self.proxy_core])
        proxy_cpu, origin_cpu = proxy.cpu_seconds(), self.origin.cpu_seconds()
        figures, load_cpu = self._generate(scenario, proxy.port, self.seconds)
        proxy_cpu = proxy.cpu_seconds() - proxy_cpu
        load_cpu += self.origin.cpu_seconds() - origin_cpu
        busy = busy_seconds([self.load_core, self.proxy_core]) - busy
        elapsed = time.monotonic() - start
        if not figures["ok"]:
            error = f"{figures['errors']} errors, the first: {figures['first_error']}"
            self.failures.append(f"{scenario.title}: {proxy.name}: {error}")
            return None
        return Turn(
            cost=proxy_cpu * 1e6 / (figures["answers"] * scenario.units_per_answer),
            rate=figures["per_second"] * scenario.units_per_answer,
            reads=figures["reads"] / figures["answers"],
            opened=figures["opened"],
            # One of them is the question itself.
            upstream=self._upstream_connections() - upstream - 1,
            proxy_percent=100 * proxy_cpu / elapsed,
            load_percent=100 * load_cpu / elapsed,
            others_percent=max(0.0, 100 * (busy - proxy_cpu - load_cpu) / elapsed),
        )

    def measure(self, scenario: Scenario, rounds: int) -> dict[str, list[Turn | None]]:
        turns: dict[str, list[Turn | None]] = {name: [] for name in NAMES}
        running: list[proxies.Proxy] = []
        try:
            for name in NAMES:
                streams = scenario.command == "stream"
                core, port = self.proxy_core, self.origin_port
                running.append(proxies.start(name, self.binary, port, core, self.folder, streams))
            for _ in range(rounds):
                for proxy in running:
                    turns[proxy.name].append(self.turn(scenario, proxy))
        finally:
            for proxy in running:
                proxy.stop()
        return turns


def middle(turns: list[Turn], figure: str) -> float:
    return statistics.median(getattr(turn, figure) for turn in turns)


def spread(turns: list[Turn], figure: str) -> str:
    """Half the range, in percent of the median."""
    values = [getattr(turn, figure) for turn in turns]
    return f"{50 * (max(values) - min(values)) / statistics.median(values):.0f}"


def ratio(turns: list[Turn | None], others: list[Turn | None], figure: str) -> str:
    """The median of each round's ratio: what disturbs a whole round does not count."""
    pairs = [(a, b) for a, b in zip(turns, others) if a and b]
    if not pairs:
        return "–"
    return f"{statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs):.2f}"


def table(scenario: Scenario, turns: dict[str, list[Turn | None]]) -> str:
    rows = [
        ["proxy", f"CPU µs/{scenario.unit}", "± %", "to nginx", "to HAProxy"]
        + [f"{scenario.unit}s/s", "± %", "to nginx", "to HAProxy"]
        + ["reads/answer", "connections", "upstream", "proxy %", "load %", "others %"]
    ]
    rows.append(["---"] * len(rows[0]))
    for name in NAMES:
        good = [turn for turn in turns[name] if turn]
        if len(good) < len(turns[name]):
            rows.append([name, "NOT OK"] + ["–"] * (len(rows[0]) - 2))
            continue
        row = [name]
        for figure, digits in (("cost", 2), ("rate", 0)):
            row += [f"{middle(good, figure):.{digits}f}", spread(good, figure)]
            row += [ratio(turns[name], turns[other], figure) for other in ("nginx", "haproxy")]
        row += [f"{middle(good, 'reads'):.1f}"]
        row += [f"{middle(good, figure):.0f}" for figure in ("opened", "upstream")]
        shares = ("proxy_percent", "load_percent", "others_percent")
        row += [f"{middle(good, figure):.0f}" for figure in shares]
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    cores = f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}"
    return f"{cores}, Linux {platform.release()}, {system}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=[*SCENARIOS, "all"])
    parser.add_argument("--load", required=True, help="the program http_load")
    parser.add_argument("--binary", required=True, help="connguard")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 0.5:
        parser.error("at least one round, of half a second or more")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended

    names = list(SCENARIOS) if options.scenario == "all" else [options.scenario]
    with tempfile.TemporaryDirectory(prefix="connguard-bench-") as folder:
        Path(folder).chmod(0o755)  # nginx's worker is another user when this one is root
        bench = Bench(options.load, options.binary, Path(folder), options.seconds)
        try:
            print(f"- machine: {machine()}")
            for line in proxies.versions(options.binary):
                print(f"- {line}")
            print(f"- medians of {options.rounds} rounds of {options.seconds:g} s, taking turns")
            for scenario in [one for name in names for one in SCENARIOS[name]]:
                turns = bench.measure(scenario, options.rounds)
                print(f"\n**{scenario.title}**\n\n{table(scenario, turns)}", flush=True)
        finally:
            bench.origin.stop()
    for failure in bench.failures:
        print(f"NOT OK: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"tests/bench: {error}")
