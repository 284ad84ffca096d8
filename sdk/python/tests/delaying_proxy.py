"""TCP proxy that delays what it passes on, each way, without limiting it."""

from __future__ import annotations

import asyncio
import threading
from urllib.parse import urlsplit


class DelayingProxy:
    """Proxy in front of a URL, in a thread with an event loop of its own."""

    def __init__(self, url: str, delay: float) -> None:
        parts = urlsplit(url)
        self._target, self._delay = (parts.hostname, parts.port), delay
        self._loop, self._passing = asyncio.new_event_loop(), set[asyncio.Task[None]]()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self._server = starting.result(5)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection(*self._target)
        passing = [asyncio.create_task(self._pass(reader, ahead)), asyncio.create_task(self._pass(behind, writer))]
        self._passing.update(passing)
        await asyncio.wait(passing)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while chunk := await reader.read(1 << 16):
            loop.call_later(self._delay, writer.write, chunk)
        loop.call_later(self._delay, writer.close)

    def close(self) -> None:
        """Stops the proxy."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _end(self) -> None:
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.sleep(0.01)

    def __enter__(self) -> DelayingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
