"""The Debian package in an empty system: it installs, serves under systemd, upgrades and purges."""

from __future__ import annotations

import json
import re
import stat
import time
import unittest
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from machine import Machine
from support import ASSETS, Folder, Network, check, metrics, package, tool

UNIT = "motif-gateway.service"
# Exposure of the unit by systemd-analyze, of 100: 0 is none.
MAX_EXPOSURE = 20
NEXT_VERSION = "999.0.0"


class File(unittest.TestCase):
    """The package file."""

    def test_lintian_finds_nothing(self) -> None:
        command = [tool("lintian"), "--fail-on", "error,warning", "--allow-root", package("*.deb")]
        check(command, seconds=400)

    def test_manual_has_a_page_for_each_command(self) -> None:
        folder = Folder(self).path
        check(["dpkg-deb", "--extract", package("*.deb"), folder])
        pages = {page.name.removesuffix(".1.gz") for page in folder.glob("usr/share/man/man1/*")}
        self.assertLessEqual({"motif", "motif-up", "motif-gateway", "motif-gateway-serve", "motif-gateway-api-key-create"}, pages)
        self.assertGreater(len(pages), 100)
        for file in ("bash-completion/completions/motif", "zsh/vendor-completions/_motif", "fish/vendor_completions.d/motif.fish"):
            self.assertIn("airdrop", (folder / "usr/share" / file).read_text())


class Lifecycle(unittest.TestCase):
    """An operator's gateway through installation, upgrade, removal and purge, one after the other."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.deb = package("*.deb")
        cls.machine = Machine(cls)
        cls.network = Network(cls)

    def test_upgrade_keeps_books_and_purge_leaves_nothing(self) -> None:
        empty = self.machine.files()
        self.machine.install(self.deb)
        self.assert_waits_for_operator()

        self.configure()
        self.machine.run("systemctl", "enable", "--now", UNIT)
        self.use_gateway()
        self.network.register_works()
        channel = self.network.open_channel()
        self.network.generate(20)
        self.assert_decodes_content()
        self.assert_is_confined()
        books, process = self.books(), self.main_process()
        self.assertEqual(books[0]["generations"], 20)

        self.machine.install(self.next_version())
        self.assertIn(NEXT_VERSION, self.machine.run("dpkg-query", "--show", "motif-gateway"))
        self.assertEqual(self.machine.run("systemctl", "is-active", UNIT), "active")
        self.assertNotEqual(self.main_process(), process)
        self.assertEqual(self.books(), books)
        self.network.generate(5)
        self.assertEqual(self.books()[0]["generations"], 25)
        self.assertTrue(self.network.run("gateway", "reconcile")["exact"])
        self.network.run("channel", "close", "--channel", channel, "--keypair", "platform.json")
        self.network.run("receipt", "verify", "receipts.jsonl")

        self.machine.run("dpkg", "--remove", "motif-gateway")
        self.assertEqual(self.machine.run("systemctl", "is-active", UNIT, may_fail=True), "inactive")
        self.assertTrue((self.machine.root / "var/lib/motif/motif-gateway.sqlite").exists())
        self.machine.run("dpkg", "--purge", "motif-gateway")
        self.assertEqual(self.machine.files() - empty, set())
        self.assertEqual(self.machine.run("getent", "passwd", "motif", may_fail=True), "")

    def assert_waits_for_operator(self) -> None:
        """Checks that an installation starts nothing, and what it prepares."""
        self.assertEqual(self.machine.run("systemctl", "is-enabled", UNIT, may_fail=True), "disabled")
        self.assertEqual(self.machine.run("systemctl", "is-active", UNIT, may_fail=True), "inactive")
        secret = self.machine.root / "etc/motif/admin-secret"
        self.assertEqual(stat.S_IMODE(secret.stat().st_mode), 0o600)
        self.assertGreaterEqual(len(secret.read_text().strip()), 32)
        self.assertIn("motif", self.machine.run("getent", "passwd", "motif"))

    def configure(self) -> None:
        """Writes the operator's key and settings, as docs/packages.md says."""
        key = self.machine.root / "etc/motif/operator.json"
        key.write_bytes((self.network.folder / "gateway.json").read_bytes())
        key.chmod(0o600)
        settings = self.machine.root / "etc/motif/gateway.toml"
        text = settings.read_text()
        for name, value in {
            "rpc_url": self.network.rpc_url,
            "listen": "127.0.0.1:18787",
        }.items():
            text, count = re.subn(rf"^#{name} = .*$", f'{name} = "{value}"', text, count=1, flags=re.M)
            self.assertEqual(count, 1, name)
        text = text.replace("[admin]\n", '[admin]\nlisten = "127.0.0.1:18788"\n')
        settings.write_text(text)

    def use_gateway(self) -> None:
        """Directs the network's commands to the gateway of the machine."""
        self.network.use_gateway("http://127.0.0.1:18787")
        self.admin_url = "http://127.0.0.1:18788"
        self.secret = (self.machine.root / "etc/motif/admin-secret").read_text().strip()
        self.network.environment["MOTIF_ADMIN_URL"] = self.admin_url
        self.network.environment["MOTIF_GATEWAY_ADMIN_SECRET"] = self.secret
        self.assertIn("motif_channels", metrics(self.admin_url, self.secret))

    def assert_decodes_content(self) -> None:
        """Checks that the decoding worker confines itself within the unit's limits, and works."""
        request = Request(
            "http://127.0.0.1:18787/v1/authenticate",
            (ASSETS / "coffee.jpg").read_bytes(),
            {"content-type": "image/jpeg"},
        )
        deadline = time.monotonic() + 60
        found: Any = None
        while not (found and found["exact"]):  # until the gateway has read the new works
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(1)
            with urlopen(request, timeout=60) as answer:
                found = json.load(answer)
            self.assertEqual((found["media_type"], found["unreadable"]), ("image/jpeg", None))

    def assert_is_confined(self) -> None:
        """Checks the unit's user, its files and its exposure."""
        user = self.machine.run("systemctl", "show", "--property=User", "--value", UNIT)
        self.assertEqual(user, "motif")
        store = self.machine.root / "var/lib/motif"
        self.assertEqual(stat.S_IMODE(store.stat().st_mode), 0o700)
        printed = self.machine.run("systemd-analyze", "security", "--no-pager", UNIT)
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", printed)[1])
        self.assertLessEqual(exposure * 10, MAX_EXPOSURE, printed)

    def main_process(self) -> str:
        return self.machine.run("systemctl", "show", "--property=MainPID", "--value", UNIT)

    def books(self) -> Any:
        """Returns use and revenue of all works."""
        return self.network.run("gateway", "usage", "--by", "work")["rows"]

    def next_version(self) -> Path:
        """Returns the package as a later version."""
        folder = Folder(self).path
        check(["dpkg-deb", "--raw-extract", self.deb, folder / "tree"])
        control = folder / "tree/DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {NEXT_VERSION}", control.read_text(), flags=re.M))
        built = folder / "next.deb"
        check(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", folder / "tree", built])
        return built
