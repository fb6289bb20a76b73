"""What a reload costs those who are connected: reload.py BINARY WS_LOAD [RELOADS].

Sixteen clients send 4,000 messages a second, each when it is due, through the guard – one worker, on a
core of its own – while it is reloaded, by turns with few routes and with many. The longest delay next to
that without reloads is how long the worker stood still. On a machine where either is mostly the wait for a
core, the second table tells more: how long a worker works on one reload, from the scheduler, nothing else
being asked of it.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import insist
from proxies import Program, Server, free_port

ROUTES = 500
PAUSE_SECONDS = 0.3  # between reloads
ROUNDS = 3
CLIENTS, RATE = 16, 4000

CONFIG = """\
version: 1
listeners: [{{name: public, bind: "127.0.0.1:{port}"}}]
upstreams: [{{name: origin, url: "http://127.0.0.1:{origin}"}}]
admin: off
logging: {{format: text}}
workers: 1
routes:
{more}  - {{name: all, match: {{path: "/ws/{{user}}"}}, upstream: origin, session: {{key: "{{path.user}}"}}}}
"""
ROUTE = """\
  - {{name: r{0}, match: {{path: "/r{0}/{{user}}"}}, upstream: origin, session: {{key: "{{path.user}}"}}}}
"""


def seconds_of(thread: Path) -> float:
    """What it has worked."""
    return int((thread / "schedstat").read_text().split()[0]) / 1e9


class Guard(Program):
    def __init__(self, binary: str, core: int, folder: Path, origin: int) -> None:
        self.port, self.config = free_port(), folder / "connguard.yaml"
        words = {"port": self.port, "origin": origin}
        many = "".join(ROUTE.format(number) for number in range(ROUTES))
        self.texts = [CONFIG.format(more="", **words), CONFIG.format(more=many, **words)]
        self.config.write_text(self.texts[0])
        super().__init__([binary, "run", "-c", str(self.config)], core, folder / "guard.log")
        self.await_port(self.port)

    def reloads(self) -> int:
        return self.log.read_text().count(" reloaded ")

    def busiest_thread(self) -> Path:
        """After a load that is the worker."""
        return max(Path(f"/proc/{self.process.pid}/task").iterdir(), key=seconds_of)

    def reload(self) -> None:
        """Returns when it is done."""
        before = self.reloads()
        self.config.write_text(self.texts[(before + 1) % 2])
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self.reloads() == before:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the reload did not happen:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)


def measure(guard: Guard, ws_load: str, core: int, log: Path, reloads: int, seconds: float) -> str:
    """A row of the table: the delays of a run of that many seconds."""
    command = [ws_load, "rate", "-c", str(CLIENTS), "--rate", str(RATE), "-t", str(seconds)]
    load = Program([*command, "--to", f"127.0.0.1:{guard.port}"], core, log)
    try:
        load.await_line(10)  # that it is ready
        load.go_on()
        for _ in range(reloads):
            guard.reload()
            time.sleep(PAUSE_SECONDS)
        figures = load.await_line(seconds + 10)
        load.go_on()
        load.process.wait(20)
    finally:
        load.stop()
    insist(figures)
    p50, p99, longest = (figures[name] / 1e3 for name in ("p50_us", "p99_us", "max_us"))
    name = "reloaded" if reloads else "left alone"
    return f"| {name} | {reloads} | {figures['answers']} | {p50:.3f} | {p99:.3f} | {longest:.2f} |"


def work(guard: Guard, reloads: int) -> str:
    """A row of the other table: what the worker works for each of two times as many reloads."""
    worker = guard.busiest_thread()
    ms = []
    for _ in range(2 * reloads):
        before = seconds_of(worker)
        guard.reload()
        time.sleep(PAUSE_SECONDS)  # it lets the old configuration go behind that
        ms.append(1e3 * (seconds_of(worker) - before))
    to_many, to_one = ms[::2], ms[1::2]
    if guard.reloads() % 2:
        to_many, to_one = to_one, to_many
    cells = [f"{figure:.2f}" for half in (to_many, to_one) for figure in (statistics.median(half), max(half))]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    binary, ws_load = sys.argv[1:3]
    reloads = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("needs two cores: one for the guard, one for its load")
    seconds = reloads * 2 * PAUSE_SECONDS
    print(f"{ROUTES} routes and one by turns, one worker, {RATE} messages a second, {os.cpu_count()} cores\n")
    print("| | reloads | messages | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="connguard-reload-") as name, ExitStack() as running:
        folder = Path(name)
        origin = Server([ws_load, "origin"], cores[0], folder / "origin.log")
        running.callback(origin.stop)
        guard = Guard(binary, cores[1], folder, origin.port)
        running.callback(guard.stop)
        for _ in range(ROUNDS):
            for count in (0, reloads):
                print(measure(guard, ws_load, cores[0], folder / "load.log", count, seconds), flush=True)
        print("\n| a worker's ms for a reload: to many routes, median | longest | to one | longest |")
        print(f"|---|---|---|---|\n{work(guard, reloads)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
