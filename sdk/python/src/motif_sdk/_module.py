"""WebAssembly modules, compiled once for each machine.

Compiled code is executed when it is loaded, so the cache is a folder that only this user can write: it is ignored if it
belongs to another user or others can write to it.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

from wasmtime import Config, Engine, Module, WasmtimeError

_FOLDER_VARIABLE = "MOTIF_CACHE_DIR"
_lock = threading.Lock()
_loaded: dict[str, tuple[Engine, Module]] = {}


def load(name: str, is_interruptible: bool = False) -> tuple[Engine, Module]:
    """Returns a module of this package, compiled, and its engine. Calls share them."""
    with _lock:
        if name not in _loaded:
            config = Config()
            config.epoch_interruption = is_interruptible
            engine = Engine(config)
            _loaded[name] = (engine, _compiled(engine, module_path(name).read_bytes(), is_interruptible))
        return _loaded[name]


def _begin_process() -> None:
    """Gives a forked process a lock that no thread holds."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_process)


def module_path(name: str) -> Path:
    """Returns the path of a module: in the wheel, or beside this package in the repository."""
    inside = Path(__file__).parent / "modules" / name
    return inside if inside.is_file() else Path(__file__).parents[3] / "core" / name


def _compiled(engine: Engine, wasm: bytes, is_interruptible: bool) -> Module:
    folder = cache_folder()
    if folder is None:
        return Module(engine, wasm)
    settings = (
        f"{version('wasmtime')} {sys.platform} {os.uname().machine if hasattr(os, 'uname') else ''} {is_interruptible}"
    )
    path = folder / f"{hashlib.sha256(wasm + settings.encode()).hexdigest()}.cwasm"
    code = _read_own(path)
    if code is not None:
        try:
            return Module.deserialize(engine, code)
        except WasmtimeError:
            pass  # written on a machine with other processor features
    module = Module(engine, wasm)
    _write(path, bytes(module.serialize()))
    return module


def cache_folder() -> Path | None:
    """Returns the private folder of compiled modules, created if missing; `None` if there cannot be one."""
    if not hasattr(os, "geteuid"):
        return None  # owners and modes cannot be checked
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "motif-sdk"
    folder = Path(os.environ.get(_FOLDER_VARIABLE) or default)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except (OSError, RuntimeError):
        return None
    return folder if stat.S_ISDIR(found.st_mode) and _is_own(found) else None


def _is_own(found: os.stat_result) -> bool:
    """Returns whether only this user, and root, can write."""
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read_own(path: Path) -> bytes | None:
    """Returns the content of a regular file that only this user can write; `None` otherwise."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        return file.read() if stat.S_ISREG(found.st_mode) and _is_own(found) else None


def _write(path: Path, code: bytes) -> None:
    """Writes a file as a whole. A cache that cannot be written is not an error."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(code)
        os.replace(name, path)
    except OSError:
        pass
