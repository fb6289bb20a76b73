"""Writes configurations for the guard, in the words that an operator uses."""

from __future__ import annotations

CAT = (
    "{end: {json: /type, in: [chat, error]}, max: 60s, linger: 50ms, window: 4, "
    "accept: json-object}"
)

TEMPLATE = """\
version: 1
listeners:
  - name: public
    bind: {bind}:{{port}}
{listener}upstreams:
  - name: agent
    url: {url}
{upstream}routes:
  - name: chat
    match: {{path: "{path}"}}
    upstream: agent
{route}    session:
      key: "{key}"
      on_conflict: {on_conflict}
      on_drop: {on_drop}
      wait: {wait}
      settle: {settle}
{barrier}      close_timeout: {close_timeout}
    turn: {turn}
    heartbeat: {heartbeat}
    compression: {compression}
  - name: chat-of-the-default-user
    match: {{path: "/ws/**"}}
    upstream: agent
    session: {{key: user}}
    turn: {turn}
  - name: rest
    match: {{path: "/**"}}
    upstream: agent
limits: {limits}
admin: {{bind: 127.0.0.1:{{admin}}}}
logging: {{level: {log_level}}}
workers: {workers}
"""


def guard_config(
    agent_port: int,
    path: str = "/ws/{user_id}",
    on_conflict: str = "takeover",
    on_drop: str = "finish",
    wait: str = "60s",
    settle: str = "100ms",
    barrier: bool = True,
    close_timeout: str = "5s",
    turn: str = CAT,
    compression: str = "passthrough",
    log_level: str = "info",
    workers: str = "auto",
    bind: str = "127.0.0.1",
    agent_host: str = "127.0.0.1",
    heartbeat: str = "{}",
    limits: str = "{}",
    listener: str = "",
    upstream: str = "",
    route: str = "",
    scheme: str = "http",
    key: str = "{path.user_id}",
) -> str:
    """The text of a configuration; {port} and {admin} are left for GuardServer to fill in.
    `listener`, `upstream` and `route` are whole lines for the first one of each."""
    text = TEMPLATE.format(
        path="{path}",
        url=f"{scheme}://{agent_host}:{agent_port}",
        listener=listener,
        upstream=upstream,
        route=route,
        key=key,
        on_conflict=on_conflict,
        on_drop=on_drop,
        wait=wait,
        settle=settle,
        barrier="      barrier: {path: /}\n" if barrier else "",
        close_timeout=close_timeout,
        turn="{turn}",
        compression=compression,
        log_level=log_level,
        workers=workers,
        bind=bind,
        heartbeat=heartbeat,
        limits=limits,
    )
    return text.replace("{path}", path).replace("{turn}", turn)


HTTP_TEMPLATE = """\
version: 1
listeners:
  - {{name: public, bind: "127.0.0.1:{{port}}"}}
upstreams:
  - {{name: agent, url: "{url}"}}
routes:
{answers}  - {{name: rest, match: {{path: "/**"}}, upstream: agent}}
admin: {{bind: "127.0.0.1:{{admin}}"}}
logging: {{level: info}}
workers: {workers}
"""

ANSWERS = """\
  - name: answers
    match: {{path: "/answers/**"}}
    upstream: agent
    session:
      key: "{{header.x-user}}"
      methods: [POST]
      on_drop: {on_drop}
      on_conflict: {on_conflict}
      wait: {wait}
      settle: {settle}
      barrier: {{path: /}}
  - name: chat
    match: {{path: "/ws/{{user_id}}"}}
    upstream: agent
    session: {{key: "{{path.user_id}}", settle: {settle}, barrier: {{path: /}}}}
    turn: {turn}
"""


def http_config(
    agent_port: int,
    on_drop: str | None = None,
    on_conflict: str = "takeover",
    wait: str = "60s",
    settle: str = "100ms",
    workers: str = "auto",
) -> str:
    """For plain HTTP. `on_drop` fences the POSTs to /answers/ by their x-user, together with the
    WebSockets of the same users; None: nothing is fenced."""
    answers = ""
    if on_drop:
        answers = ANSWERS.format(
            on_drop=on_drop, on_conflict=on_conflict, wait=wait, settle=settle, turn=CAT
        )
    url = f"http://127.0.0.1:{agent_port}"
    text = HTTP_TEMPLATE.format(url=url, answers="{answers}", workers=workers)
    return text.replace("{answers}", answers)
