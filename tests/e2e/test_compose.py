"""deploy/compose*.yaml: what docker-compose reads, and what the files promise to each other."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

import httpclient
from examples import ExampleAgent
from processes import ROOT, Server, free_port, guard_binary
from prometheus import PrometheusServer
from settings import seconds, shutdown_seconds
from wsclient import Client

DEPLOY = ROOT / "deploy"
FILES = [DEPLOY / "compose.yaml", DEPLOY / "compose.cheshire-cat.yaml"]
GUARD_CONFIG = DEPLOY / "compose/guard/connguard.yaml"
each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def document(file: pathlib.Path) -> dict:
    return yaml.safe_load(file.read_text())


def mounts(service: dict) -> dict[str, pathlib.Path]:
    """What of this tree it sees, by the path in its container."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return {part[1]: DEPLOY / part[0] for part in parts if part[0].startswith(".")}


def guard_file(file: pathlib.Path) -> pathlib.Path:
    """The configuration that the guard reads in there."""
    return mounts(document(file)["services"]["guard"])["/etc/connguard"] / "connguard.yaml"


@pytest.fixture
def token(tmp_path) -> pathlib.Path:
    """As the instructions at the top of compose.yaml make it."""
    path = tmp_path / "admin-token"
    path.write_text("0123456789abcdef" * 4 + "\n")
    path.chmod(0o644)
    return path


def docker_compose() -> list[str]:
    """Version 1 is a program, version 2 may be a plug-in only."""
    plugin = "/usr/libexec/docker/cli-plugins/docker-compose"
    found = shutil.which("docker-compose") or shutil.which(plugin)
    assert found, "docker-compose is not installed: deploy/packages/install tests"
    return [found]


@each
def test_docker_compose_reads_it(file, tmp_path):
    command = [*docker_compose(), "-f", str(file), "config"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "not set" not in result.stderr, result.stderr
    read = yaml.safe_load(result.stdout)["services"]
    written = document(file)["services"]
    assert read.keys() == written.keys()
    for name, service in read.items():
        assert set(service.get("depends_on", {})) == set(written[name].get("depends_on", {}))
        assert service["healthcheck"]["test"][0] == "CMD"


@each
def test_only_the_guard_publishes_a_port(file):
    services = document(file)["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["guard"]
    (port,) = services["guard"]["ports"]
    assert port.endswith(":8080")
    assert not any("network_mode" in service or "networks" in service for service in services.values())


@each
def test_the_guard_has_no_rights_that_it_does_not_need(file):
    guard = document(file)["services"]["guard"]
    assert guard["read_only"] is True
    assert guard["cap_drop"] == ["ALL"] and "cap_add" not in guard
    assert guard["security_opt"] == ["no-new-privileges:true"]
    assert not guard.get("privileged") and "user" not in guard


@each
def test_the_guard_has_time_to_drain(file, token):
    promised = shutdown_seconds(guard_file(file), ADMIN_TOKEN_FILE=str(token))
    grace = seconds(document(file)["services"]["guard"]["stop_grace_period"])
    assert grace >= promised + 5, "the cut after the drain takes a moment, too"


@each
def test_everybody_waits_for_health_and_the_guard_stops_before_the_agent(file):
    services = document(file)["services"]
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            assert how == {"condition": "service_healthy"}
    assert set(services["guard"]["depends_on"]) & {"agent", "cat"}


@each
def test_every_file_that_is_mounted_is_there(file):
    content = document(file)
    for name, service in content["services"].items():
        for path in mounts(service).values():
            assert path.exists(), (name, path)
        for secret in service.get("secrets", []):
            assert secret in content["secrets"]
        build = service.get("build", {})
        if name != "guard" and build:
            assert (DEPLOY / build["context"] / "Dockerfile").exists()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(".") or source in content["volumes"], volume


@each
def test_the_guard_accepts_its_file_and_knows_its_neighbours(file, token, tmp_path):
    services = document(file)["services"]
    environment = {"ADMIN_TOKEN_FILE": str(token), **services["guard"].get("environment", {})}
    result = subprocess.run(
        [guard_binary(), "print-config", "-c", str(guard_file(file))],
        capture_output=True, text=True, timeout=30, env=environment,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    config = yaml.safe_load(result.stdout)
    hosts = {urllib.parse.urlsplit(upstream["url"]).hostname for upstream in config["upstreams"]}
    assert hosts <= services.keys()
    assert [listener["bind"] for listener in config["listeners"]] == ["0.0.0.0:8080"]


def test_the_token_of_the_secret_is_only_taken_for_readable_keys(token, tmp_path):
    text = GUARD_CONFIG.read_text()
    strict = tmp_path / "connguard.yaml"
    strict.write_text(text.replace("readable_keys: true", "readable_keys: false"))
    environment = {"ADMIN_TOKEN_FILE": str(token)}
    command = [guard_binary(), "check", "-c"]
    assert subprocess.run([*command, str(GUARD_CONFIG)], env=environment, timeout=30).returncode == 0
    refused = subprocess.run(
        [*command, str(strict)], env=environment, capture_output=True, text=True, timeout=30
    )
    assert refused.returncode == 78
    assert "can be read by everybody" in refused.stderr


def test_prometheus_looks_where_the_guard_is_with_its_token(token, tmp_path):
    services = document(FILES[0])["services"]
    seen = mounts(services["prometheus"])
    config = yaml.safe_load(seen["/etc/prometheus/prometheus.yml"].read_text())
    assert [f"/etc/prometheus/{name}" for name in config["rule_files"]] == [
        path for path in seen if path.endswith("rules.yaml")
    ]
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "connguard"
    admin = yaml.safe_load(GUARD_CONFIG.read_text())["admin"]
    assert job["static_configs"] == [{"targets": ["guard:" + admin["bind"].split(":")[1]]}]
    secret = job["authorization"]["credentials_file"]
    assert secret in admin["token_file"]
    for service in ("guard", "prometheus"):
        assert secret.removeprefix("/run/secrets/") in services[service]["secrets"]
    # promtool looks for the files, too.
    written = tmp_path / "prometheus.yml"
    written.write_text(yaml.safe_dump(config).replace(secret, str(token)))
    for path, source in seen.items():
        if path.endswith("rules.yaml"):
            shutil.copy(source, tmp_path / pathlib.Path(path).name)
    result = subprocess.run(
        ["promtool", "check", "config", str(written)], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 rule files found" in result.stdout


def test_grafana_finds_its_dashboard_its_source_and_its_path():
    services = document(FILES[0])["services"]
    seen = mounts(services["grafana"])
    dashboards = yaml.safe_load(seen["/etc/grafana/provisioning/dashboards/connguard.yaml"].read_text())
    (provider,) = dashboards["providers"]
    assert (seen[provider["options"]["path"]] / "connguard.json").exists()
    sources = yaml.safe_load(seen["/etc/grafana/provisioning/datasources/connguard.yaml"].read_text())
    (source,) = sources["datasources"]
    environment = services["grafana"]["environment"]
    variable = re.fullmatch(r"\$\{(\w+)\}", source["url"])[1]
    assert urllib.parse.urlsplit(environment[variable]).hostname in services
    path = urllib.parse.urlsplit(environment["GF_SERVER_ROOT_URL"].replace("${CONNGUARD_PORT:-8080}", "8080")).path
    route = next(r for r in yaml.safe_load(GUARD_CONFIG.read_text())["routes"] if r["upstream"] == "grafana")
    assert route["match"]["path"] == path + "**"


class ComposedGuard(Server):
    """The guard of compose.yaml, with ports for host names."""

    def __init__(self, directory: pathlib.Path, token: pathlib.Path, agent_port: int) -> None:
        self.port, self.admin = free_port(), free_port()
        text = GUARD_CONFIG.read_text()
        for old, new in {
            "http://agent:8000": f"http://127.0.0.1:{agent_port}",
            "http://grafana:3000": f"http://127.0.0.1:{free_port()}",
            "0.0.0.0:8080": f"127.0.0.1:{self.port}",
            "0.0.0.0:9180": f"0.0.0.0:{self.admin}",
        }.items():
            assert old in text
            text = text.replace(old, new)
        config = directory / "connguard.yaml"
        config.write_text(text)
        command = [guard_binary(), "-c", str(config)]
        environment = {"ADMIN_TOKEN_FILE": str(token)}
        super().__init__(command, directory / "connguard.log", self.admin, "/readyz", environment)


async def test_together_they_serve_an_agent_and_are_scraped_with_the_token(tmp_path, token):
    agent = ExampleAgent(tmp_path, "fastapi")
    guard = ComposedGuard(tmp_path, token, agent.port)
    shipped = DEPLOY / "compose/prometheus.yml"
    prometheus = PrometheusServer(tmp_path, guard.admin, shipped, rules=None, token=token)
    try:
        client = await Client.connect(guard.port, "/ws/ann")
        await client.send_json({"text": "hi"})
        while (await client.receive()).json()["type"] != "answer":
            pass
        assert (await httpclient.request(guard.admin, "/metrics")).status == 401
        assert (await httpclient.request(guard.port, "/grafana/")).status == 502  # routed; not there
        await prometheus.until('connguard_turns_total{outcome="delivered"}', lambda count: count == 1)
        assert prometheus.values('up{job="connguard"}') == [1]
        assert prometheus.values('connguard_tunnels{route="chat",state="open"}') == [1]
        assert await client.close() == 1000
    finally:
        prometheus.stop()
        assert guard.stop() == 0, guard.log()
        agent.stop(timeout=3)
