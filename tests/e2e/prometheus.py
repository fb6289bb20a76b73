"""A Prometheus server of the test's own: the shipped configuration, but for the target and the pace."""

from __future__ import annotations

import asyncio
import json
import math
import pathlib
import sys
import time
import urllib.parse
import urllib.request
from typing import Any, Callable

import yaml

from processes import ROOT, Server, free_port

sys.path.insert(0, str(ROOT / "tests/support"))
import monitoring  # noqa: E402

PACE = "500ms"


class PrometheusServer(Server):
    def __init__(
        self,
        directory: pathlib.Path,
        admin_port: int,
        shipped: pathlib.Path = monitoring.PROMETHEUS,
        rules: pathlib.Path | None = monitoring.RULES,
        token: pathlib.Path | None = None,
    ) -> None:
        """Scrapes the guard whose admin endpoint that is, as `shipped` says, and evaluates `rules`."""
        self.port = free_port()
        config = yaml.safe_load(shipped.read_text())
        config["global"] = {"scrape_interval": PACE, "evaluation_interval": PACE}
        config["rule_files"] = [str(rules)] if rules else []
        (job,) = config["scrape_configs"]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{admin_port}"]}]
        if token:
            job["authorization"]["credentials_file"] = str(token)
        path = directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        command = [
            "prometheus",
            f"--config.file={path}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            "--log.level=warn",
        ]
        self.started = time.time()
        super().__init__(command, directory / "prometheus.log", self.port, "/-/ready")

    def ask(self, path: str, **parameters: Any) -> Any:
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        """What the expression gives now: one value for each series."""
        return [float(series["value"][1]) for series in self.ask("query", query=expression)["result"]]

    def history(self, expression: str, step: float = 0.5) -> list[float]:
        """Every number that it has given since the server was started, of all series."""
        end = time.time() + step  # what came after the last whole step is seen too
        answer = self.ask(
            "query_range", query=expression, start=self.started, end=end, step=step
        )
        numbers = (float(value) for series in answer["result"] for _, value in series["values"])
        return [number for number in numbers if not math.isnan(number)]

    async def until(
        self, expression: str, holds: Callable[[float], bool] = bool, timeout: float = 20
    ) -> None:
        """Waits until the server knows a series of the expression for which it holds."""
        deadline = time.monotonic() + timeout
        while not any(holds(value) for value in self.values(expression)):
            assert time.monotonic() < deadline, (expression, self.values(expression))
            await asyncio.sleep(0.1)
