"""Digests and fingerprints of media files, made on this machine: nothing is uploaded."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _module
from ._core import CONTENT, Core
from .errors import InvalidInput

MAX_BYTES = 64 << 20
"""Maximum size of a file, bytes."""
MAX_MEMORY = 1 << 30
"""Maximum memory of a decoder, bytes."""


@dataclass(frozen=True)
class Fingerprint:
    """Perceptual fingerprint: similar content has similar bits, 64 hexadecimal digits."""

    scheme: int
    bits: str

    def document(self) -> dict[str, int | str]:
        """Returns the fingerprint as the rules read it."""
        return {"scheme": self.scheme, "bits": self.bits}


@dataclass(frozen=True)
class Content:
    """What a media file is."""

    digest: str
    """SHA-256 of the bare content, without content credentials, hex."""
    media: str
    """`image`, `audio`, `text` or `other`."""
    media_type: str
    fingerprint: Fingerprint | None
    """Fingerprint that a registration names; `None` without a known medium."""
    probes: tuple[Fingerprint, ...]
    """Fingerprints to search with."""


def examine(file: bytes | str | os.PathLike[str], *, max_seconds: int = 60) -> Content:
    """Returns digest and fingerprints of a file, by its content or its path.

    The decoders run in a sandbox with an instance, a memory limit and a time limit of their own for each file.

    Raises `InvalidInput` if the file is too large or cannot be decoded; `CoreFailed` if its decoder fails or exceeds a
    limit.
    """
    data = file if isinstance(file, bytes) else Path(file).read_bytes()
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"the file has {len(data)} bytes: expected at most {MAX_BYTES}")
    with _ticking():
        found: dict[str, Any] = Core(CONTENT, MAX_MEMORY, max_seconds).call("content.examine", data)
    fingerprint = found.get("fingerprint")
    return Content(
        digest=found["digest"],
        media=found["media"],
        media_type=found["media_type"],
        fingerprint=Fingerprint(**fingerprint) if fingerprint and fingerprint["scheme"] else None,
        probes=tuple(Fingerprint(**probe) for probe in found["probes"]),
    )


def distance(one: Fingerprint, other: Fingerprint) -> tuple[int | None, bool]:
    """Returns the number of different bits, `None` between schemes, and whether the contents are alike."""
    with _ticking():
        core = Core(CONTENT, MAX_MEMORY, 60)
        found = core.call("content.distance", one=one.document(), other=other.document())
    return found["distance"], bool(found["is_alike"])


class _ticking:
    """Advances the clock of the decoders, one tick a second, while a file is examined."""

    _users = 0
    _lock = threading.Lock()
    _stop = threading.Event()

    def __enter__(self) -> None:
        with self._lock:
            _ticking._users += 1
            if _ticking._users == 1:
                _ticking._stop = threading.Event()
                engine = _module.load(CONTENT, is_interruptible=True)[0]
                stop = _ticking._stop
                threading.Thread(target=self._tick, args=(engine, stop), name="motif-content", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            _ticking._users -= 1
            if _ticking._users == 0:
                _ticking._stop.set()

    @staticmethod
    def _tick(engine: Any, stop: threading.Event) -> None:
        while not stop.wait(1.0):
            engine.increment_epoch()
