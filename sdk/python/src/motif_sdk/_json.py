"""JSON of servers."""

from __future__ import annotations

from typing import Any, cast

JSON = dict[str, Any]


def object_of(value: Any) -> JSON | None:
    """Returns a JSON object, or `None` if a value is none."""
    return cast(JSON, value) if isinstance(value, dict) else None
