"""Which requests the ASGI middleware charges for: no path, method or mount reaches a paid route unpaid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from localnet import Localnet
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from motif_sdk.asgi import MotifPaywall, PaidRoute
from motif_sdk.errors import InvalidInput

Sell = Callable[..., MotifPaywall]


class Shop:
    """Application that notes what it was asked for."""

    def __init__(self) -> None:
        self.ran = list[str]()

    async def serve(self, request: Request) -> Response:
        self.ran.append(request.url.path)
        return PlainTextResponse("made")

    def app(self, path: str, method: str = "POST", **options: Any) -> Starlette:
        return Starlette(routes=[Route(path, self.serve, methods=[method])], **options)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def sell(localnet: Localnet, tmp_path: Path) -> Sell:
    def made(app: Any, path: str = "/images", method: str = "POST") -> MotifPaywall:
        routes = [PaidRoute(method, path, localnet.model)]
        return MotifPaywall(app, routes=routes, folder=tmp_path / "answers", gateway=localnet.gateway_url)

    return made


async def ask(app: Any, path: str, method: str = "POST", root_path: str = "", **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, root_path=root_path)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        return await client.request(method, path, **options)


@pytest.mark.parametrize("path", ["/images", "/images?size=1", "/%69mages", "/images%0a"])
async def test_paid_path_is_charged(sell: Sell, shop: Shop, path: str) -> None:
    answer = await ask(sell(shop.app("/images")), path)
    assert (answer.status_code, shop.ran) == (402, [])


@pytest.mark.parametrize("path", ["//images", "/images/", "/images//", "/./images", "/x/../images"])
async def test_similar_path_is_redirected(sell: Sell, shop: Shop, path: str) -> None:
    async def tolerant(scope: Any, receive: Any, send: Any) -> None:
        scope["path"] = "/images"  # as a framework that ignores slashes
        await shop.app("/images")(scope, receive, send)

    answer = await raw(sell(tolerant), path)
    assert (answer.status_code, answer.headers["location"], shop.ran) == (307, "/images?size=1", [])


async def raw(app: Any, path: str, method: str = "POST") -> httpx.Response:
    """Sends a path as it is; httpx resolves dots."""
    messages = list[Any]()
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"size=1"}
    scope |= {"headers": [], "root_path": "", "http_version": "1.1", "scheme": "http", "server": ("shop.example", 80)}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    return httpx.Response(messages[0]["status"], headers=messages[0]["headers"], content=messages[1]["body"])


async def test_slash_at_end_of_route_is_found(sell: Sell, shop: Shop) -> None:
    app = sell(shop.app("/images/"), "/images/")
    assert (await raw(app, "/images")).headers["location"] == "/images/?size=1"
    assert (await ask(app, "/images/")).status_code == 402
    assert shop.ran == []


@pytest.mark.filterwarnings("ignore:The `root_path` parameter")
@pytest.mark.parametrize("path", ["/images", "/api/images", "/api/%69mages"])
async def test_root_path_is_left_out(sell: Sell, shop: Shop, path: str) -> None:
    """The prefix is FastAPI's, the server's, or that of an application inside the middleware."""
    inside, outside = FastAPI(root_path="/api"), FastAPI(root_path="/api")
    for app in (inside, outside):
        app.add_api_route("/images", lambda: shop.ran.append("fastapi"), methods=["POST"])
    outside.add_middleware(sell)
    for app, root in [(sell(inside), ""), (outside, ""), (sell(shop.app("/images")), "/api")]:
        answer = await ask(app, path, root_path=root)
        assert (answer.status_code, shop.ran) == (402, [])


async def test_mounted_application_is_charged(sell: Sell, shop: Shop) -> None:
    inner = Starlette(routes=[Mount("/v1", sell(shop.app("/images")))])
    outer = sell(Starlette(routes=[Mount("/v1", shop.app("/images"))]), "/v1/images")
    twice = Starlette(routes=[Mount("/a", Starlette(routes=[Mount("/v1", sell(shop.app("/images")))]))])
    for app, path in [(inner, "/v1/images"), (outer, "/v1/images"), (twice, "/a/v1/images")]:
        assert (await ask(app, path)).status_code == 402
    assert shop.ran == []


async def test_free_mount_is_passed_on(sell: Sell, shop: Shop) -> None:
    """A mounted application has paths of its own: the paid route is another one."""
    app = sell(Starlette(routes=[Mount("/v1", shop.app("/images"))]))
    assert (await ask(app, "/v1/images")).text == "made"


@pytest.mark.parametrize("method", ["POST", "post", "Post"])
async def test_method_in_any_case_is_charged(sell: Sell, shop: Shop, method: str) -> None:
    class Endpoint(HTTPEndpoint):
        async def post(self, request: Request) -> Response:
            return await shop.serve(request)

    app = sell(Starlette(routes=[Route("/images", Endpoint)]), method=method)
    for sent in ("POST", "post"):
        assert (await raw(app, "/images", sent)).status_code == 402
    assert (await ask(app, "/images", "GET")).status_code == 405
    assert shop.ran == []


async def test_head_of_paid_route_is_not_served(sell: Sell, shop: Shop) -> None:
    app = sell(shop.app("/images", "GET"), method="GET")
    for headers in ({}, {"motif-payment": "e30"}):
        answer = await ask(app, "/images", "HEAD", headers=headers)
        assert (answer.status_code, "motif-payment-required" in answer.headers) == (402, True)
    assert shop.ran == []


def test_websocket_of_paid_route_is_refused(sell: Sell) -> None:
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("made")

    routes = [WebSocketRoute("/images", talk), WebSocketRoute("/free", talk)]
    client = TestClient(sell(Starlette(routes=routes), method="GET"))
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/images"):
        pass
    with client.websocket_connect("/free") as socket:
        assert socket.receive_text() == "made"


@pytest.mark.parametrize(
    ("route", "paths"),
    [
        ("/files/{p:path}", ["/files/a", "/files/a/b", "/files/", "/files/a%0A", "/files/a%2Fb"]),
        ("/images/{n:int}", ["/images/7", "/images/7%0a"]),
        ("/images/{n:float}", ["/images/7", "/images/7.5"]),
        ("/images/{n:uuid}", ["/images/0b8c1c4e-5c8a-4b9f-9d53-1a4f6f6ad1d1"]),
        ("/img-{n}.png", ["/img-5.png", "/img-a%E2%80%A8.png"]),
        ("/{a}/of/{b}", ["/x/of/y", "/x%0a/of/y"]),
    ],
)
async def test_parameters_match_as_in_router(sell: Sell, shop: Shop, route: str, paths: list[str]) -> None:
    app = shop.app(route, "GET")
    for path in paths:
        assert (await ask(app, path, "GET")).text == "made"
        assert (await ask(sell(app, route, "GET"), path, "GET")).status_code == 402
    assert len(shop.ran) == len(paths)


async def test_path_that_no_route_matches_is_free(sell: Sell, shop: Shop) -> None:
    app = sell(Starlette(routes=[Route("/images/new", shop.serve)]), "/images/{n:int}", "GET")
    assert (await ask(app, "/images/new", "GET")).text == "made"


async def test_encoded_slash_stays_in_its_segment(sell: Sell, shop: Shop) -> None:
    """Some frameworks split the path before they decode it."""

    async def splitting(scope: Any, receive: Any, send: Any) -> None:
        shop.ran.append(scope["path"])

    app = sell(splitting, "/images/{name}", "GET")
    assert (await ask(app, "/images/a%2Fb", "GET")).status_code == 402
    assert shop.ran == []


async def test_answer_under_another_name_is_withheld(sell: Sell, shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """An application that changes the path of a request to a paid one does not give its answer away."""

    async def renaming(scope: Any, receive: Any, send: Any) -> None:
        scope["path"] = scope["path"].removeprefix("/old")
        await shop.app("/images")(scope, receive, send)

    answer = await ask(sell(renaming), "/old/images")
    assert (answer.status_code, answer.json()["type"]) == (500, "internal")
    assert "withheld" in caplog.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/images"),
        ("GTE", "/images"),
        ("POST", "images"),
        ("POST", "/images?size=1"),
        ("POST", "/images/{name"),
        ("POST", "/images/{name:slug}"),
    ],
)
def test_unmatchable_route_is_rejected(method: str, path: str) -> None:
    with pytest.raises(InvalidInput):
        PaidRoute(method, path, "work")
