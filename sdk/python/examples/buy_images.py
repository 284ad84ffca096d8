"""Buys an image with httpx: the transport pays.

python buy_images.py http://127.0.0.1:8000/images "New York, same style"    # with MOTIF_CHANNEL and MOTIF_KEYPAIR
"""

import os
import sys

import httpx

from motif_sdk import MotifTransport, Payer, receipts_of

url, prompt = sys.argv[1:3]
payer = Payer.open(os.environ["MOTIF_CHANNEL"], os.environ["MOTIF_KEYPAIR"], state="payer.state")
with payer, httpx.Client(transport=MotifTransport(payer, max_price=10_000)) as client:
    answer = client.post(url, json={"prompt": prompt, "count": 2})
    answer.raise_for_status()
    with open("picture.png", "wb") as file:
        file.write(answer.content)
    (receipt,) = receipts_of(answer)
    print(f"picture.png: {receipt.units} units for {receipt.amount} base units, receipt {receipt.digest}")
