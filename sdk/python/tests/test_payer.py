"""Payers of threads and of asyncio: batches, budgets, holds, and the state file."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gateway_double import GatewayDouble, Reply, problem
from world import World

from motif_sdk import AsyncPayer, CallableSigner, Generation, Keypair, Payer, Policy, Receipt, ReceiptKey, sha256
from motif_sdk.errors import (
    InvalidInput,
    LicenseNotFound,
    OutcomeUnknown,
    OverBudget,
    PriceTooHigh,
    ReceiptInvalid,
    Refused,
    SignerFailed,
    StateFailed,
    StateInvalid,
    StateLocked,
    Unreachable,
    Untrusted,
)

JSON = dict[str, Any]
REQUEST, OUTPUT = sha256("New York, same style"), sha256(b"a picture")


def open_payer(gateway: GatewayDouble, world: World, **options: Any) -> Payer:
    options = {"patience": 0, **options}
    return Payer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account, **options)


def test_receipt_is_typed_and_verified(gateway: GatewayDouble, world: World) -> None:
    with open_payer(gateway, world) as payer:
        receipt = payer.generate(world.accepted.license, 3, REQUEST, OUTPUT)
        assert (receipt.units, receipt.amount, receipt.cumulative) == (3, 300, 306)
        assert (receipt.work, receipt.request_digest, receipt.output_digest) == (world.work, REQUEST, OUTPUT)
        receipt.verify([ReceiptKey(world.operator.address)])
        with pytest.raises(ReceiptInvalid):
            receipt.verify([ReceiptKey(world.voucher.address)])
        with pytest.raises(ReceiptInvalid):
            Receipt.from_parts(receipt.parts | {"amount": "299"}).verify([ReceiptKey(world.operator.address)])
        assert (payer.spent, payer.cumulative, payer.available) == (306, 306, world.deposit - 306)
        license = payer.license_for(world.work)
        assert (license.index, license.price, license.unit, license.use) == (0, 100, "generation", "generate")
        with pytest.raises(LicenseNotFound):
            payer.license_for(world.work, "train")


def test_batch_is_paid_all_or_none(gateway: GatewayDouble, world: World) -> None:
    with open_payer(gateway, world) as payer:
        receipts = payer.generate_batch([Generation(0, units, REQUEST, OUTPUT) for units in (1, 2)])
        assert [receipt.units for receipt in receipts] == [1, 2]
        with pytest.raises(LicenseNotFound):
            payer.generate_batch([Generation(0, 1, REQUEST, OUTPUT), Generation(7, 1, REQUEST, OUTPUT)])
        assert len(gateway.batches) == 1


def held_answer(gateway: GatewayDouble, started: threading.Event, release: threading.Event) -> None:
    """Has the gateway answer the first batch once `release` is set."""

    def answer(request: JSON) -> Reply:
        started.set()
        release.wait(10)
        return 200, {"receipts": [gateway.receipt(request)]}

    accept = gateway.accept

    def slow(headers: dict[str, str], request: JSON) -> Reply:
        started.set()
        release.wait(10)
        return accept(headers, request)

    gateway.accept = slow  # type: ignore[method-assign]


def test_threads_gather_on_one_voucher(gateway: GatewayDouble, world: World) -> None:
    started, release = threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    with open_payer(gateway, world) as payer, ThreadPoolExecutor(33) as threads:
        first = threads.submit(payer.generate, 0, 1, REQUEST, OUTPUT)
        assert started.wait(5)
        others = [threads.submit(payer.generate, 0, 1, sha256(str(number)), OUTPUT) for number in range(32)]
        while len(payer.engine._inbox.payments) < 32:
            time.sleep(0.002)
        release.set()
        receipts = [future.result(10) for future in others]
        first.result(10)
        assert [receipt.request_digest for receipt in receipts] == [sha256(str(number)) for number in range(32)]
        assert payer.spent == 33 * 102
    assert [len(batch["generations"]) for batch in gateway.batches] == [1, 32]
    assert len({batch["voucher"]["signature"] for batch in gateway.batches}) == 2


async def test_tasks_gather_on_one_voucher(gateway: GatewayDouble, world: World) -> None:
    started, release = threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    async with await AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account) as payer:
        first = asyncio.create_task(payer.generate(0, 1, REQUEST, OUTPUT))
        await asyncio.to_thread(started.wait, 5)
        others = [asyncio.create_task(payer.generate(0, 1, sha256(str(one)), OUTPUT)) for one in range(32)]
        cancelled = asyncio.create_task(payer.generate(0, 1, REQUEST, OUTPUT))
        await asyncio.sleep(0.01)
        cancelled.cancel()
        release.set()
        receipts = await asyncio.gather(first, *others)
        assert len(receipts) == 33
        # A caller that stops waiting before its payment is signed pays nothing.
        assert (payer.spent, len(gateway.batches)) == (33 * 102, 2)


async def test_cancelled_task_leaves_payment_in_state(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    started, release = threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    opening = AsyncPayer.open(
        world.channel, world.voucher, gateway=gateway.url, account=world.account, state=state_path
    )
    async with await opening as payer:
        paying = asyncio.create_task(payer.generate(0, 1, REQUEST, OUTPUT))
        await asyncio.to_thread(started.wait, 5)
        paying.cancel()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await paying
        await payer.generate(0, 1, REQUEST, OUTPUT)
        assert [kept.receipt.cumulative for kept in payer.receipts()] == [102, 204]


def test_refused_payment_fails_alone(gateway: GatewayDouble, world: World) -> None:
    started, release = threading.Event(), threading.Event()
    held_answer(gateway, started, release)
    with open_payer(gateway, world) as payer, ThreadPoolExecutor(4) as threads:
        first = threads.submit(payer.generate, 0, 1, REQUEST, OUTPUT)
        assert started.wait(5)
        futures = [threads.submit(payer.generate, 0, 1, sha256(str(number)), OUTPUT) for number in range(3)]
        while len(payer.engine._inbox.payments) < 3:
            time.sleep(0.002)
        item = {"item": 1, "type": "daily-cap", "detail": "no more today"}
        gateway.answers.append(lambda _: (409, problem("batch-items", items=[item])))
        release.set()
        first.result(10)
        results = [future.exception(10) for future in futures]
        assert [type(result) for result in results].count(Refused) == 1
        refused = next(result for result in results if isinstance(result, Refused))
        assert (refused.type, refused.is_definite) == ("daily-cap", True)
        assert payer.spent == 3 * 102


def test_budgets_stop_before_signature(gateway: GatewayDouble, world: World) -> None:
    policy = Policy(budget=500, tag_budgets_per_day={"ines": 204})
    with open_payer(gateway, world, policy=policy) as payer:
        tagged = payer.tagged("ines")
        tagged.generate(0, 2, REQUEST, OUTPUT)
        with pytest.raises(OverBudget) as caught:
            tagged.generate(0, 1, REQUEST, OUTPUT)
        assert (caught.value.total, caught.value.budget) == (306, 204)
        payer.generate(0, 2, REQUEST, OUTPUT)
        with pytest.raises(OverBudget):
            payer.generate(0, 1, REQUEST, OUTPUT)
        day = int(time.time()) // 86_400
        assert (payer.spent_on(day, "ines"), payer.spent_on(day)) == (204, 408)
    assert len(gateway.batches) == 2


def test_maximum_unit_price_stops_before_signature(gateway: GatewayDouble, world: World) -> None:
    with open_payer(gateway, world, policy=Policy(max_unit_price=99)) as payer:
        with pytest.raises(PriceTooHigh) as caught:
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert (caught.value.price, caught.value.max_price) == (100, 99)
    assert gateway.batches == []


@pytest.mark.parametrize(
    "arguments", [(-1, 1), (65_536, 1), (0, -1), (0, 1 << 32), (0, True), (0, 1.0)], ids=lambda one: f"{one}"
)
def test_invalid_number_is_refused(gateway: GatewayDouble, world: World, arguments: Any) -> None:
    with open_payer(gateway, world) as payer, pytest.raises(InvalidInput, match="expected an integer"):
        payer.generate(*arguments, REQUEST, OUTPUT)


@pytest.mark.parametrize("digest", ["", "zz" * 32, b"short", "11" * 31])
def test_invalid_digest_is_refused(gateway: GatewayDouble, world: World, digest: Any) -> None:
    with open_payer(gateway, world) as payer, pytest.raises(InvalidInput, match="expected 32 bytes"):
        payer.generate(0, 1, digest, OUTPUT)


def test_hold_is_released_on_exception(gateway: GatewayDouble, world: World) -> None:
    released = list[str]()

    def releases(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        if path.endswith("/release"):
            released.append(path)
            return 200, {"content-type": "application/json"}, b"{}"
        return None

    gateway.others = releases
    with open_payer(gateway, world) as payer:
        with pytest.raises(ZeroDivisionError), payer.hold(0, 4, REQUEST) as hold:
            raise ZeroDivisionError
        assert released == [f"/v1/holds/{hold.held.hold}/release"]
        with payer.hold(0, 4, REQUEST) as hold:
            receipt = hold.capture(OUTPUT, units=3)
        assert (receipt.units, receipt.request_digest, len(released)) == (3, REQUEST, 1)
        assert gateway.batches[0]["generations"][0]["captures"] == {"hold": hold.held.hold}
        assert payer.spent == 306


async def test_async_hold_is_captured(gateway: GatewayDouble, world: World) -> None:
    async with await AsyncPayer.open(world.channel, world.voucher, gateway=gateway.url, account=world.account) as payer:
        async with payer.hold(0, 4, REQUEST) as hold:
            receipt = await hold.capture(OUTPUT)
        assert receipt.units == 4
        assert (await payer.hold(0, 1, REQUEST)).held.units == 1


def test_hold_of_another_request_is_untrusted(gateway: GatewayDouble, world: World) -> None:
    facts = {"hold": "11" * 32, "channel": world.channel, "license": 0, "units": 1, "request_digest": REQUEST}
    facts |= {"expires_at": 1, "state": "open"}
    gateway.others = lambda method, path, *_: (200, {}, json.dumps(facts).encode()) if "/holds" in path else None
    with open_payer(gateway, world) as payer, pytest.raises(Untrusted):
        payer.hold(0, 1, REQUEST)


def test_unreachable_gateway_keeps_payment(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    payer = open_payer(gateway, world, state=state_path)
    gateway.answers.append(lambda _: (500, "broken"))
    with pytest.raises(Untrusted):
        payer.generate(0, 1, REQUEST, OUTPUT)
    payer.close()
    # The next process repeats the same bytes before anything else.
    with open_payer(gateway, world, state=state_path) as again:
        assert (again.spent, again.is_unanswered) == (102, False)
        assert [kept.charged for kept in again.receipts()] == [102]
        again.forget_receipts(1)
        assert again.receipts() == []
    assert gateway.batches[0] == gateway.batches[1]


def test_lost_answer_is_repeated_within_patience(gateway: GatewayDouble, world: World) -> None:
    with open_payer(gateway, world, patience=5) as payer:
        gateway.answers.append(lambda _: (429, problem("rate-limited", 429)))
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 102
    assert gateway.batches[0] == gateway.batches[1]


def test_gateway_without_answer_is_unreachable(gateway: GatewayDouble, world: World) -> None:
    payer = open_payer(gateway, world)
    gateway.is_silent = True
    with pytest.raises(Unreachable) as caught:
        payer.generate(0, 1, REQUEST, OUTPUT)
    assert (caught.value.is_definite, payer.is_unanswered, payer.spent) == (False, True, 0)
    gateway.is_silent = False
    assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 204
    payer.close()


def test_failed_server_leaves_outcome_unknown(gateway: GatewayDouble, world: World) -> None:
    with open_payer(gateway, world) as payer:
        gateway.answers.append(lambda _: (500, problem("internal", 500)))
        with pytest.raises(OutcomeUnknown):
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 204


def test_failed_signer_signs_nothing(gateway: GatewayDouble, world: World) -> None:
    is_broken = False

    def sign(message: bytes) -> bytes:
        if is_broken:
            raise OSError("the secret is away")
        return world.voucher.sign(message)

    with open_payer(gateway, world) as payer:
        payer.engine.signer = CallableSigner(world.voucher.address, sign)
        is_broken = True
        with pytest.raises(SignerFailed) as caught:
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert "secret" not in str(caught.value)
        assert gateway.batches == []
        is_broken = False
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 102


async def test_asynchronous_signer_pays(gateway: GatewayDouble, world: World) -> None:
    async def sign(message: bytes) -> bytes:
        await asyncio.sleep(0.001)
        return world.voucher.sign(message)

    signer = CallableSigner(world.voucher.address, sign)
    async with await AsyncPayer.open(world.channel, signer, gateway=gateway.url, account=world.account) as payer:
        assert (await payer.generate(0, 1, REQUEST, OUTPUT)).cumulative == 102
    with pytest.raises(InvalidInput, match="AsyncPayer"):
        Payer.open(world.channel, signer, gateway=gateway.url, account=world.account)


def test_wrong_signature_is_refused_before_sending(gateway: GatewayDouble, world: World) -> None:
    other = Keypair.generate()
    signer = CallableSigner(world.voucher.address, other.sign)
    with pytest.raises(SignerFailed, match="another key"):
        Payer.open(world.channel, signer, gateway=gateway.url, account=world.account, patience=0)
    assert gateway.requests == []


def test_second_payer_of_state_is_refused(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    with open_payer(gateway, world, state=state_path):
        with pytest.raises(StateLocked) as caught:
            open_payer(gateway, world, state=state_path)
        assert caught.value.holder.startswith(f"process {os.getpid()} on ")
        assert stat.S_IMODE(state_path.stat().st_mode) == 0o600
    open_payer(gateway, world, state=state_path).close()


def test_damaged_state_is_refused(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    with open_payer(gateway, world, state=state_path) as payer:
        for _ in range(2):
            payer.generate(0, 1, REQUEST, OUTPUT)
    whole = state_path.read_bytes()
    middle = len(whole) // 2
    state_path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    with pytest.raises(StateInvalid):
        open_payer(gateway, world, state=state_path)
    # A last record that is not whole was not acted on.
    state_path.write_bytes(whole[:-1])
    open_payer(gateway, world, state=state_path).close()


def test_failed_disk_sends_nothing(
    gateway: GatewayDouble, world: World, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer = open_payer(gateway, world, state=state_path)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", fail)
    for _ in range(2):
        with pytest.raises(StateFailed, match="No space left"):
            payer.generate(0, 1, REQUEST, OUTPUT)
    assert gateway.batches == []
    monkeypatch.undo()
    payer.close()


def test_voucher_is_durable_before_it_is_sent(
    gateway: GatewayDouble, world: World, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, sync = list[str](), os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: (events.append("synced"), sync(handle))[1])
    accept = gateway.accept
    gateway.accept = lambda *arguments: (events.append("sent"), accept(*arguments))[1]  # type: ignore[method-assign]
    with open_payer(gateway, world, state=state_path) as payer:
        payer.generate(0, 1, REQUEST, OUTPUT)
    assert events == ["synced", "sent"]


def test_secrets_are_not_shown(world: World, tmp_path: Path) -> None:
    key = Keypair.generate()
    path = tmp_path / "key.json"
    key.save(path)
    secret = path.read_text()
    assert (repr(key), stat.S_IMODE(path.stat().st_mode)) == (f"Keypair({key.address})", 0o600)
    assert Keypair.from_file(path).address == key.address
    path.write_text(secret.replace("[", "[9999,"))
    with pytest.raises(InvalidInput) as caught:
        Keypair.from_file(path)
    assert not any(part in str(caught.value) for part in secret.strip("[]").split(", ") if len(part) > 2)
    with pytest.raises(InvalidInput, match="does not belong"):
        Keypair.from_seed(bytes(64))


def test_state_file_of_another_process_is_continued(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    """A process that ends at once after a payment leaves a state that the next one continues."""
    (state_path.parent / "account").write_bytes(world.account)
    world.voucher.save(state_path.parent / "key.json")
    code = f"""
import os
from pathlib import Path
from motif_sdk import Payer
folder = Path({str(state_path.parent)!r})
payer = Payer.open({world.channel!r}, folder / "key.json", gateway={gateway.url!r}, state={str(state_path)!r},
                   account=(folder / "account").read_bytes())
payer.generate(0, 1, "{REQUEST}", "{OUTPUT}")
os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=60)
    assert done.returncode == 9, done.stderr.decode()
    with open_payer(gateway, world, state=state_path) as payer:
        assert (payer.spent, [kept.charged for kept in payer.receipts()]) == (102, [102])


def test_closed_payer_pays_nothing(gateway: GatewayDouble, world: World) -> None:
    payer = open_payer(gateway, world)
    payer.close()
    with pytest.raises(InvalidInput, match="closed"):
        payer.generate(0, 1, REQUEST, OUTPUT)
    assert gateway.batches == []


def test_gateway_gets_lost_vouchers_again(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    with open_payer(gateway, world, state=state_path) as payer:
        for number in range(3):
            payer.generate(0, 1, sha256(str(number)), OUTPUT)
        # The gateway's disk is of before the last two.
        gateway.units, gateway.cumulative, gateway.receipts = 1, 102, 1
        gateway.voucher, gateway.paid = gateway.batches[0]["voucher"], gateway.paid[:1]
        payer.generate(0, 1, REQUEST, OUTPUT)
        assert (payer.spent, payer.cumulative, gateway.cumulative) == (4 * 102, 4 * 102, 4 * 102)
    assert [one["request_digest"] for one in gateway.paid] == [sha256(str(number)) for number in range(3)] + [REQUEST]


def test_total_never_signed_gets_no_signature(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    with open_payer(gateway, world, state=state_path) as payer:
        payer.generate(0, 2, REQUEST, OUTPUT)
        # The payer signed 204 at once, and never 102.
        gateway.units, gateway.cumulative, gateway.receipts = 1, 102, 1
        with pytest.raises(Refused):
            payer.generate(0, 1, REQUEST, OUTPUT)
        assert (payer.spent, payer.cumulative) == (204, 204)
    assert [batch["voucher"]["cumulative"] for batch in gateway.batches][:2] == ["204", "306"]
    assert max(int(batch["voucher"]["cumulative"]) for batch in gateway.batches) == 306


def test_state_behind_link_is_locked(gateway: GatewayDouble, world: World, state_path: Path) -> None:
    link = state_path.with_name("link")
    with open_payer(gateway, world, state=state_path) as payer:
        link.symlink_to(state_path)
        with pytest.raises(StateLocked):
            open_payer(gateway, world, state=link)
        assert payer.generate(0, 1, REQUEST, OUTPUT).cumulative == 102
    with open_payer(gateway, world, state=link) as again:
        assert again.spent == 102
    assert link.is_symlink()


@pytest.mark.parametrize("damage", ["half", "zeros", "bit", "html", "key"])
def test_file_without_record_is_kept(gateway: GatewayDouble, world: World, state_path: Path, damage: str) -> None:
    """A new payer would forget what was spent; another file would be lost."""
    with open_payer(gateway, world, state=state_path):
        pass
    whole = state_path.read_bytes()
    middle = len(whole) // 2
    content = {
        "half": whole[:middle],
        "zeros": bytes(len(whole)),
        "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "html": b"<html></html>",
        "key": json.dumps(list(range(64))).encode(),
    }[damage]
    state_path.write_bytes(content)
    with pytest.raises(StateInvalid):
        open_payer(gateway, world, state=state_path)
    assert state_path.read_bytes() == content
    state_path.write_bytes(b"")  # as a process left it that ended before its first record
    open_payer(gateway, world, state=state_path).close()


def test_full_disk_gives_lock_up(
    gateway: GatewayDouble, world: World, state_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payer = open_payer(gateway, world, state=state_path)

    class Full:
        """File whose buffer cannot be written, also when it is closed."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def fileno(self) -> int:
            return self._file.fileno()

        def write(self, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            self._file.close()
            raise OSError(28, "No space left on device")

    assert payer.engine.file is not None
    monkeypatch.setattr(payer.engine.file, "_file", Full(payer.engine.file._file))
    with pytest.raises(StateFailed):
        payer.generate(0, 1, REQUEST, OUTPUT)
    payer.close()
    monkeypatch.undo()
    with open_payer(gateway, world, state=state_path) as again:
        assert again.generate(0, 1, REQUEST, OUTPUT).cumulative == 102
