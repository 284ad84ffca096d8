"""`motif localnet` with a gateway and a paywall in front of a model server, from the binary at `MOTIF_BINARY`."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from model_server import ModelServer
from world import REPOSITORY

from motif_sdk import Keypair

JSON = dict[str, Any]

ASSETS = REPOSITORY / "app" / "cli" / "assets"


def binary_path() -> Path:
    """Returns the path of the binary; skips the test without one, unless it is required."""
    path = os.environ.get("MOTIF_BINARY")
    if path and Path(path).is_file():
        return Path(path).resolve()
    message = "no `motif` binary: expected its path in MOTIF_BINARY"
    if os.environ.get("MOTIF_REQUIRE_BINARY") == "1":
        pytest.fail(message)
    pytest.skip(message)


class Process:
    """Process whose first line of output is JSON. It ends with the test."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        log = (folder / f"{arguments[1]}-{time.monotonic_ns()}.log").open("wb")
        self.child = subprocess.Popen(
            list(arguments), cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=log
        )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, f"{arguments} has ended: {Path(log.name).read_text()}"
        self.ready: JSON = json.loads(line)
        # A full pipe would stop the process.
        threading.Thread(target=self.child.stdout.read, daemon=True).start()

    def stop(self) -> None:
        """Ends the process."""
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class Localnet:
    """Network with the works, keys and gateway of the README's walkthrough."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary, self.folder = binary, folder
        self.environment = {"MOTIF_WAIT_SECONDS": "20", "RUST_LOG": "warn"}
        network = ["localnet", "--rpc-port", "0", "--ws-port", "0", "--json"]
        self._network = Process([str(binary), *network], folder, self.environment)
        self.rpc: str = self._network.ready["rpc_url"]
        self.mint: str = self._network.ready["test_dollar"]
        self.environment["MOTIF_RPC_URL"] = self.rpc
        self.server = ModelServer()
        keys = ("ines", "kofi", "platform", "gateway")
        made = self.run("key", "new", *(f"{name}.json" for name in keys), "--airdrop")
        self.addresses: dict[str, str] = {Path(one["file"]).stem: one["address"] for one in made}
        self.gateway = self.serve("walkthrough")
        self.image = self._register("ines", "coffee.jpg", "--kind", "image", *SPLIT, *IMAGE_TERMS)
        self.model = self._register("kofi", "style.safetensors", "--kind", "style-model", *MODEL_TERMS)
        self.gateway.stop()
        self.gateway = self.serve("walkthrough", self._routes())

    @property
    def gateway_url(self) -> str:
        """URL of the gateway."""
        return self.gateway.ready["url"]

    @property
    def paywall_url(self) -> str:
        """URL of the paywall."""
        return self.gateway.ready["paywall_url"]

    @property
    def operator(self) -> str:
        """Authority of the gateway's operator."""
        return self.addresses["gateway"]

    def key(self, name: str) -> Path:
        """Returns the path of a keypair file, created with SOL and test dollars if it is missing."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            self.run("key", "new", path.name, "--airdrop")
        return path

    def voucher(self, name: str) -> Keypair:
        """Returns the voucher key of a platform."""
        return Keypair.from_file(self.key(f"{name}-voucher"))

    def run(self, *arguments: str) -> Any:
        """Returns the JSON of a command."""
        done = subprocess.run(
            [str(self.binary), *arguments, "--json"],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr.decode()}"
        return json.loads(done.stdout.splitlines()[-1])

    def serve(self, store: str, routes: Path | None = None, *options: str) -> Process:
        """Starts a gateway."""
        paywall = [] if routes is None else ["--paywall-listen", "127.0.0.1:0", "--paywall-routes", str(routes)]
        arguments = ["--keypair", "gateway.json", "--store", f"{store}.sqlite", "--listen", "127.0.0.1:0", *paywall]
        started = Process(
            [str(self.binary), "gateway", "serve", *arguments, *options, "--json"], self.folder, self.environment
        )
        self.environment["MOTIF_GATEWAY_URL"] = started.ready["url"]
        return started

    def _register(self, owner: str, file: str, *options: str) -> str:
        options = tuple(str(ASSETS / one) if one.startswith("coffee.jpg=") else one for one in options)
        return self.run("work", "register", str(ASSETS / file), *options, "--keypair", f"{owner}.json")["work"]

    def _routes(self) -> Path:
        paid = [
            ("/pictures", "units = { fixed = 1 }"),
            ("/images", 'units = { header = "x-units" }\nmost_units = 4\nmissing = "refuse"'),
            ("/stories", 'units = { count = "lines" }\nper = 10\nstream = true'),
            ("/v1/chat/completions", 'units = { count = "events" }\nstream = true'),
        ]
        text = f'upstream = "{self.server.url}"\n'
        for path, units in paid:
            text += f'[[route]]\nmethod = "POST"\npath = "{path}"\nwork = "{self.model}"\nuse = "generate"\n{units}\n'
        path = self.folder / "paywall.toml"
        path.write_text(text + '[[free]]\nmethod = "GET"\npath = "/health"\n')
        return path

    def close(self) -> None:
        """Ends all processes."""
        self.gateway.stop()
        self._network.stop()
        self.server.close()

    def __enter__(self) -> Localnet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


SPLIT = ("--split", "ines.json=50%,kofi.json=50%")
IMAGE_TERMS = (
    "--use",
    "style-transfer=0.002/generation",
    "--derivatives",
    "allowed",
    "--derivative-share",
    "20%",
)
MODEL_TERMS = (
    "--model-base",
    "stable-diffusion-xl",
    "--parent",
    "coffee.jpg=20%",
    "--use",
    "generate=0.001/generation",
)
