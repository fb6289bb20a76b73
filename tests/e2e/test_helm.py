"""deploy/helm: what the chart makes of its values, held to the same as deploy/kubernetes."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
import yaml

import podcheck
from manifests import CHART, KUBERNETES, RULES, Failed, helm, helm_texts, kustomize, schema_complaints
from podcheck import Pod

MONITORED = {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True, "labels": {"release": "kube"}}}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "a second container": {"guard": {"nativeSidecar": False}},
    "monitored": MONITORED,
    "other ports": {"guard": {"ports": {"public": 8088, "admin": 9188}}, "agent": {"port": 1866}, **MONITORED},
    "a long drain": {"guard": {"shutdown": {"delaySeconds": 15, "drainSeconds": 600}}},
    "an agent of one's own": {
        "agent": {
            "image": {"repository": "example.com/agent", "tag": "1.0"}, "command": ["serve"], "args": ["--quiet"],
            "env": [{"name": "MODE", "value": "on"}], "livenessProbe": None,
        },
    },
    "a budget in per cent": {"podDisruptionBudget": {"maxUnavailable": "50%"}, "agent": {"replicas": 4}},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_what_it_makes_is_of_the_api_and_fits_together(name, tmp_path):
    documents = helm(VARIANTS[name])
    assert schema_complaints(documents) == []
    assert podcheck.complaints(documents, tmp_path) == []


@pytest.mark.parametrize("name", ["monitored", "other ports"])
def test_prometheus_finds_the_guards_and_has_the_alerts_of_deploy_prometheus(name):
    documents = helm(VARIANTS[name])
    rules = yaml.safe_load(RULES.read_text())
    assert podcheck.monitoring_complaints(documents, Pod(documents), rules) == []


def test_its_copy_of_the_rules_is_the_file_itself():
    copy = CHART / "files/connguard.rules.yaml"
    assert copy.read_bytes() == RULES.read_bytes(), "run deploy/prometheus/share"


@pytest.mark.parametrize("native, folder", [(True, "native-sidecar"), (False, "second-container")])
def test_the_guard_is_that_of_deploy_kubernetes(native, folder):
    chart = Pod(helm({"guard": {"nativeSidecar": native}}))
    example = Pod(kustomize(KUBERNETES / folder))
    assert chart.guard == example.guard
    assert chart.app == example.app
    assert chart.config == example.config
    assert chart.spec["volumes"][2] == example.spec["volumes"][2]


def test_without_an_operator_it_makes_nothing_for_one():
    assert {d["apiVersion"] for d in helm()} == {"v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"}


def test_what_is_turned_off_is_not_made():
    kinds = {d["kind"] for d in helm({"networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}})}
    assert kinds == {"ConfigMap", "Deployment", "Service"}


def test_a_change_of_the_configuration_leaves_the_pods_as_they_are():
    before, after = helm(), helm({"guard": {"config": {"limits": {"connections": 5000}}}})
    assert [d["kind"] for d, old in zip(after, before) if d != old] == ["ConfigMap"]


def test_two_releases_do_not_meet():
    one, other = helm(release="one"), helm(release="other")
    names = [{(d["kind"], d["metadata"]["name"]) for d in documents} for documents in (one, other)]
    assert not names[0] & names[1]
    assert Pod(one).labels != Pod(other).labels


def test_the_notes_say_what_is_left_to_do():
    notes = helm_texts({"guard": {"adminSecret": "my-secret"}})["NOTES.txt"]
    assert "kubectl -n agents create secret generic my-secret" in notes
    assert "deployment/cat-connguard" in notes
    assert "65 s at most" in notes


WRONG_VALUES: dict[str, dict[str, Any]] = {
    "a name that there is not": {"guard": {"adminSecrt": "x"}},
    "a text for a port": {"guard": {"ports": {"public": "8080"}}},
    "a port that needs root": {"guard": {"ports": {"public": 80}}},
    "a drain without end": {"guard": {"shutdown": {"drainSeconds": -1}}},
    "no time for the agent to stop": {"agent": {"stopSeconds": 0}},
    "the agent as root": {"agent": {"runAsUser": 0}},
    "what the chart writes itself": {"guard": {"config": {"shutdown": {"drain": "1h"}}}},
    "everybody for Prometheus": {"networkPolicy": {"prometheus": {"podLabels": {"app.kubernetes.io/name": None}}}},
    "a budget that holds nodes": {"podDisruptionBudget": {"maxUnavailable": 0}},
    "a word that is none": {"service": {"type": "Cluster"}},
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_values_that_are_wrong_are_refused(name):
    with pytest.raises(Failed):
        helm_texts(WRONG_VALUES[name])


def test_every_value_is_in_the_schema_with_its_default_and_no_other():
    def names(schema: dict, value: Any, path: str = "") -> None:
        schema = {**schema, **definitions.get(schema.get("$ref", "").rpartition("/")[2], {})}
        if schema.get("additionalProperties") is not False or "requests" in schema["properties"]:
            return
        properties = set(schema["properties"]) - {"global"}
        assert properties == set(value), path
        for key in properties:
            names(schema["properties"][key], value[key], f"{path}.{key}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    definitions = schema["definitions"]
    names(schema, yaml.safe_load((CHART / "values.yaml").read_text()))


BROKEN = {
    "a value that there is not": ("service.yaml", ".Values.service.port ", ".Values.service.prot "),
    "a template that there is not": ("service.yaml", '"connguard.name"', '"connguard.nam"'),
    "an end that is missing": ("networkpolicy.yaml", "{{- end }}", ""),
    "a function that there is not": ("configmap.yaml", "nindent", "nindnt"),
    "a file that there is not": ("prometheusrule.yaml", "connguard.rules.yaml", "rules.yaml"),
}


def changed_chart(tmp_path, file: str, old: str, new: str):
    chart = tmp_path / "connguard"
    shutil.copytree(CHART, chart)
    template = chart / "templates" / file
    text = template.read_text()
    assert old in text
    template.write_text(text.replace(old, new))
    return chart


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_template_is_found(name, tmp_path):
    chart = changed_chart(tmp_path, *BROKEN[name])
    with pytest.raises(Failed):
        helm_texts(MONITORED, chart=chart)


def test_a_field_of_the_wrong_name_is_found(tmp_path):
    chart = changed_chart(tmp_path, "_helpers.tpl", "failureThreshold: 30", "failureTreshold: 30")
    assert schema_complaints(helm(chart=chart))


def test_a_grace_period_that_is_too_short_is_found(tmp_path):
    chart = changed_chart(tmp_path, "deployment.yaml", ".drainSeconds $.Values.agent.stopSeconds", ".delaySeconds")
    found = podcheck.complaints(helm(chart=chart), tmp_path)
    assert [text for text in found if text.startswith("times: ")], found


def test_a_chart_that_writes_its_own_keys_refuses_them_even_without_a_schema(tmp_path):
    chart = changed_chart(tmp_path, "configmap.yaml", "include", "include")
    text = (chart / "templates/_helpers.tpl").read_text()
    (chart / "templates/_helpers.tpl").write_text(text.replace('"shutdown" (dict', '"limits" (dict'))
    with pytest.raises(Failed, match="guard.config.limits"):
        helm_texts(chart=chart)
