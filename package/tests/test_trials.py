"""Conditions of alerts, each brought about at a real gateway and seen by a real Prometheus. The runbooks name these tests."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import socket
import sqlite3
import subprocess
import time
import unittest
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus import Prometheus
from support import ASSETS, Network, Process, skip_if_quick


class Trials(unittest.TestCase):
    """A network whose gateways are broken one after the other."""

    @classmethod
    def setUpClass(cls) -> None:
        skip_if_quick()
        cls.secret = secrets.token_hex(32)
        cls.prometheus = Prometheus(cls, cls.secret)
        cls.network = Network(cls)
        cls.network.environment["MOTIF_GATEWAY_ADMIN_SECRET"] = cls.secret
        gateway = cls.serve("gateway.json")
        cls.network.use_gateway(gateway.ready["url"])
        cls.network.register_works()
        gateway.stop()

    @classmethod
    def serve(cls, key: str, *options: str, **settings: str) -> Process:
        """Starts a gateway of a key, with a store of the key's name."""
        command: list[Any] = [cls.network.binary, "gateway", "serve", "--keypair", key, "--store", f"{key}.sqlite"]
        command += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *options, "--json"]
        gateway = Process(command, {**cls.network.environment, **settings}, cls.network.folder)
        cls.addClassCleanup(gateway.stop)
        return gateway

    def scraped(self, key: str, *options: str, **settings: str) -> Process:
        """Starts a gateway of a new key that Prometheus scrapes as an instance of the key's name."""
        self.network.run("key", "new", key, "--airdrop")
        gateway = self.serve(key, *options, **settings)
        self.prometheus.scrape(key, gateway)
        self.network.use_gateway(gateway.ready["url"])
        return gateway

    def pay(self) -> None:
        """Opens a channel at the gateway in use and pays for five generations."""
        model, platform = ASSETS / "style.safetensors", f"{secrets.token_hex(4)}.json"
        self.network.run("key", "new", platform, "--airdrop")
        opened = self.network.run("channel", "open", "--deposit", "1", "--accept", model, "--keypair", platform)
        self.platform, self.channel = platform, opened["channel"]
        self.network.run("generate", "--count", "5", "--keypair", platform)

    def post(self, gateway: Process, path: str, body: Any = None) -> int:
        """Sends a request to a gateway's admin listener and returns the answer's status."""
        request = Request(
            gateway.ready["admin_url"] + path,
            json.dumps(body).encode(),
            {"authorization": f"Bearer {self.secret}", "content-type": "application/json"},
        )
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    def get(self, gateway: Process, path: str, times: int) -> None:
        """Sends requests on one connection, and reads their answers."""
        connection = http.client.HTTPConnection(gateway.ready["url"].removeprefix("http://"), timeout=30)
        for _ in range(times):
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()

    def test_killed_gateway_is_down(self) -> None:
        gateway = self.scraped("killed.json")
        gateway.stop(signal.SIGKILL)
        self.prometheus.wait_for("MotifGatewayDown", "killed.json")

    def test_broken_store_fails(self) -> None:
        gateway = self.scraped("broken.json")
        self.pay()
        with sqlite3.connect(self.network.folder / "broken.json.sqlite") as tables:
            tables.execute("DROP TABLE api_keys")
        key = {"name": "a", "scopes": ["read"], "channels": [], "budget": None, "expires_at": None}
        # The process ends with an error within seconds; a scrape in between sees why.
        self.assertEqual(self.post(gateway, "/v1/keys", key), 503)
        self.prometheus.wait_for("MotifStoreFailed", "broken.json")
        self.assertEqual(gateway.child.wait(60), 1)

    def test_damaged_channel_is_unreadable(self) -> None:
        gateway = self.scraped("damaged.json")
        self.pay()
        self.network.environment["MOTIF_ADMIN_URL"] = gateway.ready["admin_url"]
        self.network.run("gateway", "reconcile")  # applies the journal
        gateway.stop()
        with sqlite3.connect(self.network.folder / "damaged.json.sqlite") as tables:
            row, evidence = tables.execute("SELECT id, evidence FROM generations ORDER BY id DESC LIMIT 1").fetchone()
            # A byte of the voucher's signature, after the layout's number, three digests and the receipt's signature.
            at = 1 + 3 * 32 + 64
            damaged = evidence[:at] + bytes([evidence[at] ^ 0xFF]) + evidence[at + 1 :]
            tables.execute("UPDATE generations SET evidence = ? WHERE id = ?", (damaged, row))
        gateway = self.serve("damaged.json")
        self.prometheus.scrape("damaged.json", gateway)
        self.prometheus.wait_for("MotifChannelUnreadable", "damaged.json")
        # All requests for the channel are errors now.
        for _ in range(2):
            self.get(gateway, f"/v1/channels/{self.channel}", 20)
            self.prometheus.wait('motif_requests_total{instance="damaged.json", status="503"}')
        self.get(gateway, f"/v1/channels/{self.channel}", 20)
        self.prometheus.wait_for("MotifErrors", "damaged.json")

    def test_lost_node_is_down(self) -> None:
        network = Network(type(self))
        network.environment["MOTIF_GATEWAY_ADMIN_SECRET"] = self.secret
        whole = self.network
        try:
            type(self).network = network
            gateway = self.serve("gateway.json")
            network.use_gateway(gateway.ready["url"])
            network.register_works()
            self.prometheus.scrape("lonely", gateway)
            self.pay()
            network.process.stop(signal.SIGKILL)
            for alert in ("MotifNodesDown", "MotifNodeDown"):
                self.prometheus.wait_for(alert, "lonely")
            # What the alerts on time compare is growing.
            for rising in ("motif_blind_seconds", "motif_oldest_unsettled_seconds"):
                self.prometheus.wait(f'{rising}{{instance="lonely"}} > 10')
        finally:
            type(self).network = whole

    def test_poor_fee_payer_is_reported(self) -> None:
        poor = self.network.run("key", "new", "poor.json")[0]["address"]
        settings = {"MOTIF_GATEWAY_KEYS_FEE_PAYER": "poor.json", "MOTIF_GATEWAY_SETTLE_MIN_LAMPORTS": "0"}
        self.airdrop(poor, 895_000)  # enough for rent, and not for a settlement
        self.scraped("unfunded.json", "--settle-at-age-seconds", "1", **settings)
        self.prometheus.wait_for("MotifOperatorUnfunded", "unfunded.json")
        self.pay()
        self.prometheus.wait_for("MotifSettlementFailing", "unfunded.json")
        self.airdrop(poor, 50_000_000)
        self.prometheus.wait_for("MotifOperatorLow", "unfunded.json", 120)

    def airdrop(self, address: str, lamports: int) -> None:
        """Has the local network's faucet send lamports."""
        call = {"jsonrpc": "2.0", "id": 1, "method": "requestAirdrop", "params": [address, lamports]}
        request = Request(self.network.rpc_url, json.dumps(call).encode(), {"content-type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            self.assertIn("result", json.load(answer))

    def test_silent_signer_is_unavailable(self) -> None:
        made = self.network.run("key", "new", "signer.json", "receipts.json", "--airdrop")
        receipt = made[1]["address"]
        socket_path = self.network.folder / "keys.sock"
        command = [self.network.binary, "key", "serve", "--socket", socket_path, "receipt=receipts.json"]
        signer = subprocess.Popen(command, cwd=self.network.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(signer.kill)
        self.wait_until(socket_path.exists)
        gateway = self.serve("signer.json", MOTIF_GATEWAY_KEYS_RECEIPT=f"unix:{socket_path}#{receipt}")
        self.prometheus.scrape("signer.json", gateway)
        self.network.use_gateway(gateway.ready["url"])
        self.pay()
        signer.kill()
        signer.wait()
        with self.assertRaisesRegex(AssertionError, "signer-unavailable"):
            self.network.run("generate", "--count", "1", "--keypair", self.platform)
        self.prometheus.wait_for("MotifSignerUnavailable", "signer.json")

    def wait_until(self, condition: Any) -> None:
        """Waits at most ten seconds for a condition."""
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_traces_without_collector_fail(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}/v1/traces"
        gateway = self.scraped(
            "traced.json", "--traces-endpoint", endpoint, MOTIF_GATEWAY_TRACES_SAMPLED_BPS="10000", OTEL_BSP_SCHEDULE_DELAY="1000"
        )
        self.get(gateway, "/healthz", 5)
        self.prometheus.wait_for("MotifTracesFailing", "traced.json")

    def test_flood_is_refused(self) -> None:
        settings = {"MOTIF_GATEWAY_LIMITS_ADDRESS_PER_SECOND": "10", "MOTIF_GATEWAY_LIMITS_ADDRESS_BURST": "10"}
        gateway = self.scraped("flooded.json", **settings, MOTIF_GATEWAY_LIMITS_CONNECTIONS_PER_ADDRESS="3")
        self.get(gateway, "/v1/operator", 100)
        self.prometheus.wait('motif_refusals_total{instance="flooded.json", slug="rate-limited"}')
        self.get(gateway, "/v1/operator", 6_000)
        self.prometheus.wait_for("MotifRateLimited", "flooded.json")
        address = gateway.ready["url"].removeprefix("http://").split(":")
        held = [socket.create_connection((address[0], int(address[1]))) for _ in range(3)]
        for _ in range(900):
            socket.create_connection((address[0], int(address[1]))).close()
        self.prometheus.wait_for("MotifConnectionsRefused", "flooded.json")
        for one in held:
            one.close()
