"""Writes the reference in docs/python.md, below its guide, from the package's docstrings.

python reference.py [--check]
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "python.md"

HEAD = """# Reference

Written by `sdk/python/reference.py` from the docstrings: edit those. Amounts are base units, digests are hexadecimal,
addresses base58, times unix seconds. `motif_sdk.wire` has the types of a gateway's JSON.

"""

MODULES = ("", "errors", "terms", "content", "images", "comfyui", "asgi", "requests_adapter", "chain")


def main() -> None:
    """Writes the page, or fails if it differs from the docstrings."""
    guide = PAGE.read_text().split(HEAD.splitlines()[0] + "\n")[0]
    text = guide + HEAD + "\n".join(line for module in MODULES for line in section(module))
    text = text.rstrip() + "\n"
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit(f"{PAGE.name} differs from the docstrings: run `python reference.py`")


def section(name: str) -> Iterator[str]:
    """Yields the lines of a module."""
    path = f"motif_sdk.{name}".rstrip(".")
    module = importlib.import_module(path)
    yield f"## `{path}`"
    yield ""
    yield from prose(module)
    seen = {*importlib.import_module("motif_sdk").__all__} if name else set[str]()
    for member, value in public(module):
        if member in seen or inspect.ismodule(value):
            continue
        yield from item(member, value)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yields the public members that a module defines or exports, in the order of its source."""
    exported = getattr(module, "__all__", None)
    if exported is not None and module.__name__ != "motif_sdk.comfyui":
        yield from ((name, getattr(module, name)) for name in exported)
        return
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if own and not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
            yield name, value


def item(name: str, value: Any) -> Iterator[str]:
    """Yields the lines of a class or function."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    yield f"### `{name}`"
    yield ""
    is_error = inspect.isclass(value) and issubclass(value, Exception)
    if not is_error and not getattr(value, "_is_protocol", False):
        yield f"```python\n{signature(name, value)}\n```"
        yield ""
    yield from prose(value)
    if not inspect.isclass(value):
        return
    if vars(value).get("__init__") is not None and value.__init__.__doc__ and not dataclasses.is_dataclass(value):
        yield from prose(value.__init__)
    rows = list(fields(value)) + list(methods(value))
    if rows:
        yield "| member | |"
        yield "|---|---|"
        yield from rows
        yield ""


def fields(value: type) -> Iterator[str]:
    """Yields rows of a data class's documented fields."""
    if not dataclasses.is_dataclass(value):
        return
    documented = dict(
        re.findall(r'^    (\w+): [^\n]*\n    """(.*?)"""', inspect.getsource(value), re.DOTALL | re.MULTILINE)
    )
    for field in dataclasses.fields(value):
        if field.init and field.name in documented:
            yield f"| `{field.name}` | {cell(documented[field.name])} |"


def methods(value: type) -> Iterator[str]:
    """Yields rows of a class's own public methods and properties."""
    for base in reversed([one for one in value.__mro__ if one.__module__.startswith("motif_sdk")]):
        for name, member in vars(base).items():
            target = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if name.startswith("_") or not inspect.isfunction(target) or not target.__doc__:
                continue
            shown = f"`{name}`" if isinstance(member, property) else f"`{call(name, target)}`"
            yield f"| {shown} | {cell(target.__doc__)} |"


def call(name: str, function: Any) -> str:
    """Returns a method's call with the names of its parameters."""
    names = list[str]()
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        equals = "=" if parameter.kind is parameter.KEYWORD_ONLY or parameter.default is not parameter.empty else ""
        names.append(f"{stars}{parameter.name}{equals}")
    return f"{'await ' if inspect.iscoroutinefunction(function) else ''}{name}({', '.join(names)})"


def signature(name: str, value: Any) -> str:
    """Returns a class's or function's signature, one parameter a line if it is long."""
    opened = getattr(value, "open", None)
    if opened is not None:
        prefix = "await " if inspect.iscoroutinefunction(opened) else ""
        return prefix + laid_out(f"{name}.open", opened)
    return laid_out(name, value)


def laid_out(name: str, value: Any) -> str:
    """Returns a signature without the package's private paths."""
    try:
        shown = inspect.signature(value)
    except ValueError:
        return name
    parameters = [one.replace(default=one.default) for one in shown.parameters.values() if not one.name.startswith("_")]
    text = f"{name}{shown.replace(parameters=parameters)}"
    text = re.sub(r"'([^']*)'", r"\1", text).replace(" -> None", "")
    if len(text) <= 110:
        return text
    head, tail = text.split("(", 1)
    body, _, result = tail.rpartition(")")
    parts, depth, part = list[str](), 0, ""
    for letter in body:
        depth += letter in "[(" or -(letter in "])")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    lines = "".join(f"    {one},\n" for one in [*parts, part.strip()] if one)
    return f"{head}(\n{lines}){result}"


def prose(value: Any) -> Iterator[str]:
    """Yields a docstring as paragraphs."""
    text = inspect.getdoc(value) or ""
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(" ".join(paragraph.split()), 118)
        yield ""


def cell(text: str) -> str:
    """Returns a docstring as a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
