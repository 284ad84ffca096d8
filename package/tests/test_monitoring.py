"""Prometheus' rules and Grafana's dashboard, against the metrics of real gateways and by Prometheus' own tools."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import unittest
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus import RULES, Prometheus, alerts
from support import REPOSITORY, Network, Process, check, metrics, tool

FOLDER = REPOSITORY / "package" / "monitoring"
DASHBOARD = FOLDER / "motif.dashboard.json"
OPERATIONS = REPOSITORY / "docs" / "operations.md"
NAME = re.compile(r"\bmotif_[a-z_]+\b")
ALERT = re.compile(r"- alert: (\w+)")
SLUG = re.compile(r'slug="([a-z-]+)"')
# Suffixes of a family's samples in the OpenMetrics format.
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def dashboard_expressions() -> list[str]:
    """Returns the expressions of all panels and variables."""
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    variables = [one["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    return panels + variables


class Files(unittest.TestCase):
    """The files by themselves."""

    def test_promtool_accepts_the_rules(self) -> None:
        check([tool("promtool"), "check", "rules", RULES])

    def test_each_alert_fires_in_promtool(self) -> None:
        check([tool("promtool"), "test", "rules", "motif.rules.test.yml"], folder=FOLDER)
        tested = re.findall(r'alertname="(\w+)"', (FOLDER / "motif.rules.test.yml").read_text())
        self.assertEqual(set(tested), set(alerts()))

    def test_each_alert_has_a_runbook(self) -> None:
        text = RULES.read_text()
        headings = re.findall(r"^### (Motif\w+)$", OPERATIONS.read_text(), re.M)
        self.assertEqual(headings, ALERT.findall(text))
        links = re.findall(r"runbook: docs/operations\.md#(\w+)", text)
        self.assertEqual(links, [name.lower() for name in headings])


class Gateways(unittest.TestCase):
    """Real gateways, scraped by a real Prometheus."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.network = Network(cls)
        cls.secret = secrets.token_hex(32)
        cls.network.environment["MOTIF_GATEWAY_ADMIN_SECRET"] = cls.secret
        cls.gateway = cls.serve("gateway.json")
        cls.addClassCleanup(lambda: cls.gateway.stop())
        cls.network.use_gateway(cls.gateway.ready["url"])
        cls.network.register_works()
        cls.network.open_channel()
        cls.network.generate(5)
        # Families with labels are there once they have a sample: of a problem, and of a settlement's fees.
        with contextlib.suppress(HTTPError):
            urlopen(f"{cls.gateway.ready['url']}/nothing", timeout=10)
        cls.network.run("channel", "close", "--keypair", "platform.json")

    @classmethod
    def serve(cls, key: str, *options: str, **settings: str) -> Process:
        """Starts a gateway with a store of its key's name."""
        command: list[Any] = [cls.network.binary, "gateway", "serve", "--keypair", key, "--store", f"{key}.sqlite"]
        command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *options, "--json"]
        return Process(command, {**cls.network.environment, **settings}, cls.network.folder)

    def metrics(self, gateway: Process) -> str:
        return metrics(gateway.ready["admin_url"], self.secret)

    def test_each_metric_exists_in_gateway(self) -> None:
        families = re.findall(r"^# TYPE (motif_\w+) (\w+)$", self.metrics(self.gateway), re.M)
        samples = {name + suffix for name, kind in families for suffix in SUFFIXES[kind]}
        expressions = [*alerts().values(), *dashboard_expressions()]
        used = {name for expression in expressions for name in NAME.findall(expression)}
        self.assertGreater(len(used), 30)
        self.assertEqual(used - samples, set())

    def test_each_slug_exists_in_binary(self) -> None:
        content = self.network.binary.read_bytes()
        slugs = set(SLUG.findall(RULES.read_text()))
        self.assertEqual({slug for slug in slugs if slug.encode() not in content}, set())

    def test_each_expression_is_evaluated(self) -> None:
        prometheus = Prometheus(self, self.secret)
        prometheus.scrape("gateway", self.gateway)
        rules = prometheus.get("rules")["groups"][0]["rules"]
        self.assertEqual({rule["name"]: rule["health"] for rule in rules}, dict.fromkeys(alerts(), "ok"))
        for expression in dashboard_expressions():
            if expression.startswith("label_values("):
                continue
            filled = expression.replace("$job", "motif").replace("$instance", ".*")
            prometheus.query(filled)
        # One family of each part is there, with the labels that the dashboard groups by.
        for expression in ("motif_generations_total", "motif_exposed", "motif_node_up", "motif_request_seconds_bucket"):
            self.assertTrue(prometheus.query(expression), expression)
        # The rules name the route of payments.
        self.assertTrue(prometheus.query(re.search(r"motif_request_seconds_bucket\{.*?\"\}", alerts()["MotifSlow"])[0]))
