"""Streams a chat completion with the stock OpenAI client: only its transport is another. Needs `openai`.

python buy_chat.py http://127.0.0.1:8790/v1 "style same York New"    # with MOTIF_CHANNEL and MOTIF_KEYPAIR
"""

import os
import sys

import httpx
import openai

from motif_sdk import MotifTransport, Payer

base_url, prompt = sys.argv[1:3]
payer = Payer.open(os.environ["MOTIF_CHANNEL"], os.environ["MOTIF_KEYPAIR"], state="payer.state")
transport = MotifTransport(payer, max_price=100_000)
with payer, openai.OpenAI(base_url=base_url, api_key="none", http_client=httpx.Client(transport=transport)) as client:
    messages = [{"role": "user", "content": prompt}]
    for chunk in client.chat.completions.create(model="style", messages=messages, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print(f"\npaid {payer.spent} base units")
