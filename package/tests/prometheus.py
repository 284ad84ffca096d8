"""A real Prometheus with the rules."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import unittest
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from support import REPOSITORY, Folder, Process, tool

RULES = REPOSITORY / "package" / "monitoring" / "motif.rules.yml"


def alerts() -> dict[str, str]:
    """Returns the expressions of all alerts."""
    blocks = re.split(r"\n\s*- alert: ", RULES.read_text())[1:]
    return {
        block.split("\n", 1)[0]: re.sub(r"^\s*>-", "", re.search(r"expr:(.*?)\n\s*(?:for|labels):", block, re.S)[1]).strip()
        for block in blocks
    }


class Prometheus:
    """Prometheus that scrapes gateways every second and evaluates the rules."""

    def __init__(self, test: unittest.TestCase | type[unittest.TestCase], secret: str) -> None:
        folder = Folder(test).path
        self._targets, self._gateways = folder / "targets.json", []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        (folder / "secret").write_text(secret)
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {
                    "job_name": "motif",
                    "authorization": {"credentials_file": str(folder / "secret")},
                    "file_sd_configs": [{"files": [str(self._targets)]}],
                }
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        command = [tool("prometheus"), "--config.file", folder / "prometheus.yml", "--storage.tsdb.path", folder / "data"]
        log = (folder / "log").open("wb")
        process = subprocess.Popen([*command, "--web.listen-address", self.url.removeprefix("http://")], stderr=log)
        clean = test.addClassCleanup if isinstance(test, type) else test.addCleanup
        clean(process.wait)
        clean(process.terminate)
        self.wait("vector(1)")

    def scrape(self, name: str, gateway: Process) -> None:
        """Scrapes a gateway from now on, as an instance of this name, and waits for its metrics."""
        target = gateway.ready["admin_url"].removeprefix("http://")
        self._gateways = [one for one in self._gateways if one["labels"]["instance"] != name]
        self._gateways.append({"targets": [target], "labels": {"instance": name}})
        written = self._targets.with_suffix(".new")
        written.write_text(json.dumps(self._gateways))
        written.rename(self._targets)
        self.wait(f'up{{job="motif", instance="{name}"}} == 1')

    def wait_for(self, alert: str, name: str, seconds: int = 60) -> None:
        """Waits until the condition of an alert holds for an instance, whatever time the alert takes to fire."""
        self.wait(f'({alerts()[alert]}) and on (instance) up{{instance="{name}"}}', seconds)

    def get(self, path: str, **parameters: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        return self.get("query", query=expression)["result"]

    def wait(self, expression: str, seconds: int = 60) -> list[Any]:
        """Waits until an expression has a result."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if result := self.query(expression):
                    return result
            except (URLError, ConnectionError):
                pass  # it is starting
            time.sleep(0.3)
        raise AssertionError(f"no result within {seconds} s: {expression}")
