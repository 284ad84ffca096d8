"""JSON and texts of servers."""

from __future__ import annotations

from typing import Any, cast

JSON = dict[str, Any]


def object_of(value: Any) -> JSON | None:
    """Returns a JSON object, or `None` if a value is none."""
    return cast(JSON, value) if isinstance(value, dict) else None


def visible(text: str) -> str:
    """Returns a stranger's text in one line, with control characters and others that are not printable escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
