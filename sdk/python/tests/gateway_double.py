"""Gateway of one channel, without a chain: it accepts vouchers as a real one does, and lies on demand.

Signed bytes follow docs/formats.md, by the rules' own `receipt.digest`, so that a lie differs in one field only.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from world import World

from motif_sdk import Keypair, _core

JSON = dict[str, Any]
Reply = tuple[int, Any]
"""Status and JSON."""


class GatewayDouble:
    """HTTP server. `answers` are used first, one for each batch; then batches are accepted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opened_slot = _core.shared().call("account.decode", world.account)["channel"]["opened_slot"]
        self.cluster = _core.shared().call("account.decode", world.account)["channel"]["cluster"]
        self.answers: deque[Callable[[JSON], Reply]] = deque()
        self.batches: list[JSON] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.accepted: dict[str, JSON] = {}
        self.units = self.cumulative = self.receipts = 0
        self.voucher: JSON | None = None
        self.paid: list[JSON] = []
        self.state_of: Callable[[JSON], JSON] = lambda state: state
        self.others: Callable[[str, str, dict[str, str], bytes], tuple[int, dict[str, str], bytes] | None] | None = None
        self.is_silent = False
        self._lock = threading.Lock()
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                double._serve(self)

            do_POST = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stops the server."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> GatewayDouble:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append((handler.command, handler.path, headers, body))
        if self.is_silent:
            handler.close_connection = True
            return
        status, extra, answer = self._answer(handler.command, handler.path, headers, body)
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if self.others is not None:
            answer = self.others(method, path, headers, body)
            if answer is not None:
                return answer
        kind = {"content-type": "application/json"}
        if path.endswith("/batches"):
            with self._lock:
                request = json.loads(body)
                self.batches.append(request)
                status, document = self.answers.popleft()(request) if self.answers else self.accept(headers, request)
            return status, kind, json.dumps(document).encode()
        if path == "/v1/channels" or path == f"/v1/channels/{self.world.channel}":
            return 200, kind, json.dumps(self.state_of(self.state())).encode()
        if path.endswith("/holds"):
            wanted = json.loads(body)
            hold = self.hold_of(headers["idempotency-key"])
            facts = {name: wanted[name] for name in ("license", "units", "request_digest", "expires_at")}
            return (
                200,
                kind,
                json.dumps(facts | {"hold": hold, "channel": self.world.channel, "state": "open"}).encode(),
            )
        return 404, kind, json.dumps(problem("not-found", 404)).encode()

    def hold_of(self, key: str) -> str:
        """Returns the name of the hold under an idempotency key."""
        from motif_sdk import base58

        channel = base58.decode(self.world.channel, 32)
        return hashlib.sha256(channel + self.opened_slot.to_bytes(8, "little") + key.encode()).hexdigest()

    def accept(self, headers: dict[str, str], request: JSON) -> Reply:
        """Accepts a batch as a real gateway does: once for each key, with the exact total."""
        key = headers["idempotency-key"]
        if key in self.accepted:
            return 200, self.accepted[key]
        units = self.units + sum(one["units"] for one in request["generations"])
        prices = units * self.world.price
        total = prices + prices * 200 // 10_000
        if int(request["voucher"]["cumulative"]) != total:
            expected = {"statement": 0, "cumulative": str(total), "entries": [{"license": 0, "units": units}]}
            return 409, problem("wrong-price", 409, expected=expected)
        receipts = [self.receipt(request, position) for position in range(len(request["generations"]))]
        self.units, self.cumulative, self.voucher = units, total, request["voucher"]
        self.receipts += len(receipts)
        self.paid += request["generations"]
        self.accepted[key] = {"receipts": receipts}
        return 200, self.accepted[key]

    def receipt(self, request: JSON, position: int = 0, signer: Keypair | None = None, **lies: Any) -> JSON:
        """Returns a signed receipt of a batch's generation, with some fields replaced."""
        one = request["generations"][position]
        receipt: JSON = {
            "channel": self.world.channel,
            "opened_slot": self.opened_slot,
            "statement": 0,
            "position": self.receipts + position,
            "license": one["license"],
            "units": one["units"],
            "terms_number": 1,
            "amount": str(one["units"] * self.world.price),
            "cumulative": request["voucher"]["cumulative"],
            "work": self.world.work,
            "request_digest": one["request_digest"],
            "output_digest": one["output_digest"],
            "issued_at": 1,
            "digest": "0" * 64,
            "signature": "0" * 128,
        } | lies
        made = _core.shared().call("receipt.digest", receipt=receipt)
        signature = (signer or self.world.operator).sign(bytes.fromhex(made["bytes"]))
        return receipt | {"digest": made["digest"], "signature": signature.hex()}

    def state(self) -> JSON:
        """Returns `ChannelState`."""
        world = self.world
        return {
            "channel": world.channel,
            "payer": world.platform.address,
            "operator": world.operator.address,
            "mint": world.mint,
            "voucher_key": world.voucher.address,
            "cluster": self.cluster,
            "opened_slot": self.opened_slot,
            "operator_fee_bps": 200,
            "grace_seconds": 3_600,
            "closes_at": None,
            "deposited": str(world.deposit),
            "upfront_fees": "0",
            "cumulative": str(self.cumulative),
            "available": str(world.deposit - self.cumulative),
            "licenses": [],
            "unsettled": [],
            "open": {
                "statement": 0,
                "receipts": self.receipts,
                "prices": str(self.units * world.price),
                "cumulative": str(self.cumulative),
                "entries": [{"license": 0, "units": self.units}] if self.units else [],
                "voucher": self.voucher,
            },
        }


def problem(slug: str, status: int = 409, **more: Any) -> JSON:
    """Returns a problem document."""
    return {"type": slug, "title": "no", "status": status, "detail": "no", **more}
