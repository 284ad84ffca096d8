"""The wheel and the npm package: each is installed into an empty environment, without a network, and runs."""

from __future__ import annotations

import json
import sys
import time
import unittest
from pathlib import Path

from support import PLAIN_PATH, Folder, Process, check, package, tool

PORTS = ["--rpc-port", "0", "--api-port", "0", "--paywall-port", "0", "--model-port", "0"]
# Time from the installation's begin to a network, a gateway, a paywall and works that are ready.
MAX_SECONDS = 60


class Installation(unittest.TestCase):
    """Walkthrough of an installed command."""

    def setUp(self) -> None:
        self.folder = Folder(self).path
        self.environment = {"PATH": PLAIN_PATH, "HOME": str(self.folder)}

    def assert_runs(self, motif: list[str | Path], begun: float) -> None:
        """Runs `motif up` until it is ready, and the demo."""
        up = Process([*motif, "up", "--no-open", "--json", *PORTS], self.environment, self.folder)
        took = time.monotonic() - begun
        self.addCleanup(up.stop)
        self.assertLess(took, MAX_SECONDS)
        self.assertEqual(len(up.ready["works"]), 4)
        # The command that `up` prints buys a picture.
        pay = up.ready["pay"].split(" ", 1)[1]
        check(["sh", "-c", f'exec "$@" {pay}', "sh", *motif], self.environment, self.folder)
        self.assertEqual(up.stop(), 0)
        printed = check([*motif, "demo", "--generations", "20", "--json"], self.environment, self.folder)
        self.assertTrue(json.loads(printed.splitlines()[-1])["conserved"])

    def version(self, motif: list[str | Path]) -> str:
        """Returns the version that the command prints."""
        return check([*motif, "--version"], self.environment, self.folder).removeprefix("motif ").strip()


class Wheel(Installation):
    """The wheel."""

    def test_wheel_runs_in_empty_environment(self) -> None:
        wheel, begun = package("*.whl"), time.monotonic()
        check([sys.executable, "-m", "venv", self.folder / "venv"])
        pip = [self.folder / "venv/bin/pip", "install", "--quiet", "--no-index", wheel]
        check(pip, self.environment)
        motif: list[str | Path] = [self.folder / "venv/bin/motif"]
        self.assertIn(f"-{self.version(motif)}-", wheel.name)
        self.assert_runs(motif, begun)

    def test_wheel_runs_by_uvx(self) -> None:
        wheel, uv = package("*.whl"), tool("uv")
        uvx: list[str | Path] = [uv, "tool", "run", "--offline", "--python", sys.executable, "--from", wheel, "motif"]
        self.assertIn(f"-{self.version(uvx)}-", wheel.name)


class Npm(Installation):
    """The npm package."""

    def setUp(self) -> None:
        super().setUp()
        self.npm = Path(tool("npm"))
        self.environment["PATH"] = f"{self.npm.parent}:{Path(tool('node')).parent}:{PLAIN_PATH}"

    def test_npm_package_runs_in_empty_environment(self) -> None:
        tarball, begun = package("*.tgz"), time.monotonic()
        install = [self.npm, "install", "--silent", "--offline", "--prefix", self.folder, tarball]
        check(install, self.environment, self.folder)
        motif: list[str | Path] = [self.npm.with_name("npx"), "--offline", "--no", "--", "motif"]
        self.assertIn(f"-{self.version(motif)}.tgz", tarball.name)
        # npx runs the command in a shell, which does not pass signals on: the tests of a long process run the linked file.
        self.assert_runs([self.folder / "node_modules/.bin/motif"], begun)

    def test_npm_package_has_no_scripts(self) -> None:
        check(["tar", "--extract", "--file", package("*.tgz"), "--directory", self.folder, "package/package.json"])
        manifest = json.loads((self.folder / "package/package.json").read_text())
        self.assertNotIn("scripts", manifest)
        self.assertNotIn("dependencies", manifest)
