"""What has to fit together in the manifests of a guarded Pod, beyond what a schema can say."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from typing import Any, Iterator

import yaml

from manifests import Failed, Manifest, run
from processes import guard_binary

GUARD, APP = "connguard", "app"
GUARD_ID = 65532  # of the image
TO_STOP = 5  # seconds that an agent needs at least, once the guard has drained
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
TIMES = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def quantity(text: Any, units: dict[str, float]) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * (units[unit] if unit else 1)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def covers(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    return bool(wanted) and set(selector) == {"matchLabels"} and wanted.items() <= labels.items()


def only(things: list, what: str) -> Any:
    if len(things) != 1:
        raise Failed(f"{len(things)} × {what} instead of one")
    return things[0]


@dataclasses.dataclass
class Pod:
    """The guarded Pod and what is around it."""

    documents: list[Manifest]

    def of_kind(self, kind: str) -> list[Manifest]:
        return [document for document in self.documents if document["kind"] == kind]

    @property
    def deployment(self) -> Manifest:
        return only(self.of_kind("Deployment"), "Deployment")

    @property
    def template(self) -> Manifest:
        return self.deployment["spec"]["template"]

    @property
    def labels(self) -> dict[str, str]:
        return self.template["metadata"]["labels"]

    @property
    def spec(self) -> dict[str, Any]:
        return self.template["spec"]

    @property
    def containers(self) -> list[dict[str, Any]]:
        return self.spec.get("initContainers", []) + self.spec["containers"]

    def container(self, name: str) -> dict[str, Any]:
        return only([c for c in self.containers if c["name"] == name], f"container {name}")

    @property
    def guard(self) -> dict[str, Any]:
        return self.container(GUARD)

    @property
    def app(self) -> dict[str, Any]:
        return self.container(APP)

    @property
    def is_sidecar(self) -> bool:
        return any(c["name"] == GUARD for c in self.spec.get("initContainers", []))

    def volume_at(self, path: str) -> dict[str, Any]:
        """What the guard has mounted there."""
        mounts = [m for m in self.guard["volumeMounts"] if m["mountPath"] == path]
        mount = only(mounts, f"volume mounted at {path}")
        return only([v for v in self.spec["volumes"] if v["name"] == mount["name"]], mount["name"])

    def ports(self, container: dict[str, Any]) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in container.get("ports", [])}

    @property
    def config_file(self) -> pathlib.PurePosixPath:
        arguments = self.guard["args"]
        return pathlib.PurePosixPath(arguments[arguments.index("-c") + 1])

    @property
    def config_map(self) -> Manifest:
        name = self.volume_at(str(self.config_file.parent))["configMap"]["name"]
        found = [m for m in self.of_kind("ConfigMap") if m["metadata"]["name"] == name]
        return only(found, f"ConfigMap {name}")

    @property
    def config_text(self) -> str:
        return self.config_map["data"][self.config_file.name]

    @property
    def config(self) -> dict[str, Any]:
        return yaml.safe_load(self.config_text)

    @property
    def public_port(self) -> int:
        return port_of(only(self.config["listeners"], "listener")["bind"])

    @property
    def admin_port(self) -> int:
        return port_of(self.config["admin"]["bind"])

    @property
    def token_file(self) -> pathlib.PurePosixPath:
        return pathlib.PurePosixPath(self.config["admin"]["token_file"])


def complaints(documents: list[Manifest], directory: pathlib.Path) -> list[str]:
    """All that does not fit; `directory` is for files of the check's own."""
    pod = Pod(documents)
    found: list[str] = []
    for check in CHECKS:
        try:
            found += [f"{check.__name__}: {text}" for text in check(pod, directory)]
        except (Failed, KeyError, ValueError, TypeError, AttributeError) as error:
            found.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return found


def times(pod: Pod, _) -> Iterator[str]:
    shutdown = pod.config["shutdown"]
    longest = sum(quantity(shutdown[key], TIMES) for key in ("delay", "drain"))
    grace = pod.spec["terminationGracePeriodSeconds"]
    if grace < longest + TO_STOP:
        yield f"terminationGracePeriodSeconds {grace}, shutdown.delay + shutdown.drain {longest:.0f}"
    if quantity(shutdown["delay"], TIMES) < 1:
        yield "shutdown.delay: clients are still sent here when nobody is accepted any more"


def ports(pod: Pod, _) -> Iterator[str]:
    declared = pod.ports(pod.guard)
    if declared != {"public": pod.public_port, "admin": pod.admin_port}:
        yield f"the guard's ports {declared}"
    app = port_of(only(pod.config["upstreams"], "upstream")["url"])
    if pod.ports(pod.app) != {"app": app}:
        yield f"the agent's ports {pod.ports(pod.app)}, the guard dials {app}"


def probes(pod: Pod, _) -> Iterator[str]:
    for kind, path in (("startup", "/livez"), ("readiness", "/readyz"), ("liveness", "/livez")):
        asked = pod.guard[f"{kind}Probe"]["httpGet"]
        port = pod.ports(pod.guard).get(asked["port"], asked["port"])
        if (asked["path"], port) != (path, pod.admin_port):
            yield f"{kind}: {asked}"
    for kind in ("readiness", "liveness"):
        for probe in [p for p in (pod.app.get(f"{kind}Probe"),) if p]:
            port = (probe.get("httpGet") or probe["tcpSocket"])["port"]
            if pod.ports(pod.app).get(port, port) not in pod.ports(pod.app).values():
                yield f"the agent's {kind}: port {port}"


def drain(pod: Pod, _) -> Iterator[str]:
    waits = pod.app["lifecycle"]["preStop"]["httpGet"]
    # A name would be looked for among the agent's own ports.
    if waits != {"path": "/drainz", "port": pod.admin_port}:
        yield f"the agent's preStop {waits}"
    begins = pod.guard.get("lifecycle", {}).get("preStop")
    if not pod.is_sidecar:
        if begins or "restartPolicy" in pod.guard:
            yield "a second container gets its SIGTERM at once, and is restarted as the Pod says"
        return
    if pod.guard["restartPolicy"] != "Always":
        yield "an init container that ends is no sidecar"
    command = ["connguard", "drain", "--admin", f"127.0.0.1:{pod.admin_port}"]
    if begins["exec"]["command"] != [*command, "--token-file", str(pod.token_file)]:
        yield f"the guard's preStop {begins}"


def configuration(pod: Pod, directory: pathlib.Path) -> Iterator[str]:
    token = directory / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o400)
    file = directory / "checked.yaml"
    file.write_text(pod.config_text.replace(str(pod.token_file), str(token)))
    try:
        run([guard_binary(), "check", "-c", str(file)])
    except Failed as error:
        yield str(error)


def reload(pod: Pod, _) -> Iterator[str]:
    if "--watch" not in pod.guard["args"]:
        yield "no --watch"
    for mount in pod.guard["volumeMounts"]:
        if "subPath" in mount or "subPathExpr" in mount:
            yield f"{mount}: never changes"
        if mount.get("readOnly") is not True:
            yield f"{mount}: can be written"
    if "items" in pod.volume_at(str(pod.config_file.parent))["configMap"]:
        yield "the ConfigMap is mounted in parts"
    if pod.config_map.get("immutable"):
        yield "the ConfigMap is immutable"
    for key in pod.template["metadata"].get("annotations", {}):
        if "checksum" in key:
            yield f"{key}: replaces the Pods instead"


def token(pod: Pod, _) -> Iterator[str]:
    secret = pod.volume_at(str(pod.token_file.parent))["secret"]
    if secret.get("defaultMode") != 0o400:
        yield f"defaultMode {secret.get('defaultMode')}"
    if pod.spec["securityContext"].get("fsGroup") != pod.guard["securityContext"].get("runAsGroup", GUARD_ID):
        yield "fsGroup is not the guard's group"
    if pod.of_kind("Secret"):
        yield "a Secret with a token that everybody knows"
    if "connguard-admin" in str(pod.app.get("volumeMounts", [])):
        yield "the agent can read the token"


def hardening(pod: Pod, _) -> Iterator[str]:
    wanted = {
        "runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in pod.containers:
        context = container.get("securityContext", {})
        for key, value in wanted.items():
            if context.get(key) != value:
                yield f"{container['name']}: {key} {context.get(key)}"
        if not context.get("runAsUser"):
            yield f"{container['name']}: runs as root, or as whom the image says"
        resources = container.get("resources", {})
        for key in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
            if not resources.get(key[0], {}).get(key[1]):
                yield f"{container['name']}: no resources.{'.'.join(key)}"
    if pod.guard["securityContext"]["runAsUser"] != GUARD_ID:
        yield "the guard does not run as its image's user"
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken"
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.spec.get(key):
            yield key


def memory(pod: Pod, _) -> Iterator[str]:
    limit = quantity(pod.guard["resources"]["limits"]["memory"], SIZES)
    buffers = quantity(pod.config["limits"]["buffer_total"], SIZES)
    if buffers > limit / 2:
        yield f"limits.buffer_total {buffers:.0f} of {limit:.0f} bytes"


def service(pod: Pod, _) -> Iterator[str]:
    for found in pod.of_kind("Service"):
        if not found["spec"]["selector"].items() <= pod.labels.items():
            yield "a Service selects other Pods"
        for port in found["spec"]["ports"]:
            # A name is not found among a sidecar's ports by every version of Kubernetes.
            if port["targetPort"] != pod.public_port:
                yield f"a Service leads to port {port['targetPort']}"
    if not pod.of_kind("Service"):
        yield "no Service"


def network(pod: Pod, _) -> Iterator[str]:
    policy = only(pod.of_kind("NetworkPolicy"), "NetworkPolicy")["spec"]
    if not covers(policy["podSelector"], pod.labels) or policy["policyTypes"] != ["Ingress"]:
        yield "the NetworkPolicy is not for these Pods' ingress"
    reached: dict[int, list] = {}
    for rule in policy["ingress"]:
        for port in rule["ports"]:
            reached.setdefault(port["port"], []).append(rule.get("from"))
    if set(reached) != {pod.public_port, pod.admin_port}:
        yield f"ports {sorted(reached)} can be reached"
    for sources in reached.get(pod.admin_port, []):
        # In two entries, either of the selectors would do.
        peer = only(sources or [], "peer that reaches the admin port")
        if not all(peer.get(key, {}).get("matchLabels") for key in ("namespaceSelector", "podSelector")):
            yield f"{peer} reaches the admin port"


def disruption(pod: Pod, _) -> Iterator[str]:
    budget = only(pod.of_kind("PodDisruptionBudget"), "PodDisruptionBudget")["spec"]
    if not covers(budget["selector"], pod.labels):
        yield "the budget is for other Pods"
    if "minAvailable" in budget or budget.get("maxUnavailable") in (None, 0, "0%"):
        yield f"{budget}: a node with the only Pod could never be drained"


def selector(pod: Pod, _) -> Iterator[str]:
    if not covers(pod.deployment["spec"]["selector"], pod.labels):
        yield "the Deployment selects other Pods"


CHECKS = (
    times, ports, probes, drain, configuration, reload, token, hardening, memory, service, network, disruption,
    selector,
)


def monitoring_complaints(documents: list[Manifest], pod: Pod, rules: dict[str, Any]) -> list[str]:
    """Of a PodMonitor and a PrometheusRule beside the Pod."""
    found = []
    monitor = only([d for d in documents if d["kind"] == "PodMonitor"], "PodMonitor")["spec"]
    if not covers(monitor["selector"], pod.labels):
        found.append("the PodMonitor selects other Pods")
    endpoint = only(monitor["podMetricsEndpoints"], "endpoint")
    if (pod.ports(pod.guard).get(endpoint["port"]), endpoint["path"]) != (pod.admin_port, "/metrics"):
        found.append(f"it scrapes {endpoint['port']}{endpoint['path']}")
    secret = pod.volume_at(str(pod.token_file.parent))["secret"]["secretName"]
    if endpoint.get("authorization") != {
        "type": "Bearer", "credentials": {"name": secret, "key": pod.token_file.name}
    }:
        found.append(f"it has another token: {endpoint.get('authorization')}")
    if {"targetLabel": "job", "replacement": "connguard"} not in endpoint.get("relabelings", []):
        found.append("the job is not called connguard, as the alerts want")
    rule = only([d for d in documents if d["kind"] == "PrometheusRule"], "PrometheusRule")
    if rule["spec"] != rules:
        found.append("the alerts are not those of deploy/prometheus: run deploy/prometheus/share")
    return found
