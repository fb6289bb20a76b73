"""What a configuration says of time, for the files that have to leave room for it."""

from __future__ import annotations

import pathlib
import re
import subprocess

import yaml

from processes import guard_binary

UNITS = {"ms": 0.001, "": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def seconds(text: str | int) -> float:
    """30s, 1m30s, 500ms; 0 has no unit."""
    parts = re.findall(r"([\d.]+) *([a-z]*)", str(text))
    assert parts, text
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def shutdown_seconds(config: pathlib.Path, **environment: str) -> float:
    """The longest that a guard with this configuration goes on after SIGTERM, its defaults included."""
    command = [guard_binary(), "print-config", "-c", str(config)]
    printed = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=True, env=environment
    )
    shutdown = yaml.safe_load(printed.stdout)["shutdown"]
    return seconds(shutdown["delay"]) + seconds(shutdown["drain"])
