"""What a count may be at the most, on each system that it was recorded for."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path


def arguments(description: str) -> argparse.Namespace:
    """`binary`, which is there, and `record`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("binary", help="connguard as it is released: deploy/run --build makes it")
    parser.add_argument("--record", action="store_true", help="write the budgets of this system")
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        sys.exit(f"{options.binary} is missing: deploy/run --build makes it")
    return options


class Budgets:
    """Those of a file, for this system. `slack`: 1.05 lets pass what is 5 % above."""

    def __init__(self, path: Path, slack: float) -> None:
        release = platform.freedesktop_os_release()
        self.system = f"{release['ID']} {release.get('VERSION_ID', '')} {platform.machine()}"
        self.path, self.slack = path, slack
        self.all = json.loads(path.read_text())
        self.counted: dict[str, int] = {}

    def compare(self, name: str, count: int, unit: str) -> str:
        """What to print of it."""
        self.counted[name] = count
        return f"{name}: {count} {unit}, budget {self._of(name)}"

    def record(self) -> None:
        self.all[self.system] = self.counted
        self.path.write_text(json.dumps(self.all, indent=2) + "\n")

    def fault(self) -> str:
        """Why the counts are no good; empty: they are."""
        if self.system not in self.all:
            return f"no budget is recorded for {self.system}: --record writes one"
        over = [
            name
            for name, count in self.counted.items()
            if (budget := self._of(name)) is None or count > budget * self.slack
        ]
        return f"over the budget by more than {self.slack - 1:.0%}: {', '.join(over)}" if over else ""

    def _of(self, name: str) -> int | None:
        return self.all.get(self.system, {}).get(name)
