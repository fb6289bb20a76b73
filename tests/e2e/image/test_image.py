"""The container image: built from deploy/Dockerfile, looked at, and its process run as one would run it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from guardconfig import guard_config
from image.images import Builder, Unavailable
from processes import ROOT, Server, free_port
from wsclient import Client, Drop

EPOCH = "1700000000"
REPRODUCIBLE = ("--timestamp", EPOCH, "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}")
MIB = 1024 * 1024
LIMIT = 40 * MIB


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    if os.environ.get("CI"):
        pytest.skip("compiles all of it once more: ten minutes that continuous integration has not")
    try:
        builder = Builder(tmp_path_factory.mktemp("image"))
        builder.make_base()
    except Unavailable as reason:
        pytest.skip(str(reason))
    builder.build(ROOT, "connguard", *REPRODUCIBLE)
    yield builder
    builder.close()


@pytest.fixture(scope="module")
def root(builder) -> pathlib.Path:
    return builder.mount("connguard")


class Container(Server):
    """The image's process, with a folder of the machine's as its /etc/connguard."""

    def __init__(self, root: pathlib.Path, directory: pathlib.Path, config: str) -> None:
        self.port, self.admin, self.root = free_port(), free_port(), root
        config = config.replace("{port}", str(self.port)).replace("{admin}", str(self.admin))
        folder = directory / "etc"
        folder.mkdir()
        (folder / "connguard.yaml").write_text(config)
        command = contained(root, "run", "-c", "/etc/connguard/connguard.yaml", folder=folder)
        super().__init__(command, directory / "container.log", self.admin, "/readyz")


def contained(root: pathlib.Path, *arguments: str, folder: pathlib.Path | None = None) -> list[str]:
    command = [sys.executable, "-B", str(pathlib.Path(__file__).parent / "contain.py"), str(root)]
    if folder:
        command += ["--volume", f"{folder}:/etc/connguard"]
    return [*command, "/usr/bin/connguard", *arguments]


def ask(root: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(contained(root, *arguments), capture_output=True, text=True, timeout=30)


@pytest.fixture
def container(root, tmp_path, start_agent):
    agent = start_agent()
    container = Container(root, tmp_path, guard_config(agent.port))
    container.agent_server = agent
    yield container
    assert container.stop() == 0, container.log()


def test_the_image_says_what_it_is_and_how_it_is_run(builder):
    config = builder.description("connguard")["Docker"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/usr/bin/connguard"]
    assert config["Cmd"] == ["run", "-c", "/etc/connguard/connguard.yaml"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/connguard", "health"]
    labels = config["Labels"]
    for name in ("title", "description", "version", "revision", "created"):
        assert labels[f"org.opencontainers.image.{name}"], name


def test_its_version_label_is_the_version_of_the_program(builder, root):
    labels = builder.description("connguard")["Docker"]["config"]["Labels"]
    said = ask(root, "--version").stdout
    assert labels["org.opencontainers.image.version"] in said.split(), said


def test_the_image_is_small_and_has_no_shell(root, report):
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    report(f"image: {size / MIB:.1f} MiB in {len(files)} files, base included (it is empty)")
    assert size < LIMIT
    programs = {path.name for path in files if path.parent.name in ("bin", "sbin")}
    assert programs == {"connguard"}


def test_every_library_in_it_is_recorded_with_its_package_and_its_terms(root):
    libraries = list(root.glob("usr/lib/*/*.so*"))
    assert len(libraries) > 10
    packages = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "ca-certificates"} < packages
    for package in packages:
        assert (root / "usr/share/doc" / package / "copyright").stat().st_size > 0, package


def test_the_configuration_that_it_ships_is_sound(root):
    result = ask(root, "check", "-c", "/etc/connguard/connguard.yaml")
    assert (result.returncode, result.stderr) == (0, "")


def test_its_process_needs_neither_root_nor_capabilities_nor_a_writable_file_system(container):
    status = pathlib.Path(f"/proc/{container.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert fields["Uid"].split() == ["65532"] * 4
    assert fields["Gid"].split() == ["65532"] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"].strip() == "1"
    mounts = pathlib.Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines()
    roots = [line.split()[5].split(",") for line in mounts if line.split()[4] == "/"]
    assert roots and all("ro" in options for options in roots)


async def test_a_client_that_drops_in_mid_turn_comes_back_to_a_sound_session(container):
    client = await Client.connect(container.port, "/ws/ann")
    await client.start(tokens=10, pace=0.1)
    await client.message()
    await client.drop(Drop.RST)
    again = await Client.connect(container.port, "/ws/ann")
    answer = await again.turn()
    assert answer[-1]["type"] == "chat"
    await again.close()
    assert container.agent_server.trouble() == []


def test_its_health_check_tells_a_guard_that_serves_from_one_that_does_not(container):
    there = ask(container.root, "health", "--admin", f"127.0.0.1:{container.admin}")
    assert there.returncode == 0, there.stderr
    assert ask(container.root, "health", "--admin", f"127.0.0.1:{free_port()}").returncode == 1


def test_its_drain_hook_ends_it_cleanly(container):
    command = ("drain", "--wait", "--admin", f"127.0.0.1:{container.admin}")
    result = ask(container.root, *command)
    assert result.returncode == 0, result.stderr
    assert container.process.wait(10) == 0


def test_the_same_source_makes_the_same_image_twice(builder, request):
    if not request.config.getoption("--long"):
        pytest.skip("compiles it a second time: in the long form only")
    builder.build(ROOT, "again", *REPRODUCIBLE, "--no-cache")
    layers = [builder.description(name)["Docker"]["rootfs"] for name in ("connguard", "again")]
    assert layers[0] == layers[1]
