"""Everything against `motif localnet` and a real gateway, paywall and stock clients; amounts are asserted on chain."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from localnet import ASSETS, Localnet
from model_server import picture
from world import content_of

from motif_sdk import (
    AsyncMotifTransport,
    AsyncPayer,
    GatewayClient,
    Keypair,
    MotifAuth,
    MotifTransport,
    Payer,
    Policy,
    examine,
    sha256,
    verify_proof,
)
from motif_sdk.chain import Chain, Parent
from motif_sdk.errors import MotifError, ReceiptInvalid, Refused

JSON = dict[str, Any]
EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def channel(localnet: Localnet) -> str:
    return open_channel(localnet, "platform")


def open_channel(localnet: Localnet, name: str) -> str:
    chain = Chain(localnet.key(name), localnet.rpc)
    opened = chain.open_channel(localnet.operator, localnet.mint, 5_000_000, localnet.voucher(name).address)
    assert chain.accept(opened, localnet.model, max_price=1_000).license == 0
    return opened


def open_payer(localnet: Localnet, channel: str, name: str = "platform", **options: Any) -> Payer:
    return Payer.open(channel, localnet.voucher(name), gateway=localnet.gateway_url, rpc=localnet.rpc, **options)


def test_walkthrough_of_readme_pays_every_recipient(localnet: Localnet, tmp_path: Path) -> None:
    """The README's walkthrough in Python: register, license, generate, close, verify, claim."""
    mint = localnet.mint
    keys = {name: Keypair.from_file(localnet.key(name)) for name in ("walk-ines", "walk-kofi", "walk-platform")}
    ines, kofi, platform = (Chain(key, localnet.rpc) for key in keys.values())
    split = {keys["walk-ines"].address: 5_000, keys["walk-kofi"].address: 5_000}
    photograph = picture("a photograph of the walkthrough", side=64)
    image = ines.register_work(photograph, "image", split=split)
    style: JSON = {"uses": [{"use": "style-transfer", "unit": "generation", "price": "2000"}]}
    ines.publish_terms(image, style | {"derivatives": "allowed", "derivative_share_bps": 2_000}, mint)
    model: JSON = {"base_model": "stable-diffusion-xl", "training_root": "00" * 32, "likeness": False}
    work = kofi.register_work(
        content_of(b"a style model of the walkthrough"), "style-model", parents=[Parent(image, 2_000)], model=model
    )
    kofi.publish_terms(work, {"uses": [{"use": "generate", "unit": "generation", "price": "1000"}]}, mint)
    before = {name: platform.balance(key.address, mint) for name, key in keys.items()}
    voucher = Keypair.generate()
    channel = platform.open_channel(localnet.operator, mint, 5_000_000, voucher.address)
    license = platform.accept(channel, work, max_price=1_000).license
    with Payer.open(
        channel, voucher, gateway=localnet.gateway_url, rpc=localnet.rpc, state=tmp_path / "state"
    ) as payer:
        with ThreadPoolExecutor(8) as threads:
            pay = [
                threads.submit(payer.generate, license, 1, sha256("New York"), sha256(str(one))) for one in range(100)
            ]
        receipts = [one.result() for one in pay]
        assert payer.spent == 100 * 1_000 + 100 * 20
        platform.request_close(channel)
        assert len(payer.close_channel()["settlements"]) == 1
    assert platform.withdraw(channel) == 5_000_000 - 102_000
    account = platform.cluster.account(channel)
    assert account is not None
    operator_keys = platform.receipt_keys(localnet.operator)
    with GatewayClient(localnet.gateway_url) as gateway:
        for receipt in receipts:
            proof = gateway.proof(receipt.digest)
            verify_proof(proof, channel, account.data, operator_keys)
            proof["receipt"]["amount"] = "999"
            with pytest.raises(ReceiptInvalid):
                verify_proof(proof, channel, account.data, operator_keys)
    assert kofi.collect(channel) == 100_000
    kofi.pull(work, mint)
    ines.claim(image, mint)
    ines.claim(work, mint)
    after = {name: platform.balance(key.address, mint) - before[name] for name, key in keys.items()}
    # $0.01 each for the photograph, $0.08 for the model.
    assert after == {"walk-ines": 10_000, "walk-kofi": 90_000, "walk-platform": -102_000}


def test_registered_file_is_found_without_upload(localnet: Localnet) -> None:
    content = examine(ASSETS / "coffee.jpg")
    assert (content.media, content.media_type) == ("image", "image/jpeg")
    with GatewayClient(localnet.gateway_url) as gateway:
        assert [work["work"] for work in gateway.authenticate(content)["exact"]] == [localnet.image]
        assert gateway.quote(localnet.model)["price"] == "1000"
        assert gateway.operator()["operator"] == localnet.operator


@pytest.mark.parametrize(("path", "units"), [("/pictures", 1), ("/images", 3)])
def test_transport_buys_fixed_and_measured_units(localnet: Localnet, channel: str, path: str, units: int) -> None:
    with open_payer(localnet, channel) as payer:
        for buyer in (
            httpx.Client(transport=MotifTransport(payer, max_price=5_000)),
            httpx.Client(auth=MotifAuth(payer, max_price=5_000)),
        ):
            before = payer.cumulative
            with buyer as client:
                answer = client.post(localnet.paywall_url + path, json={"prompt": "New York", "count": units})
            assert (answer.status_code, answer.content) == (200, picture("New York"))
            assert payer.cumulative - before == units * 1_020
        assert int(payer.state()["cumulative"]) == payer.cumulative


async def test_async_transport_buys_many_at_once(localnet: Localnet, channel: str) -> None:
    opening = AsyncPayer.open(channel, localnet.voucher("platform"), gateway=localnet.gateway_url, rpc=localnet.rpc)
    async with (
        await opening as payer,
        httpx.AsyncClient(transport=AsyncMotifTransport(payer, max_price=100_000), timeout=60) as client,
    ):
        before = payer.cumulative
        wanted = [{"prompt": f"Boston {number}"} for number in range(12)]
        url = localnet.paywall_url + "/images"
        answers = await asyncio.gather(*(client.post(url, json=one) for one in wanted))
        assert [answer.content for answer in answers] == [picture(one["prompt"]) for one in wanted]
        assert payer.cumulative - before == 12 * 1_020
    async with (
        await AsyncPayer.open(
            channel, localnet.voucher("platform"), gateway=localnet.gateway_url, rpc=localnet.rpc
        ) as payer,
        httpx.AsyncClient(auth=MotifAuth(payer, max_price=100_000)) as client,
    ):
        answer = await client.post(url, json={"prompt": "auth"})
        assert (answer.content, payer.spent) == (picture("auth"), 1_020)


def test_stream_is_bought_part_by_part(localnet: Localnet, channel: str) -> None:
    with (
        open_payer(localnet, channel) as payer,
        httpx.Client(transport=MotifTransport(payer, max_price=100_000), timeout=60) as client,
    ):
        with client.stream("POST", localnet.paywall_url + "/stories", json={"prompt": "once", "lines": 25}) as answer:
            text = answer.read().decode()
        assert text == "".join(f"once-{number}\n" for number in range(25))
        assert answer.headers["content-type"] == "text/plain"
        # Each started ten lines are a unit.
        assert [receipt.units for receipt in answer.extensions["motif_receipts"]] == [1, 1, 1]
        assert payer.spent == 3_060


def test_refusal_of_model_server_is_free(localnet: Localnet, channel: str) -> None:
    with (
        open_payer(localnet, channel) as payer,
        httpx.Client(transport=MotifTransport(payer, max_price=100_000)) as client,
    ):
        answer = client.post(localnet.paywall_url + "/images", json={"prompt": "x", "fail": True})
        assert (answer.status_code, answer.text, payer.spent) == (422, "this prompt is too odd", 0)
        assert client.get(localnet.paywall_url + "/health").text == "well"


def test_requests_adapter_buys_answers_and_streams(localnet: Localnet, channel: str) -> None:
    requests = pytest.importorskip("requests")
    from motif_sdk.requests_adapter import MotifAdapter

    with open_payer(localnet, channel) as payer, requests.Session() as session:
        session.mount("http://", MotifAdapter(payer, max_price=10_000))
        answer = session.post(localnet.paywall_url + "/images", json={"prompt": "New York", "count": 2}, timeout=60)
        assert (answer.status_code, answer.content) == (200, picture("New York"))
        assert [receipt.units for receipt in answer.motif_receipts] == [2]
        url = localnet.paywall_url + "/stories"
        with session.post(url, json={"prompt": "once", "lines": 12}, stream=True, timeout=60) as stream:
            assert [line.decode() for line in stream.iter_lines()] == [f"once-{number}" for number in range(12)]
        assert payer.spent == 4 * 1_020
        refused = session.post(localnet.paywall_url + "/images", json={"prompt": "x", "fail": True}, timeout=60)
        assert (refused.status_code, refused.text) == (422, "this prompt is too odd")


def test_stock_openai_client_streams(localnet: Localnet, channel: str) -> None:
    openai = pytest.importorskip("openai")
    with open_payer(localnet, channel) as payer:
        http_client = httpx.Client(transport=MotifTransport(payer, max_price=100_000))
        url = localnet.paywall_url + "/v1"
        with openai.OpenAI(base_url=url, api_key="none", http_client=http_client) as client:
            messages = [{"role": "user", "content": "same style York New"}]
            stream = client.chat.completions.create(model="style", messages=messages, stream=True)
            deltas = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
            assert "".join(deltas).split() == ["New", "York", "style", "same"]
            # Four words, the end of the text, and `[DONE]`.
            assert payer.spent == 6 * 1_020
            whole = client.chat.completions.create(model="style", messages=messages)
            assert whole.choices[0].message.content == "New York style same"


def test_holds_are_captured_and_released(localnet: Localnet, channel: str) -> None:
    with open_payer(localnet, channel) as payer:
        most = payer.available // 1_020
        with payer.hold(0, most, sha256("New York")) as hold:
            with pytest.raises(Refused, match="underfunded"):
                payer.generate(0, 2, sha256("a"), sha256("b"))
            assert hold.capture(sha256(b"a picture"), units=3).units == 3
        assert payer.spent == 3_060
        with pytest.raises(ZeroDivisionError), payer.hold(0, 4, sha256("New York")) as hold:
            raise ZeroDivisionError
        hold.release()
        with pytest.raises(Refused, match="hold"):
            hold.capture(sha256(b"a picture"))
        assert payer.spent == 3_060


def test_settlements_during_payments_lose_nothing(localnet: Localnet) -> None:
    """The gateway closes statements while threads pay; the chain's total is that of the receipts."""
    channel = open_channel(localnet, "settled")
    with open_payer(localnet, channel, "settled") as payer, ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(payer.generate, 0, 1, sha256(str(one)), sha256("b")) for one in range(120)]
        statements = 0
        while not all(future.done() for future in futures):
            try:
                statements += len(payer.settle())
            except Refused as error:
                assert error.type in ("nothing-to-settle", "rate-limited")
        receipts = [future.result() for future in futures]
        assert len({(receipt.statement, receipt.position) for receipt in receipts}) == 120
        assert payer.spent == sum(receipt.amount for receipt in receipts) * 102 // 100 == 122_400
        while int(Chain(localnet.key("settled"), localnet.rpc).channel(channel)["channel"]["cumulative"]) < 122_400:
            payer.settle()
        payer.refresh()
        assert payer.generate(0, 1, sha256("a"), sha256("b")).cumulative == 123_420


def test_new_license_is_found_after_refresh(localnet: Localnet, channel: str) -> None:
    with open_payer(localnet, channel) as payer:
        Chain(localnet.key("platform"), localnet.rpc).accept(
            channel, localnet.image, use="style-transfer", max_price=2_000
        )
        payer.refresh()
        license = payer.license_for(localnet.image, "style-transfer")
        receipt = payer.generate(license.index, 1, sha256("a"), sha256("b"))
        assert (license.price, receipt.amount, receipt.work) == (2_000, 2_000, localnet.image)


def test_budget_holds_across_processes(localnet: Localnet, channel: str, tmp_path: Path) -> None:
    options: JSON = {"state": tmp_path / "state", "policy": Policy(budget=2_040)}
    for _ in range(2):
        with open_payer(localnet, channel, **options) as payer:
            payer.generate(0, 1, sha256("a"), sha256("b"))
    with open_payer(localnet, channel, **options) as payer, pytest.raises(MotifError, match="above the budget of 2040"):
        payer.generate(0, 1, sha256("a"), sha256("b"))


def environment(localnet: Localnet, channel: str, tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "MOTIF_GATEWAY_URL": localnet.gateway_url,
        "MOTIF_RPC_URL": localnet.rpc,
        "MOTIF_CHANNEL": channel,
        "MOTIF_KEYPAIR": str(localnet.key("platform-voucher")),
        "MOTIF_WORK": localnet.model,
        "MOTIF_ANSWERS": str(tmp_path / "answers"),
    }


def run_example(name: str, *arguments: str, cwd: Path, env: dict[str, str]) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_example_buyer_buys_from_example_seller(localnet: Localnet, channel: str, tmp_path: Path) -> None:
    env = environment(localnet, channel, tmp_path)
    command = [sys.executable, "-m", "uvicorn", "sell_images:app", "--port", "0", "--app-dir", str(EXAMPLES)]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as seller:
        try:
            assert seller.stderr is not None
            url = next(line.split()[-5] for line in seller.stderr if "running on" in line)
            printed = run_example("buy_images.py", f"{url}/images", "New York, same style", cwd=tmp_path, env=env)
            assert "2 units for 2000 base units" in printed
            file = (tmp_path / "picture.png").read_bytes()
            assert file.startswith(b"\x89PNG")
            with GatewayClient(localnet.gateway_url) as gateway:
                (found,) = gateway.authenticate(file)["receipts"]
            assert found["receipt"]["output_digest"] == hashlib.sha256(file).hexdigest()
            assert httpx.get(f"{url}/health").json() == "well"
        finally:
            seller.terminate()


def test_example_streams_chat(localnet: Localnet, channel: str, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    env = environment(localnet, channel, tmp_path)
    printed = run_example("buy_chat.py", localnet.paywall_url + "/v1", "style same York New", cwd=tmp_path, env=env)
    assert printed.splitlines() == ["New York same style ", "paid 6120 base units"]
