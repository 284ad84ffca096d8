"""The README's quick start, as pasted, and what its other texts name."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

from localnet import Localnet
from world import REPOSITORY

import motif_sdk

README = (Path(__file__).parents[1] / "README.md").read_text()


def quick_start() -> str:
    """Returns the first Python block of the README."""
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]


def run_quick_start(localnet: Localnet, folder: Path, python: str, *arguments: str) -> str:
    """Runs the quick start in a new folder with the walkthrough's keys; returns what it prints."""
    (folder / "walkthrough").mkdir(exist_ok=True)
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
    """Also for the second time."""
    assert len(quick_start().splitlines()) <= 25
    for _ in range(2):
        printed = run_quick_start(localnet, tmp_path, sys.executable)
        paid = r"paid 1020 base units, 1000 without the fee; 998980 are left\nreceipt [0-9a-f]{64}\n"
        assert re.fullmatch(paid, printed)


def test_readme_names_exist() -> None:
    from motif_sdk import asgi, comfyui, images, requests_adapter

    known = {*motif_sdk.__all__, *dir(asgi), *dir(comfyui), *dir(images), *dir(requests_adapter), "Chain"}
    named = set(re.findall(r"`(?:auth=)?((?:Async)?(?:Motif|Payer|Policy|Licensed|Signer|Paid)\w*)", README))
    assert len(named) >= 6
    assert named <= known


def run_with_channel(localnet: Localnet, folder: Path, document: str, code: str) -> list[str]:
    """Opens a channel by the document's shell command, and runs code with it; returns the lines that it prints."""
    command = re.findall(r"```sh\nexport MOTIF_CHANNEL=\$\((.*?)\)\n```", document, re.DOTALL)[0]
    (folder / "walkthrough").mkdir()
    (folder / "walkthrough" / "platform.json").write_bytes(localnet.key("readme").read_bytes())
    (folder / "app").symlink_to(REPOSITORY / "app")
    paths = f"{localnet.binary.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = os.environ | localnet.environment | {"PATH": paths, "MOTIF_GATEWAY_URL": localnet.gateway_url}
    opened = subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=True)
    env["MOTIF_CHANNEL"] = opened.stdout.strip()
    command_line = [sys.executable, "-c", code]
    done = subprocess.run(command_line, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_buyer_of_readme_runs(localnet: Localnet, tmp_path: Path) -> None:
    """The channel is opened by the shell command, and both clients buy."""
    code = re.findall(r"```python\n(payer = .*?)```", README, re.DOTALL)[0]
    code = code.replace("https://shop.example", localnet.paywall_url)
    code = f"import os, httpx, openai\nfrom motif_sdk import *\n{code}"
    code += 'asked = [{"role": "user", "content": "style same York New"}]\n'
    code += "print(chat.chat.completions.create(model='style', messages=asked).choices[0].message.content)\n"
    code += "print(answer.status_code, len(receipts), payer.spent)\n"
    assert run_with_channel(localnet, tmp_path, README, code) == ["New York same style", "200 1 2040"]


def test_shortest_way_to_buy_runs_as_pasted(localnet: Localnet, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "clients.md").read_text()
    section = page.split("\n## Buy many answers\n")[1].split("\n## ")[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    code = code.replace("http://127.0.0.1:8790", localnet.paywall_url)
    code += "print(picture.status_code, picture.headers['content-type'], payer.spent)\n"
    assert run_with_channel(localnet, tmp_path, section, code) == ["200 image/png 1020"]


def test_blocks_of_guide_name_what_exists() -> None:
    guide = (REPOSITORY / "docs" / "python.md").read_text()
    named = set(re.findall(r"^from (motif_sdk[.\w]*) import (.*)$", guide + README, re.MULTILINE))
    assert len(named) >= 6
    for module, names in named:
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name), (module, name)
