"""The man pages as roff's own checkers and a reader's `man` find them."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from processes import guard_binary

PAGES = ("connguard", "connguard.yaml")


def printed(*arguments: str) -> str:
    done = subprocess.run([guard_binary(), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def needs(tool: str) -> None:
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool}")


@pytest.fixture(params=PAGES)
def page(request, tmp_path) -> pathlib.Path:
    section = 5 if request.param.endswith(".yaml") else 1
    path = tmp_path / f"{request.param}.{section}"
    path.write_text(printed("man", request.param))
    return path


def test_mandoc_has_no_warning(page):
    needs("mandoc")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_groff_has_no_warning(page):
    needs("groff")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-Tutf8", page], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_man_shows_it_without_a_warning(page):
    needs("man")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_STDERR": "1"}
    done = subprocess.run(
        ["man", "--warnings", "-l", page], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(".\b", "", done.stdout)
    expected = ("--log-level LEVEL", "78") if page.suffix == ".1" else ("routes[].turn.max", "5m")
    for part in (*expected, "NAME", "SEE ALSO"):
        assert part in text
    assert r"\f" not in text


def test_a_reader_sees_every_character_of_what_the_program_says(page):
    """Hyphens, backslashes, quotes and points survive roff."""
    needs("mandoc")
    done = subprocess.run(["mandoc", "-T", "utf8", page], capture_output=True, text=True)
    text = " ".join(re.sub(".\b", "", done.stdout).split())
    if page.suffix == ".1":
        assert "connguard --listen 0.0.0.0:8080 --upstream http://127.0.0.1:1865" in text
        return
    for line in printed("reference").splitlines():
        if line.startswith("| `"):
            meaning = re.sub(r"\\(.)", r"\1", line).rsplit(" | ", 1)[1].removesuffix(" |")
            assert meaning.replace("`", "") in text, meaning
