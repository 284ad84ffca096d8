"""Sells generated images from FastAPI, without a proxy. Needs `fastapi` and `uvicorn`.

uvicorn sell_images:app        # with MOTIF_WORK, and a gateway at MOTIF_GATEWAY_URL
"""

import os
import struct
import zlib

from fastapi import FastAPI, Response
from pydantic import BaseModel

from motif_sdk.asgi import MotifPaywall, PaidRoute


class Wanted(BaseModel):
    """Body of a request."""

    prompt: str
    count: int = 1


app = FastAPI()
app.add_middleware(
    MotifPaywall,
    routes=[PaidRoute("POST", "/images", os.environ["MOTIF_WORK"], units="x-units", most_units=4)],
    folder=os.environ.get("MOTIF_ANSWERS", "answers"),
)


@app.post("/images")
def images(wanted: Wanted) -> Response:
    """Returns a picture, and states its units: a model's call would stand here."""
    return Response(paint(wanted.prompt), media_type="image/png", headers={"x-units": str(wanted.count)})


@app.get("/health")
def health() -> str:
    """Costs nothing, because it is no paid route."""
    return "well"


def paint(prompt: str, side: int = 64) -> bytes:
    """Returns a PNG file whose pixels follow from a prompt."""
    seed = zlib.crc32(prompt.encode())
    rows = b"".join(b"\0" + bytes((seed >> 8 * (x % 3)) + x * y & 255 for x in range(3 * side)) for y in range(side))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
