"""Answers of a seller on disk."""

from __future__ import annotations

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from motif_sdk._answers import Answers, StoredAnswer


def answer(hold: str, channel: str = "channel", expires_in: int = 100, output: str = "00" * 32) -> StoredAnswer:
    expires_at = int(time.time()) + expires_in
    return StoredAnswer(hold, channel, "POST /x", 0, 1, "11" * 32, output, expires_at, 200, [("a", "b")])


def test_stored_answer_is_read_by_next_process(tmp_path: Path) -> None:
    stored = answer("aa" * 32)
    assert Answers(tmp_path / "answers", 10).add(stored, b"body") == stored
    again = Answers(tmp_path / "answers", 10)
    assert (again.find(stored.hold), again.body(stored.hold)) == (stored, b"body")
    assert (again.receipt(stored.hold), again.count_unpaid("channel")) == (None, 1)
    again.mark_paid(stored, {"digest": "22"})
    assert (again.receipt(stored.hold), again.count_unpaid("channel")) == ({"digest": "22"}, 0)
    assert Answers(tmp_path / "answers", 10).count_unpaid("channel") == 0
    assert stat.S_IMODE((tmp_path / "answers").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "answers").glob("*.answer")} == {0o600}


def test_first_answer_to_hold_counts(tmp_path: Path) -> None:
    answers, first = Answers(tmp_path, 10), answer("aa" * 32)
    answers.add(first, b"first")
    assert answers.add(answer("aa" * 32, output="33" * 32), b"second") == first
    assert answers.body(first.hold) == b"first"
    assert [path.suffix for path in tmp_path.iterdir()] == [".answer"]


def test_expired_answers_are_removed(tmp_path: Path) -> None:
    answers, old, new = Answers(tmp_path, 10), answer("aa" * 32, expires_in=-11), answer("bb" * 32, expires_in=-9)
    for one in (old, new):
        answers.add(one, b"")
    assert answers.count_unpaid("channel") == 0
    answers.prune()
    assert answers.find(old.hold) == old
    answers.PRUNE_SECONDS = 0.0  # type: ignore[misc]
    answers.prune()
    assert (answers.find(old.hold), answers.find(new.hold)) == (None, new)


@pytest.mark.parametrize("hold", ["", "../../etc/passwd", "AA" * 32, "a" * 63])
def test_name_that_is_no_hold_is_refused(tmp_path: Path, hold: str) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        Answers(tmp_path, 10).find(hold)


def test_receipt_is_kept_by_many_threads(tmp_path: Path) -> None:
    answers, stored = Answers(tmp_path, 60), answer("11" * 32)
    answers.add(stored, b"a picture")
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: answers.mark_paid(stored, {"number": number}), range(200)))
    assert answers.receipt(stored.hold) is not None
    assert not list(tmp_path.glob("*.writing"))
