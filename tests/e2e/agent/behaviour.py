"""How a turn goes: its tokens, its pace and its pauses."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Mapping


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """Pauses are in seconds."""

    tokens: int = 5
    pace: float = 0.02  # before each token but the first
    first: float = 0.0  # before the first token
    tail: float = 0.0  # between the final message and the handler's return
    final: bool = True  # False: the turn ends without its final message
    size: int = 8  # characters of a token

    def override(self, values: Mapping[str, Any]) -> "Behaviour":
        """Takes what `values` (a message, a query) has to say about a turn."""
        changes = {}
        for field in dataclasses.fields(self):
            if field.name in values:
                default = getattr(self, field.name)
                changes[field.name] = type(default)(float(values[field.name]))
        return dataclasses.replace(self, **changes)

    @classmethod
    def from_environment(cls) -> "Behaviour":
        """Defaults of the process: AGENT_TOKENS, AGENT_PACE and so on."""
        prefix = "AGENT_"
        words = {k[len(prefix) :].lower(): v for k, v in os.environ.items() if k.startswith(prefix)}
        return cls().override(words)
