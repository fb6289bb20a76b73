"""Renders what deploy/ has for Kubernetes and Helm, and holds it to the API's schemas."""

from __future__ import annotations

import copy
import fcntl
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Any

import jsonschema
import yaml

from processes import ROOT

KUBERNETES = ROOT / "deploy/kubernetes"
CHART = ROOT / "deploy/helm/connguard"
RULES = ROOT / "deploy/prometheus/connguard.rules.yaml"
SUPPORT = ROOT / "tests/support"
BUILD = ROOT / "build"
# The first kustomize that takes all that the manifests use without a warning, and the first kubectl that has it.
OLDEST_KUSTOMIZE, OLDEST_KUBECTL = (5, 0), (1, 27)
# Debian 12 has only an older one, in its kubectl; this one of Debian 13 runs there, too.
DEBIAN_13_KUSTOMIZE = "5.6.0+ds"

Manifest = dict[str, Any]


class Failed(Exception):
    """A tool has refused its input; the text is what it said."""


def run(command: list[str], given: str | None = None, **options) -> str:
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=600, check=False, **options
    )
    if done.returncode != 0:
        raise Failed(f"{command[0]}: {done.stderr}{done.stdout}")
    return done.stdout


class Lock:
    """One process at a time."""

    def __init__(self, name: str) -> None:
        BUILD.mkdir(exist_ok=True)
        self.path = BUILD / f"{name}.lock"

    def __enter__(self) -> None:
        self.file = self.path.open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_) -> None:
        self.file.close()


# --- kustomize -----------------------------------------------------------------------------------


def version(command: list[str]) -> tuple[int, int]:
    """The first two numbers of what it says with `v` before them; (0, 0): there is no such command."""
    try:
        return tuple(map(int, re.search(r"v(\d+)\.(\d+)", run(command)).groups()))
    except (OSError, Failed, AttributeError):
        return (0, 0)


@functools.cache
def kustomize_command() -> list[str]:
    """The machine's own if it is new enough; else Debian 13's, fetched once into the user's cache."""
    if version(["kustomize", "version"]) >= OLDEST_KUSTOMIZE:
        return ["kustomize", "build"]
    if version(["kubectl", "version", "--client"]) >= OLDEST_KUBECTL:
        return ["kubectl", "kustomize"]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "connguard" / f"kustomize-{DEBIAN_13_KUSTOMIZE}"
    binary = folder / "usr/bin/kustomize"
    with Lock("kustomize"):
        if not binary.exists():
            fetch = ROOT / "proxy/cmake/fetch-package"
            run([str(fetch), "kustomize", DEBIAN_13_KUSTOMIZE, "trixie", str(folder)])
    return [str(binary), "build"]


def kustomize(folder: pathlib.Path) -> list[Manifest]:
    """What `kubectl kustomize FOLDER` makes of it. Its warnings are failures."""
    command = [*kustomize_command(), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or done.stderr:
        raise Failed(done.stderr)
    return list(yaml.safe_load_all(done.stdout))


# --- Helm ----------------------------------------------------------------------------------------


@functools.cache
def helmrender() -> str:
    """The stand-in for `helm template`, built from tests/support/helmrender with Debian's Go packages."""
    binary, path = BUILD / "helmrender", BUILD / "go"
    environment = {
        **os.environ, "GO111MODULE": "off", "GOPATH": f"{path}:/usr/share/gocode", "GOTOOLCHAIN": "local",
        "GOFLAGS": "", "CGO_ENABLED": "0", "GOCACHE": str(path / "cache"),
    }
    with Lock("helmrender"):
        folder = path / "src/helmrender"
        shutil.copytree(SUPPORT / "helmrender", folder, dirs_exist_ok=True)
        run(["/usr/bin/go", "build", "-o", str(binary), "."], cwd=folder, env=environment)
    return str(binary)


def merged(values: Any, changes: Any) -> Any:
    """As Helm puts one values file on top of another: maps are merged, all else is replaced, null removes."""
    if not isinstance(values, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    result = {**values, **{key: merged(values.get(key), value) for key, value in changes.items()}}
    return {key: value for key, value in result.items() if value is not None}


def helm_values(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    return merged(yaml.safe_load((CHART / "values.yaml").read_text()), changes or {})


def helm_texts(
    changes: dict[str, Any] | None = None,
    release: str = "cat",
    namespace: str = "agents",
    chart: pathlib.Path = CHART,
) -> dict[str, str]:
    """Each template's text by its file's name. The values are held to the chart's schema first, as Helm does."""
    values = helm_values(changes)
    schema = json.loads((CHART / "values.schema.json").read_text())
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(values))
    if errors:
        raise Failed("\n".join(f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in errors))
    command = [helmrender(), str(chart), release, namespace]
    return json.loads(run(command, given=json.dumps(values)))


def helm(changes: dict[str, Any] | None = None, **options) -> list[Manifest]:
    texts = helm_texts(changes, **options)
    documents = []
    for name, text in texts.items():
        if name.endswith(".yaml"):
            documents += [document for document in yaml.safe_load_all(text) if document]
    return documents


# --- schemas -------------------------------------------------------------------------------------


@functools.cache
def schema_folder() -> pathlib.Path:
    """tests/support/kubeschema, with the packages that its package.json names in node_modules."""
    folder = SUPPORT / "kubeschema"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]

    def installed(name: str) -> str | None:
        file = folder / "node_modules" / name / "package.json"
        return json.loads(file.read_text())["version"] if file.exists() else None

    with Lock("kubeschema"):
        if any(installed(name) != version for name, version in wanted.items()):
            flags = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            run(["npm", "install", *flags], cwd=folder)
    return folder


@functools.cache
def schema_checker() -> subprocess.Popen:
    """One for all tests, since its start takes a second. It ends with its input, that is with this process."""
    command = ["node", str(schema_folder() / "check.js")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def schema_complaints(documents: list[Manifest]) -> list[str]:
    """What the API server, or an operator's definitions, would refuse; unknown fields as well."""
    checker = schema_checker()
    checker.stdin.write(json.dumps(documents) + "\n")
    checker.stdin.flush()
    return json.loads(checker.stdout.readline())
