"""The wheel: built and installed without a network into an empty environment, typed, and in step with the rules."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from localnet import Localnet
from test_readme import run_quick_start
from world import REPOSITORY

import motif_sdk
from motif_sdk import _core

PACKAGE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the wheel that `python -m build` makes from a source archive."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("*.whl")
    assert [path.name.endswith(".tar.gz") for path in folder.iterdir() if path != found] == [True]
    return found


def test_wheel_runs_anywhere_and_has_modules(wheel: Path) -> None:
    assert wheel.name == f"motif_sdk-{motif_sdk.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for module in (_core.CORE, _core.CONTENT):
            committed = (REPOSITORY / "sdk" / "core" / module).read_bytes()
            assert archive.read(f"motif_sdk/modules/{module}") == committed
    assert names >= {"motif_sdk/py.typed", "motif_sdk/LICENSE"}
    assert not [name for name in names if name.endswith((".so", ".pyd"))]


def test_installed_wheel_runs_quick_start_offline(wheel: Path, localnet: Localnet, tmp_path: Path) -> None:
    """The environment is empty but for the wheel; its dependencies are those of this environment."""
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    python = environment / "bin" / "python"
    packages = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--target", str(packages)]
    subprocess.run([*install, str(wheel)], check=True, timeout=60)
    dependencies = tmp_path / "dependencies"
    dependencies.mkdir()
    for folder in site.getsitepackages():
        for entry in Path(folder).iterdir():
            if "motif" not in entry.name and entry.suffix != ".pth":
                (dependencies / entry.name).symlink_to(entry)
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    # Every requirement of the wheel is met.
    check = [sys.executable, "-m", "pip", "--python", str(python), "check"]
    checked = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    found = [str(python), "-c", "import motif_sdk; print(motif_sdk.__file__)"]
    assert str(packages) in subprocess.run(found, capture_output=True, text=True, check=True, timeout=60).stdout
    run = tmp_path / "run"
    run.mkdir()
    assert run_quick_start(localnet, run, str(python)).startswith("paid 1020 base units")


def test_version_is_that_of_the_rules() -> None:
    assert _core.shared().call("version")["version"] == motif_sdk.__version__


def test_types_are_strict() -> None:
    if os.environ.get("MOTIF_CHECK_TYPES") != "1":
        pytest.skip("pyright takes 15 seconds: set MOTIF_CHECK_TYPES=1")
    command = [sys.executable, "-m", "pyright", "--project", str(PACKAGE), "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--outputjson"], capture_output=True, text=True, timeout=300, check=False)
    report = json.loads(done.stdout)
    assert [one["message"] for one in report["generalDiagnostics"]] == []
    assert report["summary"]["filesAnalyzed"] >= 25
