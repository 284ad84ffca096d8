"""Puts the compiled rules of sdk/core into the wheel and the source archive."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ("motif_core.wasm", "motif_content.wasm")


class ModulesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds each WebAssembly module; the source archive has its own copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # modules are found beside this folder
        root = Path(self.root)
        for name in MODULES:
            inside, beside = root / "modules" / name, root.parent / "core" / name
            found = inside if inside.is_file() else beside
            if not found.is_file():
                raise FileNotFoundError(f"{name} is missing: expected {beside}, or build from a source archive")
            place = f"modules/{name}" if self.target_name == "sdist" else f"motif_sdk/modules/{name}"
            build_data["force_include"][str(found)] = place
