"""A gateway that requires API keys: payers, buyers and sellers send theirs, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Response
from localnet import Localnet, Process

from motif_sdk import AsyncMotifTransport, AsyncPayer, GatewayClient, MotifTransport, Payer, sha256
from motif_sdk.asgi import MotifPaywall, PaidRoute
from motif_sdk.chain import Chain
from motif_sdk.errors import MotifError, Refused


@pytest.fixture(scope="module")
def closed(localnet: Localnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A gateway of the same operator with required keys, and a paywall."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "secret").write_text("s" * 40)
    (folder / "gateway.toml").write_text('[api_keys]\nrequired = true\n[paywall]\nspool = "closed-answers"\n')
    options = ["--config", str(folder / "gateway.toml"), "--admin-listen", "127.0.0.1:0"]
    options += ["--admin-secret-file", str(folder / "secret")]
    url = localnet.environment["MOTIF_GATEWAY_URL"]
    started = localnet.serve("closed", localnet.folder / "paywall.toml", *options)
    localnet.environment["MOTIF_GATEWAY_URL"] = url
    started.ready["secret"] = str(folder / "secret")
    yield started
    started.stop()


@pytest.fixture(scope="module")
def key(localnet: Localnet, closed: Process) -> str:
    """Token of an API key that may pay and read."""
    where = ["--admin-url", closed.ready["admin_url"], "--secret-file", closed.ready["secret"]]
    return localnet.run("gateway", "api-key", "create", "a platform", "--scope", "meter,read", *where)["token"]


@pytest.fixture(scope="module")
def channel(localnet: Localnet) -> str:
    chain = Chain(localnet.key("keyed"), localnet.rpc)
    opened = chain.open_channel(localnet.operator, localnet.mint, 1_000_000, localnet.voucher("keyed").address)
    chain.accept(opened, localnet.model, max_price=1_000)
    return opened


def test_payer_needs_key(localnet: Localnet, closed: Process, key: str, channel: str) -> None:
    voucher, url = localnet.voucher("keyed"), closed.ready["url"]
    with pytest.raises(Refused) as caught:
        Payer.open(channel, voucher, gateway=url, rpc=localnet.rpc)
    assert (caught.value.type, key in str(caught.value)) == ("unauthorized", False)
    with Payer.open(channel, voucher, gateway=url, rpc=localnet.rpc, api_key=key) as payer:
        assert payer.generate(0, 1, sha256("a"), sha256("b")).amount == 1_000
        transport = MotifTransport(payer, max_price=10_000, api_keys={closed.ready["paywall_url"]: key})
        with httpx.Client(transport=transport) as client:
            answer = client.post(closed.ready["paywall_url"] + "/images", json={"prompt": "New York"})
            assert answer.status_code == 200
        with (
            httpx.Client(transport=MotifTransport(payer, max_price=100_000)) as client,
            pytest.raises(Refused) as caught,
        ):
            client.post(closed.ready["paywall_url"] + "/images", json={"prompt": "New York"})
        assert caught.value.type == "unauthorized"
    with GatewayClient(url) as gateway:
        assert gateway.operator()["operator"] == localnet.operator


async def test_seller_needs_key(localnet: Localnet, closed: Process, key: str, channel: str, tmp_path: Path) -> None:
    seen = list[dict[str, str]]()

    def shop(api_key: str | None) -> FastAPI:
        app = FastAPI()
        routes = [PaidRoute("POST", "/x", localnet.model)]
        folder = tmp_path / str(api_key is None)
        app.add_middleware(MotifPaywall, routes=routes, folder=folder, gateway=closed.ready["url"], api_key=api_key)

        @app.post("/x")
        async def sell() -> Response:
            return Response(b"sold")

        return app

    class Recorder(httpx.AsyncBaseTransport):
        """Notes the headers that the shop gets."""

        def __init__(self, app: FastAPI) -> None:
            self._inner = httpx.ASGITransport(app)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(dict(request.headers))
            return await self._inner.handle_async_request(request)

    voucher = localnet.voucher("keyed")
    opening = AsyncPayer.open(channel, voucher, gateway=closed.ready["url"], rpc=localnet.rpc, api_key=key)
    async with await opening as payer:
        async with httpx.AsyncClient(
            transport=AsyncMotifTransport(payer, max_price=10_000, transport=Recorder(shop(key)))
        ) as client:
            assert (await client.post("http://shop.example/x")).content == b"sold"
        without = AsyncMotifTransport(payer, max_price=10_000, transport=Recorder(shop(None)))
        async with httpx.AsyncClient(transport=without) as client:
            with pytest.raises(MotifError):
                await client.post("http://shop.example/x")
    # The key of the payer's gateway is not sent to the shop.
    assert len(seen) >= 4
    assert not [headers for headers in seen if key in str(headers)]
