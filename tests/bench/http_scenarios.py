"""Plain HTTP through connguard, nginx and HAProxy."""

from __future__ import annotations

import json
import resource
import subprocess

import proxies
from bench import SHARES, Bench, Scenario, Window, insist
from configs import Setup
from tables import Column, Figures

CHUNKS = 50
WARM_UP_SECONDS = 0.3


def children_seconds() -> float:
    """CPU time of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Http(Scenario):
    load = "http_load"
    references = ["nginx", "HAProxy"]

    def __init__(self, title: str, command: str, connections: int, unit: str, units_per_answer: int) -> None:
        self.title, self.command, self.connections = title, command, connections
        self.units_per_answer = units_per_answer
        streams = command == "stream"
        self.setups = [
            Setup("nginx", "nginx", streams=streams),
            Setup("HAProxy", "haproxy", streams=streams),
            Setup("connguard", "connguard", streams=streams),
        ]
        self.columns = [
            Column(f"CPU µs/{unit}", "cost", 2, compared=True),
            Column(f"{unit}s/s", "rate", compared=True),
            Column("reads/answer", "reads", 1),
            Column("connections", "opened"),
            Column("upstream", "upstream"),
            *SHARES,
        ]

    def _generate(self, bench: Bench, port: int, seconds: float) -> dict:
        """What one run of the generator says."""
        command = [bench.programs[self.load], self.command, "--to", f"127.0.0.1:{port}"]
        command += ["-c", str(self.connections), "-t", str(seconds)]
        command = proxies.on_core(bench.load_core, command)
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"http_load: {done.stderr}")
        return json.loads(done.stdout)

    def turn(self, bench: Bench, proxy: proxies.Proxy) -> Figures:
        self._generate(bench, proxy.port, WARM_UP_SECONDS)
        upstream = bench.counts()["connections"]
        window = Window(bench, proxy, lambda: children_seconds() + bench.origin.cpu_seconds())
        figures = self._generate(bench, proxy.port, bench.seconds)
        shares = window.close()
        insist(figures)
        return shares | {
            "cost": shares["proxy_seconds"] * 1e6 / (figures["answers"] * self.units_per_answer),
            "rate": figures["per_second"] * self.units_per_answer,
            "reads": figures["reads"] / figures["answers"],
            "opened": figures["opened"],  # by the generator
            # By the proxy. One of them is the question itself.
            "upstream": bench.counts()["connections"] - upstream - 1,
        }


def http_get() -> list[Scenario]:
    return [
        Http("http-get: a body of 1 KiB, 64 connections", "get", 64, "request", 1),
        Http("http-get: a body of 1 KiB, 1 connection", "get", 1, "request", 1),
    ]


def http_stream() -> list[Scenario]:
    pace = f"{Scenario.pace / 1000:g} ms"
    title = f"http-stream: {CHUNKS} chunks of 200 B, {pace} apart, 64 connections"
    return [Http(title, "stream", 64, "chunk", CHUNKS)]
