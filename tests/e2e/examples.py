"""Starts what deploy/examples has: an example's agent, and the guard by the example's own file."""

from __future__ import annotations

import pathlib

from processes import PYTHON, ROOT, GuardServer, Server, free_port, guard_binary

EXAMPLES = ROOT / "deploy/examples"


class ExampleAgent(Server):
    def __init__(self, directory: pathlib.Path, example: str, pace: float = 0.05) -> None:
        """`pace`: seconds for each word of its answers, which have about a dozen."""
        self.port = free_port()
        command = [PYTHON, "-B", "-m", "uvicorn", "agent:app", "--port", str(self.port)]
        command += ["--app-dir", str(EXAMPLES / example), "--no-use-colors"]
        environment = {"AGENT_PACE": str(pace)}
        super().__init__(command, directory / "agent.log", self.port, "/health", environment)


class ExampleGuard(GuardServer):
    def __init__(
        self,
        directory: pathlib.Path,
        example: str,
        changed: tuple[str, str] | None = None,
        **environment: str,
    ) -> None:
        """The file is as it is shipped, only its variables are set – but for `changed`: what it says
        (old, new), to show what that is good for."""
        self.port, self.admin = free_port(), free_port()
        self.config = EXAMPLES / example / "connguard.yaml"
        if changed:
            text = self.config.read_text()
            assert changed[0] in text
            self.config = directory / f"changed-{self.admin}.yaml"
            self.config.write_text(text.replace(*changed))
        environment |= {"BIND": f"127.0.0.1:{self.port}", "ADMIN": f"127.0.0.1:{self.admin}"}
        command = [guard_binary(), "run", "-c", str(self.config)]
        log = directory / f"connguard-{self.admin}.log"
        Server.__init__(self, command, log, self.admin, "/readyz", environment)
