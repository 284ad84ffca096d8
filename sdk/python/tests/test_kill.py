"""SIGKILL in the middle of a payment: the next process resumes it, and it is paid once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from localnet import Localnet

from motif_sdk import Keypair, Payer, sha256
from motif_sdk.chain import Chain

CHILD = """
import sys
from motif_sdk import Payer, sha256
gateway, channel, voucher, rpc, state = sys.argv[1:]
payer = Payer.open(channel, voucher, gateway=gateway, rpc=rpc, state=state)
payer.generate(0, 1, sha256("first"), sha256("output"))
print("paid", flush=True)
payer.generate(0, 1, sha256("second"), sha256("output"))
print("paid", flush=True)
"""


class KillingProxy:
    """Proxy in front of a gateway that ends the payer's process before or after its `kill_at`th batch is passed on."""

    def __init__(self, gateway: str, kill_at: int, is_passed_on: bool) -> None:
        self.child: subprocess.Popen[str] | None = None
        self.bodies = list[bytes]()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                is_batch = self.path.endswith("/batches")
                if is_batch:
                    proxy.bodies.append(body)
                is_last = is_batch and len(proxy.bodies) == kill_at
                if is_last and not is_passed_on:
                    proxy.kill()
                    return
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = httpx.request(self.command, gateway + self.path, headers=headers, content=body)
                if is_last:
                    proxy.kill()
                    return
                self.send_response(answer.status_code)
                self.send_header("content-type", answer.headers["content-type"])
                self.send_header("content-length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_POST = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        """Ends the payer's process, and waits for its end."""
        assert self.child is not None
        os.kill(self.child.pid, signal.SIGKILL)

    def close(self) -> None:
        """Stops the proxy."""
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize(("kill_at", "is_passed_on"), [(1, False), (1, True), (2, False), (2, True)])
def test_killed_payer_is_resumed_and_paid_once(
    localnet: Localnet, tmp_path: Path, kill_at: int, is_passed_on: bool
) -> None:
    key = localnet.key(f"killed-{kill_at}-{is_passed_on}")
    chain = Chain(key, localnet.rpc)
    voucher = localnet.key(f"{key.stem}-voucher")
    channel = chain.open_channel(localnet.operator, localnet.mint, 1_000_000, Keypair.from_file(voucher).address)
    chain.accept(channel, localnet.model, max_price=1_000)
    state = tmp_path / "state"
    proxy = KillingProxy(localnet.gateway_url, kill_at, is_passed_on)
    arguments = [proxy.url, channel, str(voucher), localnet.rpc, str(state)]
    command = [sys.executable, "-c", CHILD, *arguments]
    # The proxy knows the process before it can send a batch: opening takes several requests.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        proxy.child = child
        printed, _ = child.communicate(timeout=60)
    proxy.close()
    assert child.returncode == -signal.SIGKILL
    assert printed.count("paid") == kill_at - 1
    assert len(proxy.bodies) == kill_at
    with Payer.open(channel, voucher, gateway=localnet.gateway_url, rpc=localnet.rpc, state=state) as payer:
        # The signed payment was repeated with the same bytes, whether the gateway had it or not.
        assert (payer.is_unanswered, payer.spent) == (False, kill_at * 1_020)
        assert int(payer.state()["cumulative"]) == kill_at * 1_020
        digests = [kept.receipt.request_digest for kept in payer.receipts()]
        assert digests == [sha256("first"), sha256("second")][:kill_at]
        payer.generate(0, 1, sha256("third"), sha256("output"))
        payer.settle()
        assert int(chain.channel(channel)["channel"]["cumulative"]) == (kill_at + 1) * 1_020
