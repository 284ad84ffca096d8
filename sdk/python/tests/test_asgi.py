"""The ASGI middleware before a gateway: what it holds, stores, charges, and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from localnet import Localnet

from motif_sdk import AsyncMotifTransport, AsyncPayer, Payer
from motif_sdk.asgi import MotifPaywall, PaidRoute, read_header, write_header
from motif_sdk.chain import Chain
from motif_sdk.errors import Refused

JSON = dict[str, Any]
TARGET = "http://shop.example/images/7?size=1"


def application(localnet: Localnet, folder: Path, calls: list[JSON]) -> FastAPI:
    app = FastAPI()
    route = PaidRoute("POST", "/images/{name}", localnet.model, units="x-units", most_units=4, max_request_bytes=1_000)
    app.add_middleware(MotifPaywall, gateway=localnet.gateway_url, routes=[route], folder=folder)

    @app.post("/images/{name}")
    async def images(name: str, wanted: dict[str, Any]) -> Response:
        calls.append(wanted)
        if "status" in wanted:
            return Response(b"no", status_code=wanted["status"])
        if "raises" in wanted:
            raise RuntimeError("secret cause")
        await asyncio.sleep(wanted.get("seconds", 0))
        headers = {} if wanted.get("silent") else {"X-Units": str(wanted.get("count", 1))}
        return Response(f"picture {name} {len(calls)}".encode(), media_type="image/png", headers=headers)

    @app.get("/free")
    def free() -> str:
        return "free"

    return app


@pytest.fixture(scope="module")
def channel(localnet: Localnet) -> str:
    chain = Chain(localnet.key("seller-test"), localnet.rpc)
    voucher = localnet.voucher("seller-test").address
    opened = chain.open_channel(localnet.operator, localnet.mint, 2_000_000, voucher)
    chain.accept(opened, localnet.model, max_price=1_000)
    return opened


@pytest.fixture
def calls() -> list[JSON]:
    return []


@pytest.fixture
def app(localnet: Localnet, tmp_path: Path, calls: list[JSON]) -> Iterator[FastAPI]:
    yield application(localnet, tmp_path / "answers", calls)


async def open_payer(localnet: Localnet, channel: str) -> AsyncPayer:
    return await AsyncPayer.open(
        channel, localnet.voucher("seller-test"), gateway=localnet.gateway_url, rpc=localnet.rpc, patience=2
    )


def buyer(payer: AsyncPayer, app: Any, **options: Any) -> httpx.AsyncClient:
    inner = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=AsyncMotifTransport(payer, transport=inner, **options))


async def test_answer_is_sold_for_its_units(localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        before = payer.cumulative
        answer = await client.post(TARGET, json={"count": 3})
        assert (answer.status_code, answer.content) == (200, b"picture 7 1")
        (receipt,) = answer.extensions["motif_receipts"]
        assert (receipt.units, receipt.amount, payer.cumulative - before) == (3, 3_000, 3_060)
        assert "x-units" not in answer.headers
        # What the gateway has metered is what the buyer has paid.
        assert int((await payer.state())["cumulative"]) == payer.cumulative
        assert len(calls) == 1


async def test_unpaid_request_gets_price(localnet: Localnet, app: FastAPI, calls: list[JSON]) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.post(TARGET, json={})
        assert answer.status_code == 402
        tag = read_header(answer.headers["motif-payment-required"])["price-tag"]
        assert (tag["operator"], tag["fixed_units"], tag["most_units"]) == (localnet.operator, None, 4)
        assert (tag["quote"]["work"], tag["quote"]["price"]) == (localnet.model, "1000")
        assert answer.json()["type"] == "payment-required"
        assert (await client.get("http://shop.example/free")).json() == "free"
    assert calls == []


async def test_refused_request_is_free_and_released(localnet: Localnet, channel: str, app: FastAPI) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        before = (await payer.state())["available"]
        assert (await client.post(TARGET, json={"status": 422})).status_code == 422
        for wanted, slug in [
            ({"status": 500}, "upstream-failed"),
            ({"raises": True}, "upstream-failed"),
            ({"silent": True}, "units-missing"),
            ({"count": 5}, "units-above-held"),
        ]:
            with pytest.raises(Refused) as caught:
                await client.post(TARGET, json=wanted)
            assert (caught.value.type, "secret" in str(caught.value)) == (slug, False)
        assert (await payer.state())["available"] == before
        assert payer.spent == 0


async def test_answer_survives_restart_before_payment(
    localnet: Localnet, channel: str, tmp_path: Path, calls: list[JSON]
) -> None:
    """The seller restarts between the payment and the delivery: the answer is delivered, and paid once."""
    first = application(localnet, tmp_path / "answers", calls)
    second = application(localnet, tmp_path / "answers", calls)
    asked = list[str]()

    async def restarting(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        payment = headers.get(b"motif-payment")
        has_paid = payment is not None and "answer" in read_header(payment.decode())
        asked.append("pay" if has_paid else "ask")
        await (second if has_paid else first)(scope, receive, send)

    async with await open_payer(localnet, channel) as payer, buyer(payer, restarting) as client:
        before = payer.cumulative
        answer = await client.post(TARGET, json={"count": 1})
        assert (answer.content, payer.cumulative - before) == (b"picture 7 1", 1_020)
    assert (asked, len(calls)) == (["ask", "ask", "pay"], 1)


async def test_repeated_key_gets_same_answer_and_pays_once(
    localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]
) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        headers = {"idempotency-key": "a-key-of-the-buyer"}
        first = await client.post(TARGET, json={"count": 2}, headers=headers)
        before = payer.cumulative
        await asyncio.sleep(1.1)  # the time of the hold is part of what its name stands for
        again = await client.post(TARGET, json={"count": 2}, headers=headers)
        assert (again.content, payer.cumulative, len(calls)) == (first.content, before, 1)
        with pytest.raises(Refused) as caught:
            await client.post(TARGET, json={"count": 3}, headers=headers)
        assert caught.value.type == "idempotency-key-reused"


async def test_concurrent_buyers_get_own_answers(
    localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]
) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        before = payer.cumulative
        urls = [f"http://shop.example/images/{number}" for number in range(16)]
        answers = await asyncio.gather(*(client.post(url, json={"seconds": 0.05}) for url in urls))
        for number, answer in enumerate(answers):
            assert answer.content.startswith(f"picture {number} ".encode())
        assert (payer.cumulative - before, len(calls)) == (16 * 1_020, 16)


@pytest.mark.parametrize("payment", ["", "e30", "not base64", write_header({"channel": "x", "license": 0, "units": 1})])
async def test_malformed_payment_is_refused(app: FastAPI, calls: list[JSON], payment: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.post(TARGET, json={}, headers={"motif-payment": payment})
        assert (answer.status_code, answer.json()["type"]) == (400, "payment-malformed")
    assert calls == []


async def test_forged_proof_is_refused(localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]) -> None:
    proof = {"signer": localnet.addresses["platform"], "issued_at": 1, "signature": "00" * 64}
    ask: JSON = {"channel": channel, "license": 0, "units": 4, "expires_at": 2_000_000_000, "proof": proof}
    headers = {"motif-payment": write_header(ask), "idempotency-key": "12345678"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        answer = await client.post(TARGET, json={}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "not-by-payer")
    assert calls == []


async def test_other_license_and_units_are_refused(
    localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]
) -> None:
    proof = {"signer": localnet.addresses["platform"], "issued_at": 1, "signature": "00" * 64}
    ask: JSON = {"channel": channel, "license": 0, "units": 4, "expires_at": 2_000_000_000, "proof": proof}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        for change, slug in [
            ({"license": 9}, "other-license"),
            ({"units": 0}, "hold-units"),
            ({"units": 5}, "hold-units"),
        ]:
            headers = {"motif-payment": write_header(ask | change), "idempotency-key": "12345678"}
            answer = await client.post(TARGET, json={}, headers=headers)
            assert answer.json()["type"] == slug
    assert calls == []


async def test_stolen_name_of_answer_buys_nothing(localnet: Localnet, channel: str, app: FastAPI) -> None:
    """The voucher of another payment does not deliver an answer."""
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        await client.post(TARGET, json={"count": 1})
        voucher = (await payer.state())["open"]["voucher"]
        key = {"idempotency-key": "unpaid-answer-1"}
        with pytest.raises(Refused) as caught:
            # The price limit is reached after the answer is made: it stays unpaid.
            async with buyer(payer, app) as other:
                await other.post(TARGET, json={"status": 500}, headers=key)
        assert caught.value.type == "upstream-failed"
        paying = write_header({"channel": channel, "answer": "11" * 32, "voucher": voucher})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as plain:
            answer = await plain.post(TARGET, headers={"motif-payment": paying})
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown-answer")


async def test_body_above_limit_is_refused(localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        with pytest.raises(Refused) as caught:
            await client.post(TARGET, json={"prompt": "x" * 2_000})
        assert caught.value.type == "body-too-large"
    assert calls == []


def test_payer_is_refused_by_other_client(localnet: Localnet, channel: str) -> None:
    with Payer.open(channel, localnet.voucher("seller-test"), gateway=localnet.gateway_url, rpc=localnet.rpc) as payer:
        assert payer.license_for(localnet.model).price == 1_000
