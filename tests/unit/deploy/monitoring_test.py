"""Dashboard, rules and runbook: that they fit together, and name only metrics that there are.

    monitoring_test.py CONNGUARD
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import monitoring  # noqa: E402

BINARY = sys.argv.pop(1)
RULES_TEST = pathlib.Path(__file__).with_name("connguard.rules.test.yaml")
TARGET_LABELS = {"job", "instance"}  # Prometheus adds them


def promtool(*arguments: object) -> str:
    """What it says; fails when it finds anything wrong."""
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class Expressions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        printed = subprocess.run([BINARY, "metrics"], capture_output=True, text=True, check=True)
        cls.series = monitoring.reference(printed.stdout)
        cls.series["up"] = ("gauge", set())
        for rule in monitoring.rules():
            if "record" in rule:
                cls.series[rule["record"]] = ("gauge", cls.grouping(rule["expr"]))
        annotations = monitoring.dashboard()["annotations"]["list"]
        cls.expressions = [
            *monitoring.queries(),
            *((rule.get("alert") or rule["record"], rule["expr"]) for rule in monitoring.rules()),
            *((note["name"], monitoring.with_variables(note["expr"])) for note in annotations),
        ]

    @staticmethod
    def grouping(expression):
        lists = re.findall(r"\bby\s*\(([^)]*)\)", expression)
        return {label.strip() for names in lists for label in names.split(",")} - TARGET_LABELS

    def test_prometheus_can_parse_them(self):
        named = [
            {"record": f"query:{n}", "expr": expression}
            for n, (_, expression) in enumerate(self.expressions)
        ]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "all", "rules": named}]}, file)
            file.flush()
            self.assertIn(f"{len(named)} rules found", promtool("check", "rules", file.name))

    def test_they_read_metrics_that_there_are_by_labels_that_those_have(self):
        for title, expression in self.expressions:
            labels = set(TARGET_LABELS)
            for name, matchers in monitoring.selectors(expression):
                with self.subTest(title, series=name):
                    self.assertIn(name, self.series)
                    known = self.series[name][1] | TARGET_LABELS
                    self.assertLessEqual(set(re.findall(r"(\w+)\s*[=!]~?", matchers)), known)
                    labels |= known
            self.assertLessEqual(self.grouping(expression), labels, title)

    def test_only_counters_have_rates(self):
        for title, expression in self.expressions:
            for name in re.findall(r"\b(?:rate|increase)\(\s*([\w:]+)", expression):
                self.assertIn(self.series[name][0], {"counter", "histogram"}, f"{title}: {name}")

    def test_every_metric_is_on_the_dashboard(self):
        shown = {
            re.sub("_(bucket|sum|count)$", "", name)
            for _, expression in monitoring.queries()
            for name, _ in monitoring.selectors(expression)
        }
        there = {re.sub("_(bucket|sum|count)$", "", name) for name in self.series if ":" not in name}
        self.assertEqual(there - shown, {"up"})


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.panels = monitoring.dashboard()["panels"]

    def test_ids_are_unique(self):
        ids = [panel["id"] for panel in self.panels]
        self.assertEqual(len(ids), len(set(ids)))

    def test_titles_are_unique(self):
        titles = [panel["title"] for panel in self.panels]
        self.assertEqual(len(titles), len(set(titles)))

    def test_no_two_panels_overlap_and_all_fit(self):
        taken = {}
        for panel in self.panels:
            grid = panel["gridPos"]
            self.assertLessEqual(grid["x"] + grid["w"], 24, panel["title"])
            for x in range(grid["x"], grid["x"] + grid["w"]):
                for y in range(grid["y"], grid["y"] + grid["h"]):
                    other = taken.setdefault((x, y), panel["title"])
                    self.assertEqual(other, panel["title"])

    def test_every_panel_explains_itself(self):
        for panel in monitoring.panels():
            with self.subTest(panel["title"]):
                self.assertRegex(panel["description"], r"^[A-Za-z0-9].{15,}\.$")
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                references = [target["refId"] for target in panel["targets"]]
                self.assertEqual(len(references), len(set(references)))
                for target in panel["targets"]:
                    self.assertTrue(target["legendFormat"])

    def test_a_legend_names_only_labels_that_are_left(self):
        for panel in monitoring.panels():
            for target in panel["targets"]:
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertIn(label, Expressions.grouping(target["expr"]) | TARGET_LABELS)

    def test_the_data_source_is_the_users_choice(self):
        variables = {v["name"]: v for v in monitoring.dashboard()["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        for panel in monitoring.panels():
            for used in (panel, *panel["targets"]):
                self.assertEqual(used["datasource"], {"type": "prometheus", "uid": "${datasource}"})

    def test_provisioning_is_sound(self):
        sources = yaml.safe_load((monitoring.PROVISIONING / "datasources.yaml").read_text())
        self.assertEqual([s["type"] for s in sources["datasources"]], ["prometheus"])
        providers = yaml.safe_load((monitoring.PROVISIONING / "dashboards.yaml").read_text())
        self.assertTrue(all(p["options"]["path"] for p in providers["providers"]))


class Alerts(unittest.TestCase):
    def test_rules_and_example_are_sound(self):
        promtool("check", "rules", monitoring.RULES)
        promtool("check", "config", monitoring.PROMETHEUS)

    def test_rules_do_what_their_tests_say(self):
        promtool("test", "rules", RULES_TEST)

    def test_each_has_a_firing_and_a_silent_case(self):
        tests = yaml.safe_load(RULES_TEST.read_text())["tests"]
        cases = {test["name"]: test["promql_expr_test"] for test in tests}
        self.assertEqual(set(cases), {alert["alert"] for alert in monitoring.alerts()})
        for name, checks in cases.items():
            own = [c for c in checks if f'alertname="{name}"' in c["expr"]]
            self.assertTrue(any(c["exp_samples"] for c in own), name)
            self.assertTrue(any(not c["exp_samples"] for c in own), name)

    def test_each_has_a_severity_and_a_paragraph_of_the_runbook(self):
        text = monitoring.RUNBOOK.read_text()
        paragraphs = dict(re.findall(r"^## (\w+)\n\n(.+?)(?=\n## |\Z)", text, re.M | re.S))
        self.assertEqual(set(paragraphs), {alert["alert"] for alert in monitoring.alerts()})
        for alert in monitoring.alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], {"critical", "warning"})
                notes = alert["annotations"]
                self.assertTrue(notes["summary"] and notes["description"])
                path, _, anchor = notes["runbook"].partition("#")
                self.assertEqual(monitoring.ROOT / path, monitoring.RUNBOOK)
                self.assertEqual(anchor, alert["alert"].lower())
                self.assertGreater(len(paragraphs[alert["alert"]]), 200)

    def test_the_readme_counts_them(self):
        text = (monitoring.ROOT / "README.md").read_text()
        self.assertIn(f"has {len(monitoring.alerts())} alerts", text)

    def test_the_runbook_names_panels_that_there_are(self):
        titles = {panel["title"] for panel in monitoring.panels()}
        text = re.sub(r"\s+", " ", monitoring.RUNBOOK.read_text())
        named = set(re.findall(r"\*([A-Z][^*]+)\*", text))
        self.assertTrue(named)
        self.assertLessEqual(named, titles)


if __name__ == "__main__":
    unittest.main()
