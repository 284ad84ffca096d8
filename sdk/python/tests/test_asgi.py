"""The ASGI middleware before a gateway: what it holds, stores, charges, and refuses."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from localnet import Localnet

from motif_sdk import AsyncMotifTransport, AsyncPayer, MotifAuth, Payer, _core
from motif_sdk._answers import Answers
from motif_sdk._holds import purchase_of
from motif_sdk._hosts import AsyncHost
from motif_sdk._purchase import Outgoing
from motif_sdk.asgi import MotifPaywall, PaidRoute, read_header, write_header
from motif_sdk.chain import Chain
from motif_sdk.errors import InvalidInput, Refused
from motif_sdk.transport import buyer_of

JSON = dict[str, Any]
TARGET = "http://shop.example/images/7?size=1"


def application(localnet: Localnet, folder: Path, calls: list[JSON], **options: Any) -> FastAPI:
    app, options = FastAPI(), {"gateway": localnet.gateway_url, **options}
    route = PaidRoute("POST", "/images/{name}", localnet.model, units="x-units", most_units=4, max_request_bytes=1_000)
    app.add_middleware(MotifPaywall, routes=[route], folder=folder, **options)

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
    inner, options = httpx.ASGITransport(app, raise_app_exceptions=False), {"max_price": 10_000, **options}
    return httpx.AsyncClient(transport=AsyncMotifTransport(payer, transport=inner, **options))


def plain(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False))


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


async def test_repeated_key_pays_once(localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]) -> None:
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


async def asked(payer: AsyncPayer, body: bytes, key: str) -> dict[str, str]:
    """Returns the headers of a request for an answer, which a client may then not pay for."""
    digest = _core.shared().call("request.digest", body, method="POST", target="/images/7?size=1")["digest"]
    purchase = purchase_of(0, {"at_most": 4}, digest, 400, key)
    request = Outgoing("POST", TARGET, "/images/7?size=1", (), body)
    buyer = buyer_of(payer, max_price=None)
    asking = await payer.engine.host.run(buyer.asking(request, purchase))
    return dict(asking.headers) | {"content-type": "application/json"}


async def test_other_voucher_does_not_deliver_answer(localnet: Localnet, channel: str, app: FastAPI) -> None:
    """The voucher of another payment does not deliver an unpaid answer."""
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client, plain(app) as thief:
        await client.post(TARGET, json={"count": 1})
        voucher = (await payer.state())["open"]["voucher"]
        due = await thief.post(TARGET, content=b"{}", headers=await asked(payer, b"{}", "unpaid-answer-1"))
        answer = read_header(due.headers["motif-payment-required"])["due"]["answer"]
        spent = int((await payer.state())["cumulative"])
        for name, status, slug in [(answer, 402, "payment-due"), ("11" * 32, 404, "unknown-answer")]:
            paying = write_header({"channel": channel, "answer": name, "voucher": voucher})
            stolen = await thief.post(TARGET, headers={"motif-payment": paying})
            assert (stolen.status_code, stolen.json()["type"]) == (status, slug)
            assert b"picture" not in stolen.content
        assert int((await payer.state())["cumulative"]) == spent


async def test_late_copy_of_request_runs_nothing(
    localnet: Localnet, channel: str, tmp_path: Path, calls: list[JSON], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that looked for the answer before it was made gets the one that was made."""
    app, find, slow = application(localnet, tmp_path / "answers", calls), Answers.find, [0.5]

    def late(answers: Answers, hold: str) -> Any:
        found = find(answers, hold)
        time.sleep(slow.pop(0) if slow else 0)
        return found

    monkeypatch.setattr(Answers, "find", late)
    async with await open_payer(localnet, channel) as payer, plain(app) as client:
        headers = await asked(payer, b"{}", "a-copied-request")
        copies = await asyncio.gather(*(client.post(TARGET, content=b"{}", headers=headers) for _ in range(2)))
    assert ([copy.json()["type"] for copy in copies], len(calls)) == (["payment-due"] * 2, 1)


async def test_running_answers_count_as_unpaid(
    localnet: Localnet, channel: str, tmp_path: Path, calls: list[JSON]
) -> None:
    app = application(localnet, tmp_path / "answers", calls, max_unpaid=2)
    body = b'{"seconds": 0.3}'
    async with await open_payer(localnet, channel) as payer, plain(app) as client:
        headers = [await asked(payer, body, f"unpaid-{number:04}") for number in range(6)]
        asking = (client.post(TARGET, content=body, headers=one) for one in headers)
        types = [answer.json()["type"] for answer in await asyncio.gather(*asking)]
    assert (sorted(types), len(calls)) == (["payment-due"] * 2 + ["too-many-unpaid"] * 4, 2)


async def test_body_above_limit_is_refused(localnet: Localnet, channel: str, app: FastAPI, calls: list[JSON]) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        with pytest.raises(Refused) as caught:
            await client.post(TARGET, json={"prompt": "x" * 2_000})
        assert caught.value.type == "body-too-large"
    assert calls == []


async def test_client_of_other_kind_is_refused(localnet: Localnet, channel: str, app: FastAPI) -> None:
    """A `Payer` does not serve asyncio, nor an `AsyncPayer` threads."""
    voucher, urls = localnet.voucher("seller-test"), {"gateway": localnet.gateway_url, "rpc": localnet.rpc}
    with Payer.open(channel, voucher, **urls) as payer:
        client = httpx.AsyncClient(auth=MotifAuth(payer, max_price=10_000), transport=httpx.ASGITransport(app))
        with pytest.raises(InvalidInput, match="AsyncPayer"):
            await client.post(TARGET, json={})
    async with await open_payer(localnet, channel) as other:
        with pytest.raises(InvalidInput, match="Payer"):
            httpx.post(TARGET, json={}, auth=MotifAuth(other, max_price=10_000))


async def test_unusable_gateway_is_logged(
    localnet: Localnet, tmp_path: Path, calls: list[JSON], caplog: pytest.LogCaptureFixture
) -> None:
    options = {"gateway": "http://user:secret@127.0.0.1:1/?key=secret", "patience": 0.0}
    async with plain(application(localnet, tmp_path / "answers", calls, **options)) as client:
        answer = await client.post(TARGET, json={})
    assert (answer.status_code, answer.json()["type"]) == (503, "chain-unreachable")
    assert "127.0.0.1" in caplog.text
    assert "secret" not in caplog.text + answer.text


async def test_failed_application_is_logged(
    localnet: Localnet, channel: str, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    async with await open_payer(localnet, channel) as payer, buyer(payer, app) as client:
        with pytest.raises(Refused):
            await client.post(TARGET, json={"raises": True})
    assert "RuntimeError: secret cause" in caplog.text  # the seller's own log


async def test_lifespan_closes_connections(localnet: Localnet, tmp_path: Path, calls: list[JSON]) -> None:
    closed = list[bool]()
    middleware = MotifPaywall(application(localnet, tmp_path / "first", calls), routes=[], folder=tmp_path / "answers")
    middleware._host = AsyncHost()
    middleware._host._client.aclose = close_of(closed)  # type: ignore[method-assign]
    messages, sent = ["lifespan.startup", "lifespan.shutdown"], list[str]()

    async def receive() -> Any:
        return {"type": messages.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await middleware({"type": "lifespan"}, receive, send)
    assert (sent, closed) == (["lifespan.startup.complete", "lifespan.shutdown.complete"], [True])


def close_of(closed: list[bool]) -> Any:
    async def close() -> None:
        closed.append(True)

    return close


MALFORMED: list[str] = [
    '{"license": 0, "units": 1e400, "expires_at": 1, "proof": {}}',
    '{"license": 0, "units": NaN, "expires_at": 1, "proof": {}}',
    '{"license": 0, "units": "\u0661", "expires_at": 1, "proof": {}}',
    '{"license": 0, "units": 1.9, "expires_at": 1, "proof": {}}',
    '{"license": 0, "units": true, "expires_at": 1, "proof": {}}',
    '{"license": 0, "units": 1, "expires_at": 1, "proof": {}, "voucher": 5}',
    '{"license": 0, "units": 1, "expires_at": 1, "proof": {}, "channel": "../operator"}',
    '{"license": 0, "units": 1, "expires_at": 1, "proof": {}, "channel": ["x"]}',
    '{"answer": "ab"}',
    '{"answer": {}, "voucher": null}',
    '{"answer": "ab", "voucher": 5}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
async def test_hostile_payment_is_malformed(app: FastAPI, channel: str, calls: list[JSON], text: str) -> None:
    text = text.replace("{", '{"channel": "' + channel + '", ', 1) if '"channel"' not in text else text
    headers = {"motif-payment": base64.urlsafe_b64encode(text.encode()).decode(), "idempotency-key": "12345678"}
    async with plain(app) as client:
        answer = await client.post(TARGET, json={}, headers=headers)
    assert (answer.status_code, answer.json()["type"], calls) == (400, "payment-malformed", [])
