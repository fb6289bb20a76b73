"""Reads what deploy/ ships for Grafana and Prometheus: panels, queries, alerts."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy/grafana/dashboards/connguard.json"
PROVISIONING = ROOT / "deploy/grafana/provisioning"
PROMETHEUS = ROOT / "deploy/prometheus/prometheus.yml"
RULES = ROOT / "deploy/prometheus/connguard.rules.yaml"
RUNBOOK = ROOT / "proxy/docs/runbook.md"

# Ours, Prometheus' own, and what the rules record.
SELECTOR = re.compile(r"\b((?:connguard|process)[\w:]*|up)\b(?!\()(\{[^}]*\})?")


def dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_text())


def panels() -> list[dict[str, Any]]:
    """Those that show something: all but the rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def with_variables(expression: str, interval: str = "1m") -> str:
    """As Grafana sends it when everything is chosen."""
    for name, value in {"instance": ".*", "route": ".*", "__rate_interval": interval}.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression, expression
    return expression


def queries(interval: str = "1m") -> list[tuple[str, str]]:
    """The title of a panel and the expression of one of its targets."""
    return [
        (panel["title"], with_variables(target["expr"], interval))
        for panel in panels()
        for target in panel["targets"]
    ]


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def selectors(expression: str) -> list[tuple[str, str]]:
    """Name and matchers (with their braces, or empty) of all series that an expression reads."""
    found = SELECTOR.findall(re.sub(r"\b(?:by|without|on)\s*\([^)]*\)", "", expression))
    assert found, f"reads nothing: {expression}"
    return found


def reference(text: str) -> dict[str, tuple[str, set[str]]]:
    """Type and labels of every series on the metrics page, from what `connguard metrics` prints."""
    series: dict[str, tuple[str, set[str]]] = {}
    for line in text.splitlines()[2:]:
        name, kind, labels = (cell.strip() for cell in line.strip("|").split("|")[:3])
        name, named = name.strip("`"), set(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            series[name + "_bucket"] = (kind, named | {"le"})
            series[name + "_sum"] = series[name + "_count"] = (kind, named)
        else:
            series[name] = (kind, named)
    return series
