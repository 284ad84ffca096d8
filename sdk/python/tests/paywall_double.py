"""Paywall of one answer, beside the gateway double: it asks for a payment as a real one does, and lies on demand."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from gateway_double import GatewayDouble, problem

from motif_sdk import _core
from motif_sdk.asgi import read_header, write_header

JSON = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


class PaywallDouble:
    """Sells `body` for `units` units at every path below `/sold`; as a stream of `parts` below `/streamed`."""

    def __init__(self, gateway: GatewayDouble, body: bytes = b"a picture", units: int = 2, fixed: bool = False) -> None:
        self.gateway, self.body, self.units, self.fixed = gateway, body, units, fixed
        self.parts = [b"one ", b"two ", b"three"]
        self.tag_lies: JSON = {}
        self.quote_lies: JSON = {}
        self.due_lies: JSON = {}
        self.sent_body: bytes | None = None
        self.sent_receipt: str | None = None
        self.receipt_lies: JSON = {}
        self.ask_answers: list[Response] = []
        self.pay_answers: list[Response] = []
        self.asks: list[JSON] = []
        self.pays: list[JSON] = []
        self.digests: dict[str, str] = {}
        self.is_paid: dict[str, JSON] = {}
        gateway.others = self.serve

    @property
    def url(self) -> str:
        """URL of the answer."""
        return f"{self.gateway.url}/sold/images?size=1"

    def serve(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Response | None:
        """Answers a request; `None` for one that is the gateway's."""
        if path.startswith("/free"):
            return 200, {"content-type": "text/plain"}, b"free"
        if not path.startswith("/sold"):
            return None
        payment = headers.get("motif-payment")
        if payment is None:
            return self.required({"price-tag": self.tag()}, "payment-required")
        paying = read_header(payment)
        if "answer" in paying:
            self.pays.append(paying)
            return self.pay_answers.pop(0) if self.pay_answers else self.deliver(paying["answer"])
        self.asks.append(paying)
        if self.ask_answers:
            return self.ask_answers.pop(0)
        key = headers["idempotency-key"]
        hold = self.gateway.hold_of(key)
        self.digests[hold] = _core.shared().call("request.digest", body, method=method, target=path)["digest"]
        return self.required({"due": self.due(hold, paying)}, "payment-due")

    def tag(self) -> JSON:
        """Returns the price tag."""
        world = self.gateway.world
        quote: JSON = {
            "work": world.work,
            "use": "generate",
            "unit": "generation",
            "price": str(world.price),
            "operator_fee_bps": 200,
            "price_with_fee": "102",
            "currency": world.mint,
            "terms_number": 1,
            "terms_digest": "00" * 32,
            "upfront_fee": "0",
            "free_units": 0,
        }
        tag: JSON = {
            "operator": world.operator.address,
            "cluster": self.gateway.cluster,
            "quote": quote | self.quote_lies,
            "fixed_units": self.units if self.fixed else None,
            "most_units": self.units if self.fixed else 4,
            "streams": False,
            "hold_seconds": 120,
        }
        return tag | self.tag_lies

    def due(self, hold: str, paying: JSON) -> JSON:
        """Returns the payment that is due."""
        price = self.units * self.gateway.world.price
        due: JSON = {
            "answer": hold,
            "part": 0,
            "license": paying["license"],
            "units": self.units,
            "price": str(price),
            "request_digest": self.digests[hold],
            "output_digest": hashlib.sha256(self.body).hexdigest(),
            "expires_at": paying["expires_at"],
            "expected": {"statement": 0, "cumulative": str(price), "entries": []},
        }
        return due | self.due_lies

    def deliver(self, answer: str) -> Response:
        """Returns the answer with the receipt of the batch that paid for it."""
        captured = {
            one["captures"]["hold"]: receipt
            for batch in self.gateway.batches
            for one, receipt in zip(batch["generations"], self.receipts_of(batch), strict=False)
            if one.get("captures")
        }
        receipt = self.sent_receipt or write_header(captured[answer] | self.receipt_lies)
        headers = {"motif-receipt": receipt, "content-type": "image/png"}
        return 200, headers, self.body if self.sent_body is None else self.sent_body

    def receipts_of(self, batch: JSON) -> list[JSON]:
        """Returns the receipts of an accepted batch."""
        total = batch["voucher"]["cumulative"]
        known = self.gateway.accepted.values()
        return next((one["receipts"] for one in known if one["receipts"][0]["cumulative"] == total), [])

    def required(self, required: JSON, slug: str) -> Response:
        """Returns a 402."""
        headers = {"motif-payment-required": write_header(required), "content-type": "application/problem+json"}
        return 402, headers, json.dumps(problem(slug, 402)).encode()


def refusal(slug: str, status: int) -> Response:
    """Returns a problem of the paywall."""
    return status, {"content-type": "application/problem+json"}, json.dumps(problem(slug, status)).encode()


def event(name: str, data: JSON) -> bytes:
    """Returns a server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def part_of(body: bytes) -> str:
    """Returns a part of a stream as its event has it."""
    return base64.b64encode(body).decode()
