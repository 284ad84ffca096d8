"""Calls to the rules: `motif_core.wasm` and `motif_content.wasm`, without imports, in wasmtime.

A call is a frame: length of the JSON (4 bytes, little-endian), JSON, other bytes.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from typing import Any, cast

from wasmtime import Func, Instance, Memory, Store, Trap, WasmtimeError

from . import _module, _refusals
from .errors import CoreFailed, InvalidInput, Untrusted

CORE = "motif_core.wasm"
CONTENT = "motif_content.wasm"


class Core:
    """Instance of a module. Calls from several threads follow one another."""

    def __init__(self, name: str = CORE, max_bytes: int = 1 << 30, max_seconds: int | None = None) -> None:
        engine, module = _module.load(name, is_interruptible=max_seconds is not None)
        self._store: Store | None = Store(engine)
        self._store.set_limits(memory_size=max_bytes)
        if max_seconds is not None:
            self._store.set_epoch_deadline(max_seconds)
        try:
            exports = Instance(self._store, module, []).exports(self._store)
        except WasmtimeError as error:
            raise CoreFailed(f"the rules cannot be loaded: {str(error).splitlines()[0]}") from None
        self._memory = cast(Memory, exports["memory"])
        self._allocate = cast(Func, exports["motif_allocate"])
        self._release = cast(Func, exports["motif_release"])
        self._call = cast(Func, exports["motif_call"])
        self._lock = threading.Lock()

    def call(self, call: str, raw: bytes = b"", /, **arguments: Any) -> Any:
        """Returns the result of a call.

        Raises the error that the rules return; `CoreFailed` if the module traps.
        """
        return self.call_raw(call, raw, **arguments)[0]

    def call_foreign(self, call: str, raw: bytes = b"", /, **arguments: Any) -> tuple[Any, bytes]:
        """Returns the result of a call about what a server has sent, and the bytes behind it.

        Raises the error that the rules return; `Untrusted` if they cannot read it.
        """
        try:
            return self.call_raw(call, raw, **arguments)
        except InvalidInput as error:
            raise Untrusted(str(error)) from None

    def call_raw(self, call: str, raw: bytes = b"", /, **arguments: Any) -> tuple[Any, bytes]:
        """Returns the result of a call and the bytes behind it."""
        text = json.dumps({"call": call, **arguments}, separators=(",", ":")).encode()
        answer = self._exchange(len(text).to_bytes(4, "little") + text + raw)
        end = 4 + int.from_bytes(answer[:4], "little")
        result: dict[str, Any] = json.loads(answer[4:end])
        if "error" in result:
            raise _refusals.error_of(result["error"])
        return result.get("ok"), answer[end:]

    def _exchange(self, frame: bytes) -> bytes:
        with self._lock:
            store = self._store
            if store is None:
                raise CoreFailed("the rules have failed in an earlier call")
            try:
                place = self._allocate(store, len(frame))
                self._memory.write(store, frame, place)
                packed = self._call(store, place, len(frame)) & 0xFFFF_FFFF_FFFF_FFFF
                start, length = packed >> 32, packed & 0xFFFF_FFFF
                answer = bytes(self._memory.read(store, start, start + length))
                self._release(store, start, length)
                return answer
            except (Trap, WasmtimeError, IndexError, ValueError) as error:
                self._store = None  # its memory may be inconsistent
                lines = str(error).strip().splitlines() or [type(error).__name__]
                reason = lines[-1].strip()  # the first lines are a backtrace without names
                raise CoreFailed(f"the rules have failed: {reason}") from None


_shared: Core | None = None
_shared_lock = threading.Lock()


def shared() -> Core:
    """Returns the instance for calls without state. A failed one is replaced."""
    global _shared
    with _shared_lock:
        if _shared is None or _shared._store is None:  # pyright: ignore[reportPrivateUsage]
            _shared = Core()
        return _shared


async def load() -> None:
    """Compiles the module in a thread, unless it is compiled."""
    if _shared is None:
        await asyncio.to_thread(shared)


def _begin_process() -> None:
    """Gives a forked process locks that no thread holds, and an instance of its own."""
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_process)


def check_range(name: str, value: int, bits: int) -> int:
    """Returns an integer that fits in `bits` bits without a sign.

    Raises `InvalidInput` otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"invalid {name}: {value!r}, expected an integer from 0 to 2**{bits} - 1")
    return value
