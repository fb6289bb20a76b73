"""Completions, asked of the shells themselves."""

from __future__ import annotations

import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

from processes import guard_binary

# A line as it is typed, up to the cursor, and what may come next.
CASES = [
    ("connguard ru", ["run"]),
    ("connguard pr", ["print-config"]),
    ("connguard run --log-level ", ["debug", "error", "info", "off", "warn"]),
    ("connguard run --log-format l", ["logfmt"]),
    ("connguard --log-format te", ["text"]),
    ("connguard run --hand", ["--handover"]),
    ("connguard drain --t", ["--token-file"]),
    ("connguard completion ", ["bash", "fish", "zsh"]),
    ("connguard man connguard.", ["connguard.yaml"]),
    ("connguard run -c only-", ["only-one.yaml"]),
    ("connguard check --config only-", ["only-one.yaml"]),
    ("connguard -c only-one.yaml --vali", ["--validate"]),
    ("connguard drain --token-file only-", ["only-one.yaml"]),
]


def script_of(shell: str, folder: pathlib.Path) -> pathlib.Path:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    done = subprocess.run([guard_binary(), "completion", shell], capture_output=True, check=True)
    path = folder / ("_connguard" if shell == "zsh" else f"connguard.{shell}")
    path.write_bytes(done.stdout)
    subprocess.run([shell, "-n", path], check=True)  # its own check of the syntax
    return path


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """The working folder of the shells: with one file whose name is easily completed."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "only-one.yaml").write_text("")
    return folder


def bash_completes(script: pathlib.Path, folder: pathlib.Path, words: list[str]) -> list[str]:
    code = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _connguard;'
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-uc", code, "bash", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert done.stderr == ""
    return sorted(done.stdout.split())


def test_bash(tmp_path, folder):
    script = script_of("bash", tmp_path)
    for line, expected in CASES:
        assert bash_completes(script, folder, line.split(" ")) == expected, line
    # Bash takes --config=x apart.
    assert bash_completes(script, folder, ["connguard", "--config", "=", "only"]) == [
        "only-one.yaml"
    ]
    assert bash_completes(script, folder, ["connguard", "run", "--log-format", "="]) == [
        "json",
        "logfmt",
        "text",
    ]
    # The value of an option is no command, and free text is nobody's to complete.
    assert bash_completes(script, folder, ["connguard", "--listen", "run", "ch"]) == ["check"]
    assert bash_completes(script, folder, ["connguard", "run", "--listen", ""]) == []
    assert "--listen" in bash_completes(script, folder, ["connguard", "run", "--"])


def test_bash_registers_the_function(tmp_path):
    script = script_of("bash", tmp_path)
    code = 'source "$1"; complete -p connguard'
    done = subprocess.run(["bash", "--norc", "-c", code, "bash", script], capture_output=True)
    assert done.stdout == b"complete -F _connguard connguard\n"


def test_fish(tmp_path, folder):
    script = script_of("fish", tmp_path)
    environment = {**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    for line, expected in CASES:
        code = 'source $argv[1]; complete -C "$argv[2]"'
        command = ["fish", "--no-config", "-c", code, script, line]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environment, check=True
        )
        assert done.stderr == ""
        found = [answer.split("\t")[0] for answer in done.stdout.splitlines()]
        # fish 4 (Debian 13) offers words, too, that only contain what is typed.
        typed = line.split(" ")[-1]
        assert sorted(word for word in found if word.startswith(typed)) == expected, line


ZSH_START = """\
PROMPT='' RPROMPT=''
fpath=({folder} $fpath)
autoload -Uz compinit
compinit -u -D
tell() {{ print -r -- "$BUFFER" >> {answers}; zle kill-buffer }}
zle -N tell
bindkey -e
bindkey '^T' tell
"""


class Zsh:
    """An interactive zsh on a terminal of its own; says what a tab makes of a line."""

    def __init__(self, script: pathlib.Path, folder: pathlib.Path) -> None:
        self.answers = script.parent / "answers"
        self.answers.touch()
        home = script.parent / "home"
        home.mkdir()
        start = ZSH_START.format(folder=script.parent, answers=self.answers)
        (home / ".zshrc").write_text(start)
        main, other = pty.openpty()
        self.terminal = main
        self.process = subprocess.Popen(
            ["zsh", "-i"],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=folder,
            env={**os.environ, "HOME": str(home), "ZDOTDIR": str(home), "TERM": "vt100"},
            start_new_session=True,
        )
        os.close(other)

    def complete(self, line: str) -> str:
        seen = len(self.answers.read_text().splitlines())
        os.write(self.terminal, f"{line}\t\x14".encode())
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if select.select([self.terminal], [], [], 0.05)[0]:
                os.read(self.terminal, 65536)
            answers = self.answers.read_text().splitlines()
            if len(answers) > seen:
                return answers[seen]
        raise AssertionError(f"zsh says nothing to {line!r}")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


def test_zsh(tmp_path, folder):
    zsh = Zsh(script_of("zsh", tmp_path), folder)
    try:
        for line, expected in CASES:
            if len(expected) == 1:  # else it prints a list, and leaves the line alone
                typed = line[: line.rfind(" ") + 1]
                assert zsh.complete(line).rstrip(" =") == typed + expected[0], line
        assert zsh.complete("connguard run --config=only-").rstrip() == (
            "connguard run --config=only-one.yaml"
        )
    finally:
        zsh.stop()
