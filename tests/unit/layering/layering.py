"""Finds includes that point the wrong way between connguard's folders, and files that are too long.

The rule (one way only): core ws http <- auth, tls <- config <- net cluster admin <- app <- cli <- demo <- main.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

MAX_LINES = 400

# Third-party headers by how their include begins. Everything else with a '.' or a '/' is the system's.
LIBRARIES = {
    "libwebsockets.h": "libwebsockets",
    "libwebsockets/": "libwebsockets",
    "yaml-cpp/": "yaml-cpp",
    "hiredis/": "hiredis",
    "simdjson": "simdjson",
    "boost/": "boost",
    "nlohmann/": "nlohmann",
    "openssl/ssl": "openssl-tls",  # ssl.h, sslerr.h, ssl3.h: before the rest of OpenSSL
    "openssl/tls1.h": "openssl-tls",
    "openssl/": "openssl",
    "spdlog/": "spdlog",
    "fmt/": "spdlog",
    "prometheus/": "prometheus",
    "uv.h": "libuv",
    "systemd/": "libsystemd",
    "CLI/": "CLI11",
    "zlib.h": "zlib",
}


@dataclass(frozen=True)
class Rule:
    """What the files of one folder may include besides the C++ standard library and connguard/."""

    folders: frozenset = field(default_factory=frozenset)
    libraries: frozenset = field(default_factory=frozenset)
    system: bool = True  # POSIX and Linux headers


def rule(folders="", libraries="", system=True):
    return Rule(frozenset(folders.split()), frozenset(libraries.split()), system)


PURE = "core ws http auth tls"
LOWER = PURE + " config log"
MIDDLE = LOWER + " net cluster admin doctor"

RULES = {
    "include": rule(system=False),
    "core": rule("core", system=False),
    "ws": rule("ws", "simdjson openssl zlib", system=False),
    "http": rule("http", "boost nlohmann openssl", system=False),
    "tls": rule("tls", "openssl openssl-tls", system=False),
    "auth": rule("auth http", "nlohmann openssl", system=False),
    "log": rule("log", "spdlog openssl"),
    "config": rule(PURE + " config", "yaml-cpp"),
    "net": rule(LOWER + " net"),
    "cluster": rule(LOWER + " cluster", "hiredis libuv"),
    "admin": rule(LOWER + " admin", "libwebsockets prometheus nlohmann openssl"),
    "doctor": rule(LOWER + " doctor", "libwebsockets nlohmann openssl"),
    "app": rule(MIDDLE + " app", "libuv libsystemd openssl nlohmann simdjson"),
    "demo": rule(MIDDLE + " app cli demo", "boost nlohmann openssl"),
    "cli": rule(MIDDLE + " app cli", "CLI11 nlohmann"),
    "main": rule(MIDDLE + " app demo cli", "CLI11"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    """The name in RULES for a path below the root: proxy/ws/x.cc -> ws, proxy/main.cc -> main."""
    if path.parts[0] == "include":
        return "include"
    return path.parts[1] if len(path.parts) > 2 else "main"


def library_of(header):
    return next((name for start, name in LIBRARIES.items() if header.startswith(start)), None)


def why_forbidden(folder, quote, header):
    """Why a file in `folder` may not include `header`, or None."""
    allowed = RULES[folder]
    if quote == '"':
        first = header.split("/")[0]
        if first == "connguard" or first in allowed.folders:
            return None
        return "points the wrong way" if first in RULES else "is no path below proxy/ or include/"
    library = library_of(header)
    if library:
        return None if library in allowed.libraries else f"{library} does not belong here"
    is_system = "." in header or "/" in header
    return "is a system header" if is_system and not allowed.system else None


def sources(root):
    for top in ("include", "proxy"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".cc", ".h"):
                yield path


def violations(root):
    """Every violation below `root` as file:line: text."""
    found = []
    for path in sources(root):
        name = path.relative_to(root)
        folder = folder_of(name)
        if folder not in RULES:
            found.append(f"{name}:1: error: no rule for the folder {folder}")
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            found.append(f"{name}:{len(lines)}: error: more than {MAX_LINES} lines")
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            why = match and why_forbidden(folder, match[1], match[2])
            if why:
                found.append(f"{name}:{number}: error: {folder}: {match[2]} {why}")
    return found
