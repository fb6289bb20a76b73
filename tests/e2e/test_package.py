"""The Debian package: what is in it, what lintian says, and its life in a Debian of its own."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from chroots import Chroot, NoChroot, run
from processes import ROOT, guard_binary

CONFIGURATION = "etc/connguard/connguard.yaml"


def build_folder() -> pathlib.Path:
    """That of the binary that is tested; another one when this is none to make a package of."""
    folder = pathlib.Path(guard_binary()).resolve().parent.parent
    cache = folder / "CMakeCache.txt"
    if not (cache.exists() and "CMAKE_BUILD_TYPE:STRING=Release" in cache.read_text()):
        folder = ROOT / "build/release"
    if not (folder / "CPackConfig.cmake").exists():
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DCONNGUARD_TESTS=OFF"]
        run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, *options])
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("package")
    build = build_folder()
    run(["cmake", "--build", build, "--target", "connguard", "manual"])
    umask = os.umask(0o077)  # whose the strictest build is, his package must still be everybody's
    try:
        run(["cpack", "--config", build / "CPackConfig.cmake", "-B", folder])
    finally:
        os.umask(umask)
    (package,) = folder.glob("*.deb")
    shutil.rmtree(folder / "_CPack_Packages")
    return package


def field(package: pathlib.Path, name: str) -> str:
    return run(["dpkg-deb", "-f", package, name]).stdout.strip()


def contents(package: pathlib.Path) -> dict[str, str]:
    """Path -> mode and owner, as in `-rw-r--r-- root/root`."""
    lines = run(["dpkg-deb", "-c", package]).stdout.splitlines()
    rows = (line.split(None, 5) for line in lines)
    return {row[5].removeprefix("./").split(" -> ")[0]: f"{row[0]} {row[1]}" for row in rows}


def test_the_layout_is_the_one_of_a_debian_package(package):
    files = contents(package)
    for path in (
        CONFIGURATION,
        "etc/connguard/profiles/cheshire-cat.yaml",
        "usr/share/man/man1/connguard.1.gz",
        "usr/share/man/man5/connguard.yaml.5.gz",
        "usr/share/bash-completion/completions/connguard",
        "usr/share/zsh/vendor-completions/_connguard",
        "usr/share/fish/vendor_completions.d/connguard.fish",
        "usr/share/doc/connguard/README.md",
        "usr/share/doc/connguard/copyright",
        "usr/share/doc/connguard/changelog.gz",
        "usr/share/doc/connguard/docs/runbook.md",
        "usr/share/doc/connguard/examples/connguard.yaml",
        "usr/share/connguard/grafana/connguard.json",
        "usr/share/connguard/prometheus/connguard.rules.yaml",
    ):
        assert files.pop(path) == "-rw-r--r-- root/root", path
    assert files.pop("usr/bin/connguard") == "-rwxr-xr-x root/root"
    folders = {mode for path, mode in files.items() if path.endswith("/")}
    assert folders == {"drwxr-xr-x root/root"}
    assert {path.split("/")[0] for path in files} <= {"", "etc", "lib", "usr"}


def test_the_fields_say_what_it_is_and_needs(package):
    assert field(package, "Package") == "connguard"
    assert field(package, "Section") == "net"
    version = run([guard_binary(), "--version"]).stdout.split()[1]
    assert field(package, "Version") == version
    for library in ("libc6", "libssl3", "libyaml-cpp", "libuv1"):
        assert library in field(package, "Depends")


def test_every_file_in_etc_is_a_conffile(package, tmp_path):
    run(["dpkg-deb", "-e", package, tmp_path])
    listed = (tmp_path / "conffiles").read_text().split()
    packed = [f"/{p}" for p in contents(package) if p.startswith("etc/") and p[-1] != "/"]
    assert sorted(listed) == sorted(packed)


def test_the_links_of_the_readme_lead_to_files_of_the_package(package, tmp_path):
    run(["dpkg-deb", "-x", package, tmp_path])
    folder = tmp_path / "usr/share/doc/connguard"
    links = re.findall(r"\]\(([^)#:]+)[)#]", (folder / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not (folder / link).exists()] == []


def test_lintian_finds_nothing(package):
    if not shutil.which("lintian"):
        pytest.skip("there is no lintian")
    command = ["lintian", "--no-cfg", "--fail-on", "error,warning", package]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_starting_configuration_is_sound_and_for_this_machine_only(package, tmp_path):
    run(["dpkg-deb", "-x", package, tmp_path])
    path = tmp_path / CONFIGURATION
    assert "ok" in run([guard_binary(), "check", "-c", path]).stdout
    printed = run([guard_binary(), "print-config", "-c", path]).stdout
    assert set(re.findall(r"bind: (\S+):\d+$", printed, re.M)) == {"127.0.0.1"}


# --- its life -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chroot(package, tmp_path_factory):
    """A Debian that has what the package depends on, and not the package."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a chroot")
    if not shutil.which("debootstrap"):
        pytest.skip("there is no debootstrap")
    needed = [entry.split()[0] for entry in field(package, "Depends").split(",")]
    root = tmp_path_factory.mktemp("chroot") / "root"
    try:
        chroot = Chroot.with_packages(root, sorted(needed))
    except NoChroot as why:
        pytest.skip(str(why))
    shutil.copy(package, root / "connguard.deb")
    yield chroot
    shutil.rmtree(root)


@pytest.fixture
def installed(chroot):
    chroot.run("dpkg", "-i", "/connguard.deb")
    yield chroot
    chroot.run("dpkg", "--purge", "connguard")


def test_what_was_installed_is_gone_after_a_purge(chroot):
    before = chroot.files()
    chroot.run("dpkg", "-i", "/connguard.deb")
    assert len(chroot.files() - before) > 20
    chroot.run("dpkg", "--remove", "connguard")
    assert CONFIGURATION in chroot.files() - before
    assert "usr/bin/connguard" not in chroot.files()
    chroot.run("dpkg", "--purge", "connguard")
    assert chroot.files() == before


def test_what_is_the_administrators_outlives_a_purge(chroot):
    before = chroot.files()
    chroot.run("dpkg", "-i", "/connguard.deb")
    own = chroot.root / "etc/connguard/tls.key"
    own.write_text("")
    (chroot.root / CONFIGURATION).write_text("# mine\n")
    chroot.run("dpkg", "-i", "--force-confold", "/connguard.deb")
    assert (chroot.root / CONFIGURATION).read_text() == "# mine\n"
    chroot.run("dpkg", "--purge", "connguard")
    assert chroot.files() - before == {"etc/connguard", "etc/connguard/tls.key"}
    shutil.rmtree(own.parent)


def test_the_installed_binary_accepts_the_installed_configuration(installed):
    assert re.fullmatch(r"connguard \d+\.\d+\.\d+\n", installed.run("connguard", "--version"))
    assert "ok" in installed.run("connguard", "check", "-c", f"/{CONFIGURATION}")


def test_the_installed_guard_gets_ready_and_misses_its_backend(installed):
    said = installed.run_isolated(
        f"""
        connguard run -c /{CONFIGURATION} 2>/dev/null &
        for i in {{1..100}}; do connguard health 2>/dev/null && break; sleep 0.1; done
        exec 3<>/dev/tcp/127.0.0.1/8080
        printf 'GET / HTTP/1.1\\r\\nHost: agent\\r\\n\\r\\n' >&3
        head -n 1 <&3
        kill %1
        wait %1
        echo $?
        """
    )
    assert said.split("\n") == ["ready", "HTTP/1.1 502 Bad Gateway", "0", ""]


def test_a_systemd_that_does_not_answer_fails_no_installation(chroot):
    """`/run/systemd/system` says that systemd runs; here nothing can be asked of it."""
    running = chroot.root / "run/systemd/system"
    running.mkdir(parents=True)
    try:
        chroot.run("dpkg", "-i", "/connguard.deb")
        chroot.run("dpkg", "--purge", "connguard")
    finally:
        running.rmdir()


def test_the_service_is_enabled(installed):
    link = "etc/systemd/system/multi-user.target.wants/connguard.service"
    assert link in installed.files()
