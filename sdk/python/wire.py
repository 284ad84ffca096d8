"""Writes src/motif_sdk/wire.py, the types of a gateway's JSON, from its app/gateway/openapi.json.

python wire.py [--check]
"""

from __future__ import annotations

import json
import keyword
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

OPENAPI = Path(__file__).parents[2] / "app" / "gateway" / "openapi.json"
MODULE = Path(__file__).parent / "src" / "motif_sdk" / "wire.py"

HEAD = '''"""JSON of gateways, written by `sdk/python/wire.py` from `app/gateway/openapi.json`.

Amounts are decimal strings, addresses base58, digests and signatures hexadecimal, times unix seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired
'''
ROOTS = [
    "Authentication",
    "ChannelState",
    "Closing",
    "Operator",
    "PaidRoutes",
    "Quote",
    "ReceiptProofParts",
    "Settlements",
    "UsageReport",
    "WorkDetailsFacts",
    "WorkList",
]
"""Answers that this package returns."""


def main() -> None:
    """Writes the module, or fails if it differs from the interface."""
    schemas: dict[str, Any] = json.loads(OPENAPI.read_text())["components"]["schemas"]
    names, ahead = set[str](), list(ROOTS)
    while ahead:
        name = ahead.pop()
        if name not in names:
            names.add(name)
            ahead += references(schemas[name])
    # Aliases are evaluated, so that they come before what they name is used in them.
    ordered = sorted(names, key=lambda name: ("properties" in schemas[name], name))
    text = HEAD + "".join(f"\n{line}" for name in ordered for line in definition(name, schemas[name])) + "\n"
    if "--check" not in sys.argv:
        MODULE.write_text(text)
    elif MODULE.read_text() != text:
        sys.exit(f"{MODULE.name} differs from {OPENAPI.name}: run `python wire.py`")


def references(schema: Any) -> Iterator[str]:
    """Yields the names of the schemas that one refers to."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rsplit("/", 1)[-1]
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def definition(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yields the lines of a type."""
    if "properties" not in schema:
        yield f"{name} = {expression(schema)}"
        yield from documentation(schema, "")
        return
    required, fields = set(schema.get("required", [])), dict[str, str]()
    for field, described in schema["properties"].items():
        kind = expression(described)
        fields[field] = kind if field in required else f"NotRequired[{kind}]"
    if any(keyword.iskeyword(field) for field in fields):
        yield f"\n\n{name} = TypedDict("
        yield f'    "{name}",'
        yield "    {"
        yield from (f'        "{field}": "{kind}",' for field, kind in fields.items())
        yield "    },"
        yield ")"
        yield from documentation(schema, "")
        return
    yield f"\n\nclass {name}(TypedDict):"
    yield from documentation(schema, "    ")
    yield ""
    for field, kind in fields.items():
        yield f"    {field}: {kind}"
        yield from documentation(schema["properties"][field], "    ")


def documentation(schema: dict[str, Any], indent: str) -> Iterator[str]:
    """Yields a docstring."""
    ways = [one["description"] for one in schema.get("oneOf", []) if "description" in one]
    text = " ".join((schema.get("description") or " ".join(ways)).split())
    if text:
        lines = textwrap.wrap(text, 117 - len(indent) - 6)
        yield f'{indent}"""{lines[0]}' + ('"""' if len(lines) == 1 else "")
        yield from (f"{indent}{line}" for line in lines[1:-1])
        if len(lines) > 1:
            yield f'{indent}{lines[-1]}"""'


def expression(schema: dict[str, Any]) -> str:
    """Returns the type of a schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "oneOf" in schema:
        return union(expression(one) for one in schema["oneOf"])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(one) for one in schema['enum'])}]"
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return union(expression({**schema, "type": one}) for one in kinds)
    if kinds == "array":
        return f"list[{expression(schema['items'])}]"
    if kinds == "object":
        return f"dict[str, {expression(schema.get('additionalProperties', {}))}]"
    known = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", None: "Any"}
    return known[kinds]


def union(kinds: Iterable[str]) -> str:
    """Returns the type of values of several types, `None` last."""
    return " | ".join(sorted(kinds, key=lambda kind: kind == "None"))


if __name__ == "__main__":
    main()
