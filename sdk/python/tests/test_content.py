"""Content examined in the sandbox: what it finds equals what the `motif` binary registered."""

from __future__ import annotations

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from world import REPOSITORY

from motif_sdk import Fingerprint, examine
from motif_sdk.content import MAX_BYTES, distance
from motif_sdk.errors import CoreFailed, InvalidInput

COFFEE = REPOSITORY / "app" / "cli" / "assets" / "coffee.jpg"
MEDIA = sorted((REPOSITORY / "tests" / "fixtures" / "media").glob("tune.*"))


def test_image_has_digest_and_fingerprint() -> None:
    content = examine(COFFEE)
    assert (content.media, content.media_type) == ("image", "image/jpeg")
    assert content.digest == hashlib.sha256(COFFEE.read_bytes()).hexdigest()
    assert content.fingerprint is not None
    assert content.fingerprint in content.probes
    assert len(content.probes) <= 64


@pytest.mark.parametrize("path", MEDIA, ids=lambda path: path.suffix)
def test_recording_is_alike_in_every_format(path: Path) -> None:
    one, other = examine(path).fingerprint, examine(MEDIA[0]).fingerprint
    assert one is not None
    assert other is not None
    assert distance(one, other)[1]


def test_other_bytes_have_no_fingerprint() -> None:
    content = examine(b"\x00\x01\x02 no known medium")
    assert (content.media, content.fingerprint, content.probes) == ("other", None, ())


def test_other_schemes_have_no_distance() -> None:
    fingerprint = examine(COFFEE).fingerprint
    assert fingerprint is not None
    assert distance(fingerprint, Fingerprint(6, fingerprint.bits)) == (None, False)
    flipped = format(int(fingerprint.bits, 16) ^ 0b111, "064x")
    assert distance(fingerprint, Fingerprint(fingerprint.scheme, flipped)) == (3, True)


def test_hostile_files_harm_only_themselves() -> None:
    """Mutated files are refused, fail alone, or are examined; the next file is examined as ever."""
    expected, whole, rng = examine(COFFEE), COFFEE.read_bytes(), random.Random(1)
    outcomes = set[str]()
    for _ in range(30):
        broken = bytearray(whole[: rng.randrange(1, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randrange(1, 60)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            examine(bytes(broken))
            outcomes.add("examined")
        except (InvalidInput, CoreFailed) as error:
            outcomes.add(type(error).__name__)
    assert "examined" in outcomes
    assert examine(COFFEE) == expected


def test_threads_examine_side_by_side() -> None:
    expected = examine(COFFEE)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(examine, [COFFEE] * 8)) == [expected] * 8
    assert not [thread for thread in threading.enumerate() if thread.name == "motif-content" and not thread.daemon]


def test_file_above_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidInput, match="expected at most"):
        examine(path)


def test_decoder_above_its_time_is_ended() -> None:
    with pytest.raises(CoreFailed):
        examine(COFFEE, max_seconds=0)
    assert examine(COFFEE).media == "image"
