"""WebSockets through connguard, nginx, HAProxy and Caddy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Iterator

from bench import SHARES, Bench, Scenario, Window, Wrong, insist
from configs import Setup, most_tunnels
from proxies import Program, Proxy
from tables import Column, Figures

OPENING_SECONDS = 120  # what the opening of all tunnels may take
EMPTYING_SECONDS = 20  # what proxies may take to end the origin's tunnels
SETTLING_SECONDS = 1  # from the last tunnel's opening until memory is looked at
MIXED_RATE = 5000
MIXED_TUNNELS = 64
STREAM_TOKENS = 50
PIECES = Column("reads/answer", "reads", 1)


def most_idle() -> int:
    return most_tunnels() - MIXED_TUNNELS


@dataclass(frozen=True)
class Options:
    """What the command line says about WebSockets."""

    tls: bool
    sizes: list[int]
    connections: list[int]
    outstanding: int
    idle: int | None  # None: the scenario's own


def size_of(count: int) -> str:
    return f"{count // 1024} KiB" if count >= 1024 and count % 1024 == 0 else f"{count} B"


class Tunnels(Scenario):
    """`command`: of ws_load, with its options; it is run once in a turn."""

    load = "ws_load"
    pace = 20_000
    unit = "message"

    def __init__(self, title: str, command: list[str], tls: bool, more: list[Setup] | None = None) -> None:
        self.title = title + (", TLS to the client" if tls else "")
        self.command = [*command, "--tls", str(int(tls)), "--pace", str(self.pace)]
        more = more or []
        self.setups = [
            *(setup for setup in more if setup.program != "connguard"),
            Setup("nginx", "nginx", websocket=True, tls=tls, streams=True),
            Setup("HAProxy", "haproxy", websocket=True, tls=tls),
            Setup("Caddy", "caddy", websocket=True, tls=tls),
            Setup("connguard", "connguard", websocket=True, tls=tls),
            *(setup for setup in more if setup.program == "connguard"),
        ]
        self.references = [setup.label for setup in self.setups if setup.program != "connguard"]
        self.columns = [
            Column(f"CPU µs/{self.unit}", "cost", 2, compared=True),
            Column(f"{self.unit}s/s", "rate", compared=True),
            PIECES,
            *SHARES,
        ]

    def run(self, bench: Bench, proxy: Proxy, more: list[str], emptied: bool = False) -> Figures:
        """One run of the load. `emptied`: what the tunnels' ends cost is a part of it."""
        command = [bench.programs["ws_load"], *self.command, *more, "--to", f"127.0.0.1:{proxy.port}"]
        program = Program([*command, "-t", str(bench.seconds)], bench.load_core, bench.folder / "ws_load.log")
        try:
            program.await_line(OPENING_SECONDS)  # that it is ready
            memory = proxy.pss_kib()
            window = Window(bench, proxy, lambda: program.cpu_seconds() + bench.origin.cpu_seconds())
            program.go_on()
            figures = program.await_line(bench.seconds + OPENING_SECONDS)
            shares = window.close()
            if emptied:
                await_empty(bench)
                shares["proxy_seconds"] = window.close()["proxy_seconds"]
            self.hold(figures, proxy)
            program.go_on()
            program.process.wait(20)
        finally:
            program.stop()
        insist(figures)
        await_empty(bench)
        figures |= shares | {"memory_before": memory, "rate": figures["per_second"]}
        return figures | {
            "cost": shares["proxy_seconds"] * 1e6 / figures["answers"],
            "reads": figures["reads"] / figures["answers"],
        }

    def hold(self, figures: Figures, proxy: Proxy) -> None:
        """While the tunnels are still there."""

    def turn(self, bench: Bench, proxy: Proxy) -> Figures:
        return self.run(bench, proxy, [])


def await_empty(bench: Bench) -> None:
    """connguard keeps an upstream until its turn is over, when its client drops."""
    deadline = time.monotonic() + EMPTYING_SECONDS
    while bench.counts()["tunnels"] > 0:
        if time.monotonic() > deadline:
            raise Wrong("the proxy keeps tunnels whose clients have gone")
        time.sleep(0.05)


def ws_echo(options: Options) -> Iterator[Scenario]:
    floor = [] if options.tls else [Setup("floor", "relay")]
    for connections in options.connections:
        for size in options.sizes:
            title = f"ws-echo: {size_of(size)}, {connections} connections"
            if options.outstanding > 1:
                title += f", {options.outstanding} messages outstanding on each"
            command = ["echo", "-c", str(connections), "--size", str(size)]
            command += ["--outstanding", str(options.outstanding)]
            yield Tunnels(title, command, options.tls, floor)


class Stream(Tunnels):
    unit = "token"

    def __init__(self, clients: int, tls: bool) -> None:
        title = f"ws-stream: {clients} clients, a token every {self.pace // 1000} ms for each"
        super().__init__(title, ["stream", "-c", str(clients), "--tokens", str(STREAM_TOKENS)], tls)
        delays = [
            Column("one way p50 µs", "p50_us", compared=True),
            Column("p99 µs", "p99_us", compared=True),
        ]
        self.columns = [self.columns[0], *delays, Column("tokens/s", "rate"), PIECES, *SHARES]


def ws_stream(options: Options) -> Iterator[Scenario]:
    yield Stream(200, options.tls)


class Connect(Tunnels):
    unit = "connection"

    def __init__(self, lanes: int, tls: bool) -> None:
        title = f"ws-connect: connect, upgrade, one echo, Close; {lanes} at a time"
        turn = "{end: each-answer}"
        each = Setup("connguard, each-answer", "connguard", websocket=True, tls=tls, turn=turn)
        super().__init__(title, ["connect", "-c", str(lanes)], tls, [each])
        cost = Column("CPU µs/connection", "cost", compared=True)
        delays = [Column("p50 µs", "p50_us"), Column("p99 µs", "p99_us")]
        self.columns = [cost, self.columns[1], *delays, *SHARES]

    def turn(self, bench: Bench, proxy: Proxy) -> Figures:
        return self.run(bench, proxy, [], emptied=True)


def ws_connect(options: Options) -> Iterator[Scenario]:
    yield Connect(32, options.tls)


class Idle(Tunnels):
    fresh = True

    def __init__(self, tunnels: int, tls: bool) -> None:
        super().__init__(f"ws-idle: {tunnels} tunnels", ["idle", "-c", str(tunnels)], tls)
        self.columns = [
            Column("KiB/tunnel", "kib_per_tunnel", 2, compared=True),
            Column("MiB before", "mib_before", 1),
            Column("tunnels", "answers"),
            Column("CPU µs to open one", "cost"),
            SHARES[-1],
        ]

    def hold(self, figures: Figures, proxy: Proxy) -> None:
        time.sleep(SETTLING_SECONDS)
        figures["memory"] = proxy.pss_kib()

    def turn(self, bench: Bench, proxy: Proxy) -> Figures:
        figures = self.run(bench, proxy, [])
        added = figures["memory"] - figures["memory_before"]
        figures["mib_before"] = figures["memory_before"] / 1024
        return figures | {"kib_per_tunnel": added / figures["answers"]}


def ws_idle(options: Options) -> Iterator[Scenario]:
    yield Idle(options.idle or min(4000, most_idle()), options.tls)


class Mixed(Tunnels):
    def __init__(self, idle: int, tls: bool) -> None:
        load = f"{MIXED_RATE} messages/s of 256 B on {MIXED_TUNNELS} tunnels"
        title = f"ws-mixed: {load}, alone and beside {idle} idle ones"
        command = ["rate", "-c", str(MIXED_TUNNELS), "--rate", str(MIXED_RATE), "--size", "256"]
        super().__init__(title, command, tls)
        self.idle = idle
        self.columns = [
            Column("p50 µs alone", "alone_p50"),
            Column("p99 µs alone", "alone_p99"),
            Column("p50 µs", "p50_us", compared=True),
            Column("p99 µs", "p99_us", compared=True),
            Column("p50 to alone", "p50_ratio", 2),
            Column("p99 to alone", "p99_ratio", 2),
            Column("CPU µs/message alone", "alone_cost", 1),
            Column("CPU µs/message", "cost", 1),
            *SHARES,
        ]

    def turn(self, bench: Bench, proxy: Proxy) -> Figures:
        alone = self.run(bench, proxy, [])
        crowd = self.run(bench, proxy, ["--idle", str(self.idle)])
        return crowd | {
            "alone_p50": alone["p50_us"],
            "alone_p99": alone["p99_us"],
            "alone_cost": alone["cost"],
            "p50_ratio": crowd["p50_us"] / alone["p50_us"],
            "p99_ratio": crowd["p99_us"] / alone["p99_us"],
        }


def ws_mixed(options: Options) -> Iterator[Scenario]:
    yield Mixed(options.idle or min(9900, most_idle()), options.tls)


class Inspect(Tunnels):
    def __init__(self, tls: bool) -> None:
        command = ["echo", "-c", "64", "--size", "1024", "--shape", "json"]
        super().__init__("ws-inspect: JSON messages of 1 KiB, 64 connections", command, tls)
        turns = {
            "unread": "",
            "answers read": "{end: {json: /type, in: [chat]}}",
            "all read": "{end: {json: /type, in: [chat]}, accept: json-object}",
        }
        self.setups = [
            Setup(label, "connguard", websocket=True, tls=tls, turn=turn) for label, turn in turns.items()
        ]
        self.references = ["unread"]


def ws_inspect(options: Options) -> Iterator[Scenario]:
    yield Inspect(options.tls)
