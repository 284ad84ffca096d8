"""Answers of a seller, on disk before they are paid for: nothing is paid for that can get lost."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ._statefile import sync_folder

JSON = dict[str, Any]


@dataclass(frozen=True)
class StoredAnswer:
    """Answer of the server behind the paywall."""

    hold: str
    channel: str
    target: str
    """Method and target of the request."""
    license: int
    units: int
    request_digest: str
    output_digest: str
    expires_at: int
    """Last unix second in which it can be paid."""
    status: int
    headers: list[tuple[str, str]]


class Answers:
    """Private folder of answers, which processes of one seller may share. Of several answers to one hold, the first
    counts. Each process counts the unpaid answers that it has seen."""

    PRUNE_SECONDS = 60.0

    def __init__(self, folder: str | os.PathLike[str], keep_seconds: int) -> None:
        self._folder, self._keep = Path(folder), keep_seconds
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._unpaid: dict[str, dict[str, int]] = {}
        """Last second of payment by channel and hold."""
        self._pruned_at, self._lock = time.monotonic(), threading.Lock()
        for path in self._folder.glob("*.answer"):
            answer = self.find(path.stem)
            if answer is not None and not path.with_suffix(".receipt").exists():
                self._unpaid.setdefault(answer.channel, {})[answer.hold] = answer.expires_at

    def add(self, answer: StoredAnswer, body: bytes) -> StoredAnswer:
        """Stores an answer durably; returns the one that counts."""
        head = json.dumps(asdict(answer)).encode()
        content = len(head).to_bytes(4, "little") + head + body
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".writing")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(name, self._path(answer.hold))
            except FileExistsError:
                return self.find(answer.hold) or answer
            sync_folder(self._folder)
            with self._lock:
                self._unpaid.setdefault(answer.channel, {})[answer.hold] = answer.expires_at
        finally:
            os.unlink(name)
        self.prune()
        return answer

    def find(self, hold: str) -> StoredAnswer | None:
        """Returns the answer to a hold."""
        try:
            with self._path(hold).open("rb") as file:
                return _head(file.read(int.from_bytes(file.read(4), "little")))
        except FileNotFoundError:
            return None

    def body(self, hold: str) -> bytes | None:
        """Returns the body of an answer."""
        try:
            with self._path(hold).open("rb") as file:
                file.seek(int.from_bytes(file.read(4), "little"), os.SEEK_CUR)
                return file.read()
        except FileNotFoundError:
            return None

    def mark_paid(self, answer: StoredAnswer, receipt: JSON) -> None:
        """Keeps the receipt of an answer. Losing it costs a request at the gateway."""
        with self._lock:
            self._unpaid.get(answer.channel, {}).pop(answer.hold, None)
        path = self._path(answer.hold).with_suffix(".receipt")
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".writing")
        with os.fdopen(handle, "w") as file:
            json.dump(receipt, file)
        os.replace(temporary, path)

    def receipt(self, hold: str) -> JSON | None:
        """Returns the receipt of an answer that was paid for."""
        try:
            return json.loads(self._path(hold).with_suffix(".receipt").read_text())
        except FileNotFoundError:
            return None

    def count_unpaid(self, channel: str) -> int:
        """Returns the number of a channel's answers that are unpaid and can still be paid."""
        with self._lock:
            unpaid = {hold: end for hold, end in self._unpaid.pop(channel, {}).items() if end >= time.time()}
            if unpaid:
                self._unpaid[channel] = unpaid
            return len(unpaid)

    def prune(self) -> None:
        """Removes answers some time after their last payment was possible, at most once a minute."""
        with self._lock:
            if time.monotonic() - self._pruned_at < self.PRUNE_SECONDS:
                return
            self._pruned_at = time.monotonic()
        for path in self._folder.glob("*.answer"):
            answer = self.find(path.stem)
            if answer is not None and answer.expires_at + self._keep < time.time():
                path.unlink(missing_ok=True)
                path.with_suffix(".receipt").unlink(missing_ok=True)

    def _path(self, hold: str) -> Path:
        if len(hold) != 64 or not all(letter in "0123456789abcdef" for letter in hold):
            raise ValueError("invalid hold: expected 64 hexadecimal digits")
        return self._folder / f"{hold}.answer"


def _head(text: bytes) -> StoredAnswer:
    head: JSON = json.loads(text)
    head["headers"] = [(str(name), str(value)) for name, value in head["headers"]]
    return StoredAnswer(**head)
