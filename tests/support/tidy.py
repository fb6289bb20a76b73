"""Runs clang-tidy over the program's and the benchmark's source files: tidy.py ROOT BUILD JOBS.

A file that was found clean is looked at again only when it, a header of ours that it includes, or the
rules have changed since; what was clean is noted in BUILD/tidy.
"""

import concurrent.futures
import hashlib
import json
import subprocess
import sys
from pathlib import Path

TIDY = "clang-tidy-19"


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


def fingerprint(root, files):
    """A hash over the rules and those of `files` that are ours."""
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes())
    for path in sorted({Path(file) for file in files}):
        if path.is_absolute() and path.is_relative_to(root):
            digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def tidy(build, source):
    """Returns what clang-tidy says of `source`; an empty string when it is clean."""
    done = subprocess.run([TIDY, "--quiet", "-p", build, source], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main(root, build, jobs):
    root, notes = Path(root), Path(build, "tidy")
    notes.mkdir(exist_ok=True)
    commands = json.loads(Path(build, "compile_commands.json").read_text())
    ours = [root / "proxy", root / "tests/bench"]
    sources = sorted({c["file"] for c in commands if any(Path(c["file"]).is_relative_to(f) for f in ours)})
    known = dependencies(build)
    prints = {s: fingerprint(root, known.get(s, []) + [s]) for s in sources}
    open_ones = [s for s in sources if not (notes / prints[s]).exists()]
    print(f"{len(sources)} files, {len(open_ones)} of them to look at")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        for source, report in zip(open_ones, pool.map(lambda s: tidy(build, s), open_ones)):
            if report:
                bad += 1
                print(f"-- {source}\n{report}", flush=True)
            else:
                (notes / prints[source]).touch()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
