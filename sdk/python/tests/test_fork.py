"""Processes that fork: a payer is of the process that opened it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from gateway_double import GatewayDouble
from world import World

CODE = """
import os, sys, time
from pathlib import Path
from motif_sdk import GatewayClient, Payer, sha256
from motif_sdk.errors import ProcessForked

folder, gateway, channel, is_used = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "used"
def opened(state):
    return Payer.open(channel, folder / "key.json", gateway=gateway, state=folder / state,
                      account=(folder / "account").read_bytes())
payer, client = opened("state"), GatewayClient(gateway, patience=0)
if is_used:
    payer.generate(0, 1, sha256("parent"), sha256("output"))
time.sleep(0.2)  # what is buffered is written after the payment
saved = (folder / "state").read_bytes()
child = os.fork()
if child == 0:
    for use in (lambda: payer.generate(0, 1, sha256("child"), sha256("output")), payer.resume, client.operator):
        try:
            use()
        except ProcessForked:
            print("forked", flush=True)
    payer.close()
    assert (folder / "state").read_bytes() == saved
    with opened("child.state") as own:
        print(own.cumulative, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(payer.generate(0, 1, sha256("parent again"), sha256("output")).cumulative, flush=True)
payer.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.parametrize(("use", "total"), [("fresh", 0), ("used", 102)])
def test_payer_of_parent_is_refused(gateway: GatewayDouble, world: World, tmp_path: Path, use: str, total: int) -> None:
    (tmp_path / "account").write_bytes(world.account)
    world.voucher.save(tmp_path / "key.json")
    command = [sys.executable, "-c", CODE, str(tmp_path), gateway.url, world.channel, use]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["forked"] * 3 + [str(total), str(total + 102)]
    assert len(gateway.batches) == (2 if total else 1)
