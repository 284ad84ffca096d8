"""File of a payer's state, with its lock. The records and their order are the rules'."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .errors import ProcessForked, StateFailed, StateLocked

try:
    import fcntl

    def _try_lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

except ImportError:  # pragma: no cover - Windows
    import msvcrt

    def _try_lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]


MAX_APPENDED = 64 << 20
"""Records after which the file is written anew, bytes; at least as long as four snapshots."""
MAX_WAIT = 1.0
"""Seconds for which a lock is waited for, because the last holder may be about to end."""


class StateFile:
    """State file that this process has. `<path>.lock` is locked and names the process.

    After an error the file is not used any more.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # A link's lock would be another one.
        self.path: Path = Path(os.path.realpath(path))
        self._buffered: list[bytes] = []
        self._appended = self._snapshot = 0
        self._failure: StateFailed | None = None
        self._mutex, self._process = threading.Lock(), os.getpid()
        self._lock = self._locked()
        try:
            self._file = open_private(self.path)
        except OSError as error:
            self._lock.close()
            raise self._failed(error) from error

    def _locked(self) -> IO[bytes]:
        beside = self.path.with_name(self.path.name + ".lock")
        try:
            lock = open_private(beside)
        except OSError as error:
            raise self._failed(error) from error
        deadline = time.monotonic() + MAX_WAIT
        while True:
            try:
                _try_lock(lock)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    lock.close()
                    holder = beside.read_text(errors="replace").strip()
                    raise StateLocked(str(self.path), holder or "another process") from None
                time.sleep(0.02)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname() or 'this machine'}\n".encode())
        lock.flush()
        return lock

    def read(self) -> bytes:
        """Returns the whole file."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self._failed(error) from error

    def rewrite(self, take_snapshot: Callable[[], bytes]) -> None:
        """Replaces the file by a snapshot, durably. What was appended before is in the snapshot."""
        with self._mutex:
            self._check()
            self._replace(take_snapshot())

    def _replace(self, snapshot: bytes) -> None:
        temporary = self.path.with_name(self.path.name + ".writing")
        try:
            file = open_private(temporary)
            file.truncate(0)
            file.write(snapshot)
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise self._failed(error) from error
        self._file.close()
        self._file = file
        self._appended, self._snapshot = 0, len(snapshot)
        self._buffered.clear()

    def append(self, frame: bytes, is_urgent: bool) -> None:
        """Appends a record. An urgent one is durable afterwards, with those before it."""
        with self._mutex:
            self._check()
            self._buffered.append(frame)
            if not is_urgent:
                return
            self._write()
            try:
                getattr(os, "fdatasync", os.fsync)(self._file.fileno())
            except OSError as error:
                raise self._failed(error) from error

    def flush(self) -> None:
        """Writes buffered records."""
        with self._mutex:
            self._check()
            self._write()

    def _write(self) -> None:
        records = b"".join(self._buffered)
        try:
            self._file.write(records)
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from error
        self._appended += len(records)
        self._buffered.clear()

    @property
    def is_long(self) -> bool:
        """Whether a snapshot is due."""
        return self._appended > max(MAX_APPENDED, 4 * self._snapshot)

    @property
    def failure(self) -> StateFailed | None:
        """Error after which the file is not used any more."""
        return self._failure

    def close(self) -> None:
        """Writes buffered records and gives up the lock. A forked process has neither."""
        try:
            if self._failure is None and self._process == os.getpid():
                self.flush()
        finally:
            try:
                self._file.close()
            except OSError as error:
                if self._failure is None:
                    raise self._failed(error) from error
            finally:
                self._lock.close()

    def _check(self) -> None:
        if self._process != os.getpid():
            raise ProcessForked
        if self._failure is not None:
            raise self._failure

    def _failed(self, error: OSError) -> StateFailed:
        self._failure = StateFailed(f"the payer's state {self.path}: {error.strerror or error}")
        return self._failure


def open_private(path: Path) -> IO[bytes]:
    """Opens a file that only its owner can read, to read and append."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b")


def sync_folder(folder: Path) -> None:
    """Makes a rename durable."""
    if os.name == "nt":
        return  # folders cannot be opened
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
