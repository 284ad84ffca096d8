"""Model server without any code for payments."""

from __future__ import annotations

import json
import struct
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ModelServer:
    """HTTP server on a port of the system's choice."""

    def __init__(self) -> None:
        server = self
        self.asked = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.reply(200, "text/plain", b"well")

            def do_POST(self) -> None:
                server.asked += 1
                wanted = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
                if wanted.get("fail"):
                    self.reply(422, "text/plain", b"this prompt is too odd")
                elif self.path in ("/pictures", "/images"):
                    units = {"x-units": str(wanted.get("count", 1))}
                    self.reply(200, "image/png", picture(wanted["prompt"]), units)
                elif self.path == "/stories":
                    lines = "".join(f"{wanted['prompt']}-{number}\n" for number in range(wanted["lines"]))
                    self.reply(200, "text/plain", lines.encode())
                else:
                    self.complete(wanted)

            def complete(self, wanted: dict[str, Any]) -> None:
                words = wanted["messages"][-1]["content"].split()[::-1]
                common = {"id": "chatcmpl-1", "created": 1_795_996_800, "model": wanted["model"]}
                if not wanted.get("stream"):
                    message = {"role": "assistant", "content": " ".join(words)}
                    choice = {"index": 0, "message": message, "finish_reason": "stop"}
                    usage = {
                        "prompt_tokens": len(words),
                        "completion_tokens": len(words),
                        "total_tokens": 2 * len(words),
                    }
                    whole = common | {"object": "chat.completion", "choices": [choice], "usage": usage}
                    self.reply(200, "application/json", json.dumps(whole).encode())
                    return
                chunks = [{"role": "assistant", "content": word + " "} for word in words] + [{}]
                events = [
                    common
                    | {
                        "object": "chat.completion.chunk",
                        "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}],
                    }
                    for delta in chunks
                ]
                body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
                self.reply(200, "text/event-stream", body.encode())

            def reply(self, status: int, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"content-type": kind, "content-length": str(len(body)), **(more or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

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


def picture(prompt: str, side: int = 32) -> bytes:
    """Returns a PNG file whose pixels follow from a prompt."""
    seed = zlib.crc32(prompt.encode())
    rows = b"".join(
        b"\0" + b"".join(bytes(((seed >> shift) + x * y) & 0xFF for shift in (0, 8, 16)) for x in range(side))
        for y in range(side)
    )
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
