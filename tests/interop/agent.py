"""Python x402 over MCP: buys with the tools of `motif mcp`, which has no budget of its own.

MOTIF_MCP is the command of the server as JSON; the other variables are those of buyer.mjs.
"""

import asyncio
import base64
import hashlib
import json
import os
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from solders.keypair import Keypair
from x402 import x402Client
from x402.mcp.client import x402MCPSession
from x402.mechanisms.svm import KeypairSigner
from x402.mechanisms.svm.exact import register_exact_svm_client


async def main() -> None:
    keypair = Keypair.from_bytes(bytes(json.loads(Path(os.environ["MOTIF_WALLET"]).read_text())))
    client = x402Client()
    register_exact_svm_client(client, KeypairSigner(keypair), rpc_url=os.environ["MOTIF_RPC_URL"])
    command, *arguments = json.loads(os.environ["MOTIF_MCP"])
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        agent = x402MCPSession(session, client)
        await agent.initialize()
        found = await agent.call_tool("search_works", {"for_sale": True})
        work = json.loads(found.content[0].text)["works"][0]["work"]
        await agent.call_tool("explain_terms", {"work": work})
        prompt = json.loads(os.environ["MOTIF_BODY"])["prompt"]
        bought = await agent.call_tool("buy_generation", {"work": work, "prompt": prompt})
    answer = next(block for block in bought.content if block.type == "image")
    content = base64.b64decode(answer.data)
    settled = bought.payment_response
    print(
        json.dumps(
            {
                "paid": bought.payment_made,
                "digest": hashlib.sha256(content).hexdigest(),
                "media_type": getattr(answer, "mimeType", None) or answer.mime_type,
                "settled": bool(settled and settled.success),
                "transaction": settled.transaction if settled else None,
                "payer": str(keypair.pubkey()),
            }
        )
    )


asyncio.run(main())
