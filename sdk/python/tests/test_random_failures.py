"""Random failures of the network and the gateway, under many callers: no payment is lost, and none is made twice."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gateway_double import GatewayDouble, Reply, problem
from world import World

from motif_sdk import Payer, Receipt, sha256
from motif_sdk.errors import MotifError

JSON = dict[str, Any]


class Unreliable:
    """Accepts, refuses, fails before or after accepting, and lies, at random."""

    def __init__(self, gateway: GatewayDouble, seed: int) -> None:
        self._gateway, self._accept, self._random = gateway, gateway.accept, random.Random(seed)
        self.is_reliable = False
        gateway.accept = self.accept  # type: ignore[method-assign]

    def accept(self, headers: dict[str, str], request: JSON) -> Reply:
        choice = 19 if self.is_reliable else self._random.randrange(20)
        if choice == 0:
            return 500, problem("internal", 500)
        if choice == 1:
            return 429, problem("rate-limited", 429)
        if choice == 2:
            return 503, "no JSON object"
        status, answer = self._accept(headers, request)
        if choice == 3:
            return 504, "accepted, and the answer was lost"
        if choice == 4 and status == 200:
            return 200, {"receipts": [one | {"signature": "00" * 64} for one in answer["receipts"]]}
        return status, answer


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("is_kept", [False, True])
def test_no_payment_is_lost_or_made_twice(
    gateway: GatewayDouble, world: World, tmp_path: Path, seed: int, is_kept: bool
) -> None:
    unreliable = Unreliable(gateway, seed)
    receipts, unknown, lock = list[Receipt](), list[str](), threading.Lock()
    state = tmp_path / "state" if is_kept else None

    def pay(caller: int) -> None:
        for number in range(12):
            request = sha256(f"{caller}-{number}")
            try:
                receipt = payer.generate(0, 1 + number % 3, request, sha256("output"))
            except MotifError as error:
                with lock:
                    unknown.append(request if not error.is_definite else "")
            else:
                assert receipt.request_digest == request
                with lock:
                    receipts.append(receipt)

    with Payer.open(
        world.channel, world.voucher, gateway=gateway.url, account=world.account, patience=0, state=state
    ) as payer:
        with ThreadPoolExecutor(8) as threads:
            for future in [threads.submit(pay, caller) for caller in range(8)]:
                future.result(30)
        unreliable.is_reliable = True
        while payer.is_unanswered:
            payer.resume()
        assert (payer.spent, payer.cumulative) == (gateway.cumulative, gateway.cumulative)
        if is_kept:
            assert sum(kept.receipt.units for kept in payer.receipts()) == gateway.units
    paid = [one["request_digest"] for one in gateway.paid]
    assert len(paid) == len(set(paid))
    assert {receipt.request_digest for receipt in receipts} <= set(paid)
    # What was paid for and has no receipt was reported as unknown.
    assert set(paid) - {receipt.request_digest for receipt in receipts} <= set(unknown)
    assert receipts
    assert len(receipts) + len(unknown) == 8 * 12
