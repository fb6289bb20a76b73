"""Builds the container image with buildah, on a base that debootstrap makes: no engine, no registry."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess

from chroots import KEYRING, sources

BASE = "docker.io/library/debian:trixie-slim"
SUITE = "trixie"


class Unavailable(Exception):
    """This machine cannot build images."""


def run(*command: str, timeout: float = 60.0, log: pathlib.Path | None = None) -> str:
    """What it printed; with `log` all of it goes there, and nothing is returned."""
    try:
        if log:
            with log.open("ab") as stream:
                subprocess.run(command, stdout=stream, stderr=stream, timeout=timeout, check=True)
            return ""
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except FileNotFoundError as error:
        raise Unavailable(f"no {command[0]} here") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{command}:\n{log.read_text(errors='replace')[-4000:]}") from error
    if result.returncode != 0:
        raise RuntimeError(f"{command}: {result.stderr.strip()}")
    return result.stdout.strip()


class Builder:
    """Everything it makes is below `home`, and goes with it."""

    def __init__(self, home: pathlib.Path) -> None:
        if os.geteuid() != 0:
            raise Unavailable("needs root")
        self.home = home
        self.log = home / "build.log"
        self.buildah = ["buildah", "--root", f"{home}/storage", "--runroot", f"{home}/run"]
        policy = home / "policy.json"
        policy.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        self.policy = ["--signature-policy", str(policy)]
        self.mounted: list[str] = []
        try:
            self._call("info")
        except RuntimeError as error:
            raise Unavailable(str(error)) from error

    def _call(self, *arguments: str, timeout: float = 120.0, log: bool = False) -> str:
        return run(*self.buildah, *arguments, timeout=timeout, log=self.log if log else None)

    def make_base(self) -> None:
        """What the Dockerfile's base is for it: a small Debian 13, under the same name."""
        root = self.home / "base"
        own = sources()
        if not own:
            raise Unavailable("apt has no source of this machine's own release")
        command = ["debootstrap", "--variant=minbase", f"--keyring={KEYRING}", SUITE, str(root)]
        run(*command, own[0][0], timeout=900, log=self.log)
        container = self._call("from", *self.policy, "scratch")
        self._call("add", container, str(root), "/", timeout=300)
        self._call("commit", *self.policy, "--rm", container, BASE, timeout=300, log=True)
        shutil.rmtree(root)

    def build(self, context: pathlib.Path, name: str, *arguments: str) -> None:
        options = ["--isolation", "chroot", "--format", "docker", "--layers", "--pull-never"]
        dockerfile = context / "deploy/Dockerfile"
        options += ["-f", str(dockerfile), "-t", name, *arguments]
        self._call("build", *self.policy, *options, str(context), timeout=1500, log=True)

    def description(self, name: str) -> dict:
        return json.loads(self._call("inspect", "--type", "image", name))

    def mount(self, name: str) -> pathlib.Path:
        """Its files, until close()."""
        container = self._call("from", *self.policy, "--pull-never", name)
        self.mounted.append(container)
        return pathlib.Path(self._call("mount", container))

    def close(self) -> None:
        for container in self.mounted:
            self._call("umount", container)
            self._call("rm", container)
