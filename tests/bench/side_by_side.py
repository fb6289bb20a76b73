"""Measures connguard, nginx, HAProxy and Caddy: same work, one core each, taking turns.

tests/bench/run starts this; README.md beside it says how to read the tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterable

import http_scenarios as http
import ws_scenarios as ws
from bench import Bench, Scenario
from configs import make_certificate
from proxies import versions
from tables import table

SCENARIOS: dict[str, Callable[[ws.Options], Iterable[Scenario]]] = {
    "http-get": lambda _: http.http_get(),
    "http-stream": lambda _: http.http_stream(),
    "ws-echo": ws.ws_echo,
    "ws-stream": ws.ws_stream,
    "ws-connect": ws.ws_connect,
    "ws-idle": ws.ws_idle,
    "ws-mixed": ws.ws_mixed,
    "ws-inspect": ws.ws_inspect,
}


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    cores = f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}"
    return f"{cores}, Linux {platform.release()}, {system}"


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=[*SCENARIOS, "http", "ws", "all"])
    parser.add_argument("--http-load", required=True)
    parser.add_argument("--ws-load", required=True)
    parser.add_argument("--binary", required=True, help="connguard")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--sizes", type=numbers, default=[64, 1024, 16 * 1024, 256 * 1024])
    parser.add_argument("--connections", type=numbers, default=[1, 64, 1000])
    parser.add_argument("--outstanding", type=int, default=1)
    parser.add_argument("--idle", type=int)
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 0.5:
        parser.error("at least one round, of half a second or more")
    if min([*options.connections, options.outstanding, options.idle or 1]) < 1:
        parser.error("numbers are above 0")
    if min(options.sizes) < 32:
        parser.error("messages have 32 bytes or more")
    if max(options.idle or 0, *options.connections) > ws.most_idle():
        parser.error(f"the limit of open files is enough for {ws.most_idle()} tunnels")
    return options


def main() -> int:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended
    prefix = {"all": "", "http": "http-", "ws": "ws-"}.get(options.scenario, options.scenario)
    tunnels = ws.Options(
        options.tls, options.sizes, options.connections, options.outstanding, options.idle
    )
    programs = {
        "connguard": options.binary,
        "http_load": options.http_load,
        "ws_load": options.ws_load,
    }
    with tempfile.TemporaryDirectory(prefix="connguard-bench-") as folder:
        Path(folder).chmod(0o755)  # nginx's worker is another user when this one is root
        make_certificate(Path(folder))
        bench = Bench(programs, Path(folder), options.seconds)
        print(f"- machine: {machine()}")
        for line in versions(options.binary):
            print(f"- {line}")
        print(f"- medians of {options.rounds} rounds of {options.seconds:g} s, taking turns")
        for name in [name for name in SCENARIOS if name.startswith(prefix)]:
            for scenario in SCENARIOS[name](tunnels):
                turns = bench.measure(scenario, options.rounds)
                text = table(scenario.columns, turns, scenario.references)
                print(f"\n**{scenario.title}**\n\n{text}", flush=True)
    for failure in bench.failures:
        print(f"NOT OK: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"tests/bench: {error}")
