"""Processes that the tests start, and what the README's walkthrough sets up."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

JSON = dict[str, Any]

REPOSITORY = Path(__file__).resolve().parents[2]
ASSETS = REPOSITORY / "app" / "cli" / "assets"
# Folder of the packages under test.
DIST = Path(os.environ.get("MOTIF_DIST", REPOSITORY / "dist"))
# What a process of an empty environment gets.
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SETTINGS = {"MOTIF_WAIT_SECONDS": "20", "RUST_LOG": "warn"}


def package(pattern: str) -> Path:
    """Returns the package of this pattern; skips the test if it was not built."""
    found = sorted(DIST.glob(pattern))
    if not found:
        raise unittest.SkipTest(f"no {pattern} in {DIST}: build it with package/build.sh")
    return found[-1]


def tool(name: str) -> str:
    """Returns the path of a program; skips the test without it, unless MOTIF_REQUIRE_TOOLS has it."""
    path = shutil.which(name)
    if path is None:
        if name in os.environ.get("MOTIF_REQUIRE_TOOLS", "").split():
            raise AssertionError(f"{name} is required and not installed")
        raise unittest.SkipTest(f"{name} is not installed")
    return path


def skip_if_quick() -> None:
    """Skips a test that takes minutes, with MOTIF_QUICK=1."""
    if os.environ.get("MOTIF_QUICK") == "1":
        raise unittest.SkipTest("MOTIF_QUICK=1 leaves it out: `just test-packages` runs it")


def binary() -> Path:
    """Returns the path of the `motif` binary that plays the network and the payers."""
    path = os.environ.get("MOTIF_BINARY")
    if not path:
        raise unittest.SkipTest("no `motif` binary: expected its path in MOTIF_BINARY")
    return Path(path).resolve()


def check(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path | None = None, seconds: int = 120
) -> str:
    """Runs a command and returns what it prints."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Folder:
    """Temporary folder of a test."""

    def __init__(self, test: unittest.TestCase | type[unittest.TestCase]) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="motif-package-"))
        clean = test.addClassCleanup if isinstance(test, type) else test.addCleanup
        clean(shutil.rmtree, self.path, ignore_errors=True)


class Process:
    """Process that prints a line of JSON when it is ready."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> None:
        self._log = folder / f"{secrets.token_hex(4)}.log"
        with self._log.open("wb") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command], cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=log
            )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError(f"{command} ended with {self.child.wait()}: {self._log.read_text()}")
        self.ready: JSON = json.loads(line)
        # A full pipe would stop the process.
        threading.Thread(target=self.child.stdout.read, daemon=True).start()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and returns its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(by)
        try:
            return self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise


class Network:
    """Local network with the keys of a walkthrough, and the commands of its people."""

    KEYS = ("ines", "kofi", "platform", "gateway")

    def __init__(self, test: type[unittest.TestCase]) -> None:
        self.binary = binary()
        self.folder = Folder(test).path
        self.environment = {**os.environ, **SETTINGS}
        self.process = Process(
            [self.binary, "localnet", "--rpc-port", "0", "--ws-port", "0", "--json"], self.environment, self.folder
        )
        test.addClassCleanup(self.process.stop)
        self.rpc_url: str = self.process.ready["rpc_url"]
        self.mint: str = self.process.ready["test_dollar"]
        self.environment["MOTIF_RPC_URL"] = self.rpc_url
        self.run("key", "new", *(f"{name}.json" for name in self.KEYS), "--airdrop")

    def run(self, *arguments: str | Path) -> Any:
        """Runs a command of the binary and returns its JSON."""
        printed = check([self.binary, *arguments, "--json"], self.environment, self.folder)
        return json.loads(printed.splitlines()[-1])

    def use_gateway(self, url: str) -> None:
        """Directs the commands to a gateway."""
        self.environment["MOTIF_GATEWAY_URL"] = url

    def register_works(self) -> None:
        """Registers the photograph and the style model of the walkthrough."""
        photograph, model = ASSETS / "coffee.jpg", ASSETS / "style.safetensors"
        self.run(
            "work", "register", photograph, "--kind", "image", "--split", "ines.json=50%,kofi.json=50%",
            "--use", "style-transfer=0.002/generation", "--derivatives", "allowed", "--derivative-share", "20%",
            "--keypair", "ines.json",
        )  # fmt: skip
        self.run(
            "work", "register", model, "--kind", "style-model", "--model-base", "stable-diffusion-xl",
            "--parent", f"{photograph}=20%", "--use", "generate=0.001/generation", "--keypair", "kofi.json",
        )  # fmt: skip

    def open_channel(self) -> str:
        """Opens a channel of the platform that licenses the model, and returns its address."""
        model = ASSETS / "style.safetensors"
        opened = self.run("channel", "open", "--deposit", "5", "--accept", model, "--keypair", "platform.json")
        return opened["channel"]

    def generate(self, count: int) -> None:
        """Pays for generations."""
        self.run("generate", "--count", str(count), "--receipts", "receipts.jsonl", "--keypair", "platform.json")


def metrics(admin_url: str, secret: str) -> str:
    """Returns a gateway's metrics."""
    from urllib.request import Request, urlopen

    request = Request(f"{admin_url}/metrics", headers={"authorization": f"Bearer {secret}"})
    with urlopen(request, timeout=10) as answer:
        return answer.read().decode()
