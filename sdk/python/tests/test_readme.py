"""The README's quick start, as pasted, and what its other texts name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from localnet import Localnet

import motif_sdk

README = (Path(__file__).parents[1] / "README.md").read_text()


def quick_start() -> str:
    """Returns the first Python block of the README."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]


def run_quick_start(localnet: Localnet, folder: Path, python: str, *arguments: str) -> str:
    """Runs the quick start in a new folder with the walkthrough's keys; returns what it prints."""
    (folder / "walkthrough").mkdir()
    (folder / "walkthrough" / "platform.json").write_bytes(localnet.key("platform").read_bytes())
    env = {name: value for name, value in os.environ.items() if not name.startswith("MOTIF_")}
    env |= {"MOTIF_GATEWAY_URL": localnet.gateway_url, "MOTIF_RPC_URL": localnet.rpc}
    done = subprocess.run(
        [python, *arguments, "-c", quick_start()],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_quick_start_runs_as_pasted(localnet: Localnet, tmp_path: Path) -> None:
    assert len(quick_start().splitlines()) <= 25
    printed = run_quick_start(localnet, tmp_path, sys.executable)
    assert re.fullmatch(r"paid 1000 of 998980 base units, receipt [0-9a-f]{64}\n", printed)


def test_readme_names_exist() -> None:
    from motif_sdk import asgi, comfyui, images, requests_adapter

    known = {*motif_sdk.__all__, *dir(asgi), *dir(comfyui), *dir(images), *dir(requests_adapter), "Chain"}
    named = set(re.findall(r"`(?:auth=)?((?:Async)?(?:Motif|Payer|Policy|Licensed|Signer|Paid)\w*)", README))
    assert len(named) >= 6
    assert named <= known
