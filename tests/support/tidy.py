"""Runs clang-tidy over the program's and the benchmark's source files: tidy.py ROOT BUILD JOBS.

A file that was found clean is looked at again only when it, a header of ours that it includes, the rules
or clang-tidy itself have changed since. What was clean is noted in the user's cache, for every clone.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

TIDY = "clang-tidy-19"
NOTES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "connguard/tidy"


def dependencies(build):
    """Source file -> the files that its object was made from, as ninja knows them."""
    lists = {}
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True)
    for block in text.stdout.split("\n\n"):
        # ccache may make paths relative to the build's folder.
        files = [str(Path(build, line.strip()).resolve()) for line in block.splitlines()[1:]]
        if files:
            lists[files[0]] = files
    return lists


def tools():
    """What else a finding hangs on: clang-tidy, and the system whose headers it reads."""
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    return version + Path("/etc/os-release").read_bytes()


def fingerprint(root, rules, files):
    """A hash over the rules and those of `files` that are ours."""
    digest = hashlib.sha256(rules)
    for path in sorted({Path(file) for file in files}):
        if path.is_absolute() and path.is_relative_to(root):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def tidy(build, source):
    """Returns what clang-tidy says of `source`; an empty string when it is clean."""
    done = subprocess.run([TIDY, "--quiet", "-p", build, source], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main(root, build, jobs):
    root = Path(root)
    NOTES.mkdir(parents=True, exist_ok=True)
    commands = json.loads(Path(build, "compile_commands.json").read_text())
    ours = [root / "proxy", root / "tests/bench"]
    sources = sorted({c["file"] for c in commands if any(Path(c["file"]).is_relative_to(f) for f in ours)})
    known = dependencies(build)
    rules = (root / ".clang-tidy").read_bytes() + tools()
    prints = {s: fingerprint(root, rules, known.get(s, []) + [s]) for s in sources}
    open_ones = [s for s in sources if not (NOTES / prints[s]).exists()]
    print(f"{len(sources)} files, {len(open_ones)} of them to look at")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        for source, report in zip(open_ones, pool.map(lambda s: tidy(build, s), open_ones)):
            if report:
                bad += 1
                print(f"-- {source}\n{report}", flush=True)
            else:
                (NOTES / prints[source]).touch()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
