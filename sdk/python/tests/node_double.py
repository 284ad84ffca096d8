"""JSON-RPC node in front of the simulated cluster. It reads accounts, and answers as a bad one on demand."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from world import World


class NodeDouble:
    """HTTP server. `answers` are used first: status and body, or `None` for no answer within five seconds."""

    def __init__(self, world: World) -> None:
        self.answers = list[tuple[int, bytes] | None]()
        self.asked = list[str]()
        self._end = threading.Event()
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                node.asked.append(request["method"])
                answer = node.answers.pop(0) if node.answers else (200, node.reply(world, request))
                if answer is None:
                    node._end.wait(5)
                    return
                status, body = answer
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def reply(self, world: World, request: Any) -> bytes:
        """Returns the answer to `getAccountInfo`."""
        account = world.cluster.account(request["params"][0])
        value = account and {
            "owner": account.owner,
            "lamports": account.lamports,
            "data": [base64.b64encode(account.data).decode(), "base64"],
        }
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"context": {"slot": 1}, "value": value}}).encode()

    def close(self) -> None:
        """Stops the server."""
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
