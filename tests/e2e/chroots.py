"""A Debian of this machine's own release in a folder, to install packages in."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
from typing import Iterator

from processes import ROOT

CACHE = ROOT / "build/chroots"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}


class NoChroot(Exception):
    """Why there can be none here."""


def codename() -> str:
    release = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\S+)$", release, re.M)[1]


def one_line_sources(text: str) -> Iterator[tuple[str, str]]:
    """(URI, suite) of each `deb [options] URI suite component…`."""
    for line in text.splitlines():
        if match := re.match(r"deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)\s+\S", line):
            yield match[1], match[2]


def deb822_sources(text: str) -> Iterator[tuple[str, str]]:
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.*)$", paragraph, re.M))
        if "deb" in fields.get("Types", "").split():
            for uri in fields.get("URIs", "").split():
                for suite in fields.get("Suites", "").split():
                    yield uri, suite


def sources() -> list[tuple[str, str]]:
    """Where this machine has its own packages from: (URI, suite), the release itself first."""
    apt = pathlib.Path("/etc/apt")
    found: list[tuple[str, str]] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.is_file():
            read = deb822_sources if path.suffix == ".sources" else one_line_sources
            found += read(path.read_text())
    release = codename()
    own = [s for s in found if s[1] in (release, f"{release}-updates", f"{release}-security")]
    return sorted(dict.fromkeys(own), key=lambda source: len(source[1]))


def proxies() -> str:
    """What apt is told here of proxies, as apt.conf."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    return "".join(re.findall(r"^Acquire::https?::Proxy.*\n", dump.stdout, re.M))


def run(command: list, **kwargs) -> subprocess.CompletedProcess:
    """What fails is an error with all that was said."""
    done = subprocess.run(command, capture_output=True, text=True, **kwargs)
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-3000:]
        raise subprocess.SubprocessError(f"{command}: status {done.returncode}\n{said}")
    return done


def make(root: pathlib.Path, packages: list[str]) -> None:
    """A minimal Debian with `packages` in it."""
    own = sources()
    if not own:
        raise NoChroot("apt has no source of this machine's own release")
    try:
        run(
            ["debootstrap", "--variant=minbase", f"--keyring={KEYRING}"]
            + [codename(), root, own[0][0]]
        )
    except subprocess.SubprocessError as error:
        raise NoChroot(f"debootstrap cannot make a system here: {error}") from error
    lines = [f"deb [signed-by={KEYRING}] {uri} {suite} main\n" for uri, suite in own]
    (root / "etc/apt/sources.list").write_text("".join(lines))
    (root / "etc/apt/apt.conf.d/99proxies").write_text(proxies())
    chroot = Chroot(root)
    chroot.run("apt-get", "-q", "update")
    chroot.run("apt-get", "-qy", "--no-install-recommends", "install", *packages)
    chroot.run("apt-get", "clean")
    shutil.rmtree(root / "var/lib/apt/lists")


class Chroot:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root

    @classmethod
    def with_packages(cls, root: pathlib.Path, packages: list[str]) -> Chroot:
        """Made once and kept as a tarball below build/, which is unpacked to `root`."""
        key = hashlib.sha256(repr((sources(), packages)).encode()).hexdigest()[:12]
        tarball = CACHE / f"{codename()}-{key}.tar"
        if not tarball.exists():
            fresh = root.with_name("fresh")
            make(fresh, packages)
            CACHE.mkdir(parents=True, exist_ok=True)
            partial = tarball.with_suffix(f".{os.getpid()}")
            run(["tar", "-C", fresh, "--exclude=./proc/*", "--exclude=./sys/*", "-cf", partial, "."])
            partial.rename(tarball)
            shutil.rmtree(fresh)
        root.mkdir()
        run(["tar", "-C", root, "--numeric-owner", "-xpf", tarball])
        return cls(root)

    def run(self, *command: str) -> str:
        """Returns what it says; fails when the command does."""
        return run(["chroot", self.root, *command], env=ENVIRONMENT, timeout=600).stdout

    def run_isolated(self, script: str) -> str:
        """A script of bash, in processes and on a loopback of its own, all ended with it."""
        inner = 'ip link set lo up; mount -t proc proc "$1/proc"; exec chroot "$1" bash -c "$2"'
        unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
        command = [*unshare, "bash", "-ec", inner, "bash", self.root, script]
        return run(command, env=ENVIRONMENT, timeout=60).stdout

    def files(self) -> set[str]:
        """All that is there, but for what dpkg and the dynamic linker note of packages."""
        found = set()
        for folder, names, files in os.walk(self.root):
            here = pathlib.Path(folder).relative_to(self.root)
            if here in (pathlib.Path("var/lib/dpkg"), pathlib.Path("proc"), pathlib.Path("dev")):
                names.clear()
                continue
            found |= {str(here / name) for name in names + files}
        return found - {"var/cache/ldconfig/aux-cache", "var/log/dpkg.log"}
