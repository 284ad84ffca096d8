"""The reference page follows the docstrings."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]
MODULES = ["motif_sdk", *(f"motif_sdk.{name}" for name in ("errors", "terms", "content", "images", "asgi", "chain"))]


def test_reference_page_is_current() -> None:
    command = [sys.executable, str(PACKAGE / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_public_items_are_documented(name: str) -> None:
    module = importlib.import_module(name)
    for member, value in vars(module).items():
        own = str(getattr(value, "__module__", "")).startswith("motif_sdk")
        if member.startswith("_") or not own or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), member
        for part, function in vars(value).items() if inspect.isclass(value) else ():
            if not part.startswith("_") and inspect.isfunction(function):
                assert inspect.getdoc(function), f"{member}.{part}"


def test_types_of_gateway_are_current() -> None:
    command = [sys.executable, str(PACKAGE / "wire.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
