"""Python x402, v2 or v1 (the first argument), with httpx at default settings."""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import httpx
from solders.keypair import Keypair
from x402 import x402Client
from x402.http.clients.httpx import x402AsyncTransport
from x402.mechanisms.svm import KeypairSigner
from x402.mechanisms.svm.exact import register_exact_svm_client

HEADERS = ("content-type", "payment-response", "x-payment-response", "payment-receipt", "motif-receipt")


class WithoutV2(httpx.AsyncHTTPTransport):
    """Hides the header of v2, which a client of v1 alone does not read."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if "payment-required" in response.headers:
            del response.headers["payment-required"]
        return response


async def main() -> None:
    keypair = Keypair.from_bytes(bytes(json.loads(Path(os.environ["MOTIF_WALLET"]).read_text())))
    client = x402Client()
    register_exact_svm_client(client, KeypairSigner(keypair), rpc_url=os.environ["MOTIF_RPC_URL"])
    transport = WithoutV2() if sys.argv[1:] == ["v1"] else httpx.AsyncHTTPTransport()
    body = os.environ.get("MOTIF_BODY", '{"prompt":"New York, same style"}')
    async with httpx.AsyncClient(transport=x402AsyncTransport(client, transport)) as http:
        headers = {"content-type": "application/json"}
        response = await http.post(os.environ["MOTIF_URL"], content=body, headers=headers)
    print(
        json.dumps(
            {
                "status": response.status_code,
                "digest": hashlib.sha256(response.content).hexdigest(),
                "length": len(response.content),
                "headers": {name: response.headers.get(name) for name in HEADERS},
                "payer": str(keypair.pubkey()),
            }
        )
    )


asyncio.run(main())
