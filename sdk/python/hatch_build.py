"""Puts the compiled rules of sdk/core, and the license, into the wheel and the source archive."""

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
        files = {f"modules/{name}": root.parent / "core" / name for name in MODULES}
        files["LICENSE"] = root.parents[1] / "LICENSE"
        for name, beside in files.items():
            found = root / name if (root / name).is_file() else beside
            if not found.is_file():
                raise FileNotFoundError(f"{name} is missing: expected {beside}, or build from a source archive")
            place = name if self.target_name == "sdist" else f"motif_sdk/{name}"
            build_data["force_include"][str(found)] = place
