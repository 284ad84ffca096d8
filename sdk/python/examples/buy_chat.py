"""Streams a chat completion with the stock OpenAI client: only its transport is another.

python buy_chat.py https://shop.example/v1 "New York, same style"
"""

import os
import sys

import httpx
import openai

from motif_sdk import MotifTransport, Payer

base_url, prompt = sys.argv[1:3]
payer = Payer.open(os.environ["MOTIF_CHANNEL"], os.environ["MOTIF_KEYPAIR"])
transport = MotifTransport(payer, max_price=100_000)
with payer, openai.OpenAI(base_url=base_url, api_key="none", http_client=httpx.Client(transport=transport)) as client:
    messages = [{"role": "user", "content": prompt}]
    for chunk in client.chat.completions.create(model="style", messages=messages, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print(f"\npaid {payer.spent} base units")
