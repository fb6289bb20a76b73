"""The admin API of the real binary: held to its own description, and closed to whom it should be."""

from __future__ import annotations

import asyncio
import pathlib
import subprocess

import httpclient
import jsonschema
import pytest
from guardconfig import guard_config
from httpclient import Response
from processes import free_port, guard_binary

TOKEN = "0123456789abcdef-of-the-test"
PROBES = ("/livez", "/healthz", "/readyz")
ENDLESS = ("/v1/events", "/drainz")  # their answers take their time


def config(admin: str | None = None) -> str:
    """Nothing listens at the upstream's address."""
    text = guard_config(free_port())
    return text.replace("admin: {bind: 127.0.0.1:{admin}}", admin) if admin else text


async def ask(port: int, method: str, target: str, host: str = "localhost", **fields) -> Response:
    """Fields' names have `_` for `-`."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return await httpclient.exchange(port, "\r\n".join(lines).encode() + b"\r\n\r\n")


def resolve(document: dict, node: dict) -> dict:
    if "$ref" not in node:
        return node
    for name in node["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


def check(document: dict, path: str, method: str, response: Response) -> None:
    """`response` is one of those that the description has for the operation, and looks like it."""
    responses = document["paths"][path][method.lower()]["responses"]
    assert str(response.status) in responses, (path, response)
    content = resolve(document, responses[str(response.status)])["content"]
    media = response.header("content-type").partition(";")[0]
    assert media in content, (path, response)
    if media.endswith("json"):
        schema = {**content[media]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(response.json())


async def test_the_description_is_sound_and_what_is_served_follows_it(start_guard):
    guard = start_guard(config())
    document = (await ask(guard.admin, "GET", "/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, item in document["paths"].items():
        if "get" not in item or "{" in path or path in ENDLESS:
            continue
        response = await ask(guard.admin, "GET", path)
        assert response.status == 200, path
        check(document, path, "GET", response)
        head = await ask_head(guard.admin, path)
        assert head.startswith(b"HTTP/1.1 200 ")


async def ask_head(port: int, path: str) -> bytes:
    """Everything that comes, which is to be a head alone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1
    return answer


async def test_the_page_is_served_and_loads_only_what_is_its_own(start_guard):
    guard = start_guard(config())
    page = await ask(guard.admin, "GET", "/")
    assert page.status == 200
    assert page.header("content-type") == "text/html; charset=utf-8"
    policy = page.header("content-security-policy")
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert page.header("x-content-type-options") == "nosniff"
    for path in ("/app.js", "/style.css", "/icon.svg"):
        assert (await ask(guard.admin, "GET", path)).status == 200
    assert b"http://" not in page.body and b"https://" not in page.body


async def test_a_wrong_method_is_told_which_there_are(start_guard):
    guard = start_guard(config())
    response = await ask(guard.admin, "DELETE", "/metrics")
    assert (response.status, response.header("allow")) == (405, "GET, HEAD")
    assert response.header("content-type") == "application/problem+json"


async def test_with_a_token_only_probes_and_the_page_are_open(start_guard):
    guard = start_guard(config(f"admin: {{bind: '0.0.0.0:{{admin}}', token: {TOKEN}}}"))
    for path in (*PROBES, "/", "/app.js"):
        assert (await ask(guard.admin, "GET", path, host="guard.example")).status == 200
    for path in ("/metrics", "/v1/openapi.json", "/v1/nothing"):
        response = await ask(guard.admin, "GET", path)
        assert response.status == 401
        assert response.header("www-authenticate") == 'Bearer realm="connguard"'
    wrong = await ask(guard.admin, "GET", "/metrics", Authorization=f"Bearer {TOKEN}x")
    assert wrong.status == 401
    right = await ask(guard.admin, "GET", "/metrics", Authorization=f"Bearer {TOKEN}")
    assert right.status == 200
    assert TOKEN not in guard.log()


async def test_a_foreign_page_can_neither_read_nor_change(start_guard):
    guard = start_guard(config())
    for host in ("evil.example", f"evil.example:{guard.admin}"):
        assert (await ask(guard.admin, "GET", "/metrics", host=host)).status == 403
        assert (await ask(guard.admin, "GET", "/readyz", host=host)).status == 200
    response = await ask(guard.admin, "POST", "/v1/drain", Origin="http://evil.example")
    assert response.status == 403
    assert (await ask(guard.admin, "GET", "/readyz")).status == 200


def run(tmp_path: pathlib.Path, command: str, admin: str, **environment: str):
    path = tmp_path / "connguard.yaml"
    text = config(admin).replace("{port}", str(free_port())).replace("{admin}", str(free_port()))
    path.write_text(text)
    return subprocess.run(
        [guard_binary(), command, "-c", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment,
    )


@pytest.mark.parametrize("bind", ["0.0.0.0:9180", "'[::]:9180'", "guard.example:9180"])
def test_where_others_reach_it_a_token_is_needed(tmp_path, bind):
    refused = run(tmp_path, "check", f"admin: {{bind: {bind}}}")
    assert refused.returncode == 78
    assert "admin.bind" in refused.stderr and "needs admin.token" in refused.stderr
    assert run(tmp_path, "check", f"admin: {{bind: {bind}, token: {TOKEN}}}").returncode == 0


def test_the_flag_does_not_open_it_either():
    command = [guard_binary(), "print-config", "--listen", "127.0.0.1:1", "--upstream", "a:1"]
    refused = subprocess.run(
        [*command, "--admin", "0.0.0.0:9180"], capture_output=True, text=True, timeout=30
    )
    assert refused.returncode == 78
    assert refused.stderr.startswith("--admin: error: '0.0.0.0:9180' can be reached")


def test_the_token_may_stand_in_a_file_and_is_not_printed(tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    admin = "admin: {bind: 0.0.0.0:9180, token_file: token}"
    token.chmod(0o604)
    assert "can be read by everybody" in run(tmp_path, "print-config", admin).stderr
    token.chmod(0o600)
    printed = run(tmp_path, "print-config", admin)
    assert printed.returncode == 0
    assert TOKEN not in printed.stdout
    assert "${CONNGUARD_ADMIN_TOKEN}" in printed.stdout
    again = tmp_path / "again.yaml"
    again.write_text(printed.stdout)
    check = [guard_binary(), "check", "-c", str(again)]
    assert subprocess.run(check, capture_output=True, timeout=30, env={}).returncode == 78
    given = {"CONNGUARD_ADMIN_TOKEN": TOKEN}
    assert subprocess.run(check, capture_output=True, timeout=30, env=given).returncode == 0
