"""deploy/kubernetes: what a cluster would be given, held to its API, to the guard, and to itself."""

from __future__ import annotations

import asyncio
import copy
import pathlib
import re
import shutil
import signal
import subprocess
import time
from typing import Any, Callable

import httpclient
import pytest
import yaml

import podcheck
from manifests import KUBERNETES, RULES, Failed, Manifest, kustomize, schema_complaints
from podcheck import Pod
from processes import GuardServer, guard_binary
from wsclient import Client, Closed

SHAPES = ("native-sidecar", "second-container")
TOKEN = "0123456789abcdef-of-the-test"


@pytest.fixture(scope="module", params=SHAPES)
def documents(request) -> list[Manifest]:
    return kustomize(KUBERNETES / request.param)


@pytest.fixture(scope="module")
def sidecar() -> list[Manifest]:
    return kustomize(KUBERNETES / "native-sidecar")


@pytest.fixture(scope="module")
def monitoring() -> list[Manifest]:
    return kustomize(KUBERNETES / "monitoring")


def rules() -> dict[str, Any]:
    return yaml.safe_load(RULES.read_text())


def test_every_manifest_is_one_of_the_kubernetes_api(documents):
    kinds = {"ConfigMap", "Service", "Deployment", "PodDisruptionBudget", "NetworkPolicy"}
    assert {document["kind"] for document in documents} == kinds
    assert schema_complaints(documents) == []


def test_what_the_prometheus_operator_gets_is_what_it_knows(monitoring):
    assert {document["kind"] for document in monitoring} == {"PodMonitor", "PrometheusRule"}
    assert schema_complaints(monitoring) == []


def test_all_that_belongs_together_fits_together(documents, tmp_path):
    assert podcheck.complaints(documents, tmp_path) == []


def test_prometheus_finds_the_guards_and_has_the_alerts_of_deploy_prometheus(documents, monitoring):
    assert podcheck.monitoring_complaints(monitoring, Pod(documents), rules()) == []


def test_both_shapes_run_the_same_guard(sidecar):
    second = Pod(kustomize(KUBERNETES / "second-container")).guard
    first = copy.deepcopy(Pod(sidecar).guard)
    del first["restartPolicy"], first["lifecycle"]
    assert first == second


def test_a_changed_file_changes_the_config_map_and_not_the_pods(tmp_path):
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    before = kustomize(tmp_path / "kubernetes/native-sidecar")
    file = tmp_path / "kubernetes/base/connguard.yaml"
    file.write_text(file.read_text().replace("drain: 60s", "drain: 50s"))
    after = kustomize(tmp_path / "kubernetes/native-sidecar")
    changed = [d["kind"] for d, old in zip(after, before) if d != old]
    assert changed == ["ConfigMap"]


# --- the checks see what is wrong ---------------------------------------------------------------------


def replaced(pattern: str, text: str) -> Callable[[Pod], None]:
    def change(pod: Pod) -> None:
        data = pod.config_map["data"]
        data["connguard.yaml"], count = re.subn(pattern, text, data["connguard.yaml"])
        assert count == 1

    return change


def put(value: Any, *path: Any) -> Callable[[Pod], None]:
    """In the Pod's specification; the guard and the app are meant by their names."""

    def change(pod: Pod) -> None:
        place: Any = pod.spec
        for step in path[:-1]:
            place = pod.container(step) if step in (podcheck.GUARD, podcheck.APP) else place[step]
        place[path[-1]] = value

    return change


def of(kind: str, value: Any, *path: Any) -> Callable[[Pod], None]:
    def change(pod: Pod) -> None:
        place = pod.of_kind(kind)[0]["spec"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


G, A = podcheck.GUARD, podcheck.APP
WRONG = {
    "a grace period below delay and drain": ("times", put(64, "terminationGracePeriodSeconds")),
    "a longer drain": ("times", replaced(r"drain: 60s", "drain: 2m")),
    "no delay": ("times", replaced(r"delay: 5s", "delay: 0")),
    "another port of the guard": ("ports", replaced(r"0\.0\.0\.0:8080", "0.0.0.0:8081")),
    "another port of the agent": ("ports", put(1866, A, "ports", 0, "containerPort")),
    "a probe of the public port": ("probes", put("public", G, "readinessProbe", "httpGet", "port")),
    "a probe of no port": ("probes", put("amdin", G, "livenessProbe", "httpGet", "port")),
    "a liveness that drains fail": ("probes", put("/readyz", G, "livenessProbe", "httpGet", "path")),
    "the agent's probe of no port": ("probes", put("ap", A, "readinessProbe", "httpGet", "port")),
    "a hook that does not wait": ("drain", put("/livez", A, "lifecycle", "preStop", "httpGet", "path")),
    "a hook at a name of the guard's port": ("drain", put("admin", A, "lifecycle", "preStop", "httpGet", "port")),
    "no hook of the agent": ("drain", put({}, A, "lifecycle")),
    "no hook of the sidecar": ("drain", put({}, G, "lifecycle")),
    "a sidecar that ends": ("drain", put("OnFailure", G, "restartPolicy")),
    "a key that the guard does not know": ("configuration", replaced(r"drain: 60s", "drian: 60s")),
    "no watch": ("reload", put(["-c", "/etc/connguard/connguard.yaml"], G, "args")),
    "a file that never changes": ("reload", put("connguard.yaml", G, "volumeMounts", 0, "subPath")),
    "another file": ("configuration", put(["-c", "/etc/connguard/guard.yaml", "--watch"], G, "args")),
    "a token that everybody can read": ("token", put(0o444, "volumes", 2, "secret", "defaultMode")),
    "a token that the guard cannot read": ("token", put(1000, "securityContext", "fsGroup")),
    "a root that can be written": ("hardening", put(False, G, "securityContext", "readOnlyRootFilesystem")),
    "a capability": ("hardening", put({"drop": []}, A, "securityContext", "capabilities")),
    "no resources": ("hardening", put({}, A, "resources")),
    "the host's network": ("hardening", put(True, "hostNetwork")),
    "buffers larger than the memory": ("memory", replaced(r"128MiB", "512MiB")),
    "a Service of the agent": ("service", of("Service", 1865, "ports", 0, "targetPort")),
    "a Service of the admin port": ("service", of("Service", 9180, "ports", 0, "targetPort")),
    "a Service of a sidecar's port by its name": ("service", of("Service", "public", "ports", 0, "targetPort")),
    "an admin port for everybody": ("network", of("NetworkPolicy", [], "ingress", 1, "from")),
    "an admin port for a whole namespace": (
        "network", of("NetworkPolicy", {}, "ingress", 1, "from", 0, "podSelector")),
    "the agent's port for everybody": ("network", of("NetworkPolicy", 1865, "ingress", 0, "ports", 0, "port")),
    "a budget that holds nodes": ("disruption", of("PodDisruptionBudget", 0, "maxUnavailable")),
    "a budget of other Pods": ("disruption", of("PodDisruptionBudget", {"matchLabels": {"a": "b"}}, "selector")),
    "a Deployment of other Pods": ("selector", of("Deployment", {"matchLabels": {"a": "b"}}, "selector")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_found(name, sidecar, tmp_path):
    where, change = WRONG[name]
    wrong = copy.deepcopy(sidecar)
    change(Pod(wrong))
    found = podcheck.complaints(wrong, tmp_path)
    assert [text for text in found if text.startswith(f"{where}: ")], found


TYPOS = {
    "a field of the Pod": put(90, "terminationGracePeriodSecond"),
    "a field of a probe": put(3, G, "livenessProbe", "failureTreshold"),
    "a field of a hook": put("/", A, "lifecycle", "preStop", "httpGet", "url"),
    "a field of a port": put("TCP", G, "ports", 0, "protocl"),
    "a number for a text": put(1, G, "image"),
    "a text for a number": put("1865", A, "ports", 0, "containerPort"),
    "a word that is none": put("Sometimes", G, "imagePullPolicy"),
    "a field of the policy": of("NetworkPolicy", [], "ingres"),
    "a field of the budget": of("PodDisruptionBudget", 1, "maxUnavailble"),
}


@pytest.mark.parametrize("name", TYPOS)
def test_what_the_api_would_refuse_is_found(name, sidecar):
    wrong = copy.deepcopy(sidecar)
    TYPOS[name](Pod(wrong))
    assert len(schema_complaints(wrong)) == 1


def test_what_the_operator_would_refuse_is_found(monitoring):
    wrong = copy.deepcopy(monitoring)
    monitor = next(d for d in wrong if d["kind"] == "PodMonitor")["spec"]
    monitor["podMetricsEndpoints"][0]["relabeling"] = []
    monitor["podMetricsEndpoints"][0]["interval"] = "often"
    next(d for d in wrong if d["kind"] == "PrometheusRule")["spec"]["groups"][0]["rules"][2]["four"] = "1m"
    found = schema_complaints(wrong)
    assert len(found) == 3, found


@pytest.mark.parametrize("change", ["an alert less", "another threshold", "no token", "another job", "another port"])
def test_mistakes_of_the_monitoring_are_found(change, sidecar, monitoring):
    wrong = copy.deepcopy(monitoring)
    endpoint = next(d for d in wrong if d["kind"] == "PodMonitor")["spec"]["podMetricsEndpoints"][0]
    group = next(d for d in wrong if d["kind"] == "PrometheusRule")["spec"]["groups"][0]
    if change == "an alert less":
        group["rules"].pop()
    elif change == "another threshold":
        group["rules"][-1]["for"] = "16m"
    elif change == "no token":
        del endpoint["authorization"]
    elif change == "another job":
        del endpoint["relabelings"]
    else:
        endpoint["port"] = "public"
    assert len(podcheck.monitoring_complaints(wrong, Pod(sidecar), rules())) == 1


def test_a_kustomization_that_is_wrong_is_refused(tmp_path):
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    file = tmp_path / "kubernetes/native-sidecar/kustomization.yaml"
    file.write_text(file.read_text().replace("patches:", "pathces:"))
    with pytest.raises(Failed):
        kustomize(file.parent)


# --- the end of a Pod ---------------------------------------------------------------------------------


class KubeletsEnd:
    """Ends a guard and holds its agent, by the hooks that the manifests have, as the kubelet does."""

    def __init__(self, pod: Pod, agent_port: int, start_guard, directory: pathlib.Path) -> None:
        self.pod = pod
        self.token = directory / "admin-token"
        self.token.write_text(TOKEN + "\n")
        self.token.chmod(0o400)
        text = pod.config_text
        for there, here in (
            (f"0.0.0.0:{pod.public_port}", "127.0.0.1:{port}"),
            (f"0.0.0.0:{pod.admin_port}", "0.0.0.0:{admin}"),
            ("127.0.0.1:1865", f"127.0.0.1:{agent_port}"),
            (str(pod.token_file), str(self.token)),
            ("delay: 5s", "delay: 500ms"),
        ):
            assert there in text
            text = text.replace(there, here)
        self.guard: GuardServer = start_guard(text, arguments=("--watch",))

    def begin(self) -> None:
        """The guard's own part: its hook, where it is a sidecar; else SIGTERM."""
        if not self.pod.is_sidecar:
            self.guard.process.send_signal(signal.SIGTERM)
            return
        command = self.pod.guard["lifecycle"]["preStop"]["exec"]["command"]
        words = {
            "connguard": guard_binary(),
            f"127.0.0.1:{self.pod.admin_port}": f"127.0.0.1:{self.guard.admin}",
            str(self.pod.token_file): str(self.token),
        }
        done = subprocess.run(
            [words.get(word, word) for word in command], capture_output=True, text=True, timeout=10, check=False
        )
        assert done.returncode == 0, done.stderr

    async def hold(self) -> httpclient.Response:
        """The agent's part: it may be told to stop when this returns."""
        hook = self.pod.app["lifecycle"]["preStop"]["httpGet"]
        assert hook["port"] == self.pod.admin_port and "httpHeaders" not in hook
        return await httpclient.request(self.guard.admin, hook["path"], timeout=60)


@pytest.fixture
def kubelets_end(documents, start_agent, start_guard, tmp_path):
    agent = start_agent()
    end = KubeletsEnd(Pod(documents), agent.port, start_guard, tmp_path)
    end.agent = httpclient.Agent(agent.port)
    return end


async def test_the_agent_is_held_until_the_turn_in_flight_has_its_whole_answer(kubelets_end):
    end = kubelets_end
    client = await Client.connect(end.guard.port, "/ws/ann")
    turn = asyncio.ensure_future(client.turn(tokens=30, pace=0.1))
    assert await end.agent.wait("ann", "turn_started")
    held = asyncio.ensure_future(end.hold())
    await asyncio.to_thread(end.begin)
    await asyncio.sleep(1.5)  # the delay, and more
    assert not turn.done() and not held.done()
    assert len(await turn) == 31
    with pytest.raises(Closed) as closed:
        await client.message()
    assert closed.value.code == 1012
    client.abort()
    answer = await asyncio.wait_for(held, 10)
    assert (answer.status, answer.json()) == (200, {"status": "drained"})
    assert await end.agent.wait("ann", "disconnect")
    state = await end.agent.state()
    assert (state["sessions"], state["handlers"]) == (0, 0)
    assert end.guard.process.wait(10) == 0


async def test_the_agent_is_held_for_a_whole_http_answer_too(kubelets_end):
    end = kubelets_end
    answer = asyncio.ensure_future(httpclient.request(end.guard.port, "/events/gate", timeout=60))
    assert await end.agent.wait("gate", "stream_started")
    held = asyncio.ensure_future(end.hold())
    await asyncio.to_thread(end.begin)
    await asyncio.sleep(1.5)
    assert not answer.done() and not held.done()
    await end.agent.open("gate")
    assert (await answer).status == 200
    assert (await asyncio.wait_for(held, 10)).status == 200
    assert end.guard.process.wait(10) == 0


async def test_an_agent_that_ends_alone_is_not_held_for_long(kubelets_end):
    began = time.monotonic()
    answer = await kubelets_end.hold()
    assert (answer.status, answer.json()) == (503, {"status": "serving"})
    assert 8 < time.monotonic() - began < 15
    assert (await httpclient.request(kubelets_end.guard.admin, "/readyz")).status == 200
