"""Runs Debian's curl and says what came of it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

# No ~/.curlrc, no proxy of the environment; what a transfer came to is a line of JSON on stderr.
COMMAND = ("curl", "--disable", "--noproxy", "*", "--silent", "--show-error", "--http1.1")
FORMAT = "%{stderr}\\n%{json}\\n"
PARTIAL_FILE, RESET = 18, 56  # exit statuses for an answer that ends too early


@dataclasses.dataclass
class Result:
    exit_status: int
    output: bytes  # all bodies; with --include the heads too
    errors: str
    transfers: list[dict[str, Any]]  # what --write-out has as %{json}

    @property
    def status(self) -> int:
        return self.transfers[-1]["http_code"]

    def json(self) -> Any:
        return json.loads(self.output)


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *COMMAND, "--write-out", FORMAT, *arguments, stdin=pipe, stdout=pipe, stderr=pipe
    )


async def run(*arguments: str, stdin: bytes = b"", timeout: float = 30.0) -> Result:
    """`timeout` ends curl itself, with exit status 28."""
    process = await start("--max-time", str(timeout), *arguments)
    output, errors = await process.communicate(stdin)
    lines = errors.decode().splitlines()
    transfers = [json.loads(line) for line in lines if line.startswith('{"')]
    rest = [line for line in lines if line and not line.startswith('{"')]
    return Result(process.returncode, output, "\n".join(rest), transfers)


def heads(output: bytes) -> list[tuple[int, dict[str, str]]]:
    """Status and fields, by small names, of each head that --dump-header wrote, interim or not."""
    found = []
    for head in output.decode("latin-1").split("\r\n\r\n"):
        status_line, *lines = head.split("\r\n")
        if status_line.startswith("HTTP/"):
            fields = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in fields}
            found.append((int(status_line.split()[1]), headers))
    return found
