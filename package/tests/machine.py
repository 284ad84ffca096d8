"""A Debian system whose systemd runs in namespaces of its own. It shares the network with the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from support import Folder, check, tool

# Packages of the system, beside those that every system has: what motif-gateway depends on, and systemd.
PACKAGES = "ca-certificates,libgcc-s1,passwd,systemd"


class Machine:
    """A machine from a root folder. Its commands run as root in it."""

    def __init__(self, test: type[unittest.TestCase]) -> None:
        if os.geteuid() != 0:
            raise unittest.SkipTest("a machine in namespaces needs root")
        mmdebstrap, nspawn = tool("mmdebstrap"), tool("systemd-nspawn")
        folder = Folder(test).path
        self.root = folder / "root"
        command = [mmdebstrap, "--quiet", "--variant=essential", f"--include={PACKAGES}", "--mode=root", "bookworm", self.root]
        try:
            check(command, seconds=300)
        except AssertionError as error:
            raise unittest.SkipTest(f"Debian's mirror is away: {error}") from error
        # Its own journal and no name service: it uses the test's network.
        command = [nspawn, "--quiet", "--register=no", "--keep-unit", "--boot", "--directory", self.root]
        self._log = folder / "boot.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        test.addClassCleanup(self.stop)
        deadline = time.monotonic() + 60
        while self._leader() is None or self.run("systemctl", "is-system-running", may_fail=True) not in ("running", "degraded"):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"the machine did not start: {self._log.read_text(errors='replace')}")
            time.sleep(0.2)

    def _leader(self) -> int | None:
        """Returns the process that is the machine's first."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def run(self, *command: str, may_fail: bool = False) -> str:
        """Runs a command and returns what it prints."""
        leader = self._leader()
        if leader is None:
            return ""
        inside = ["nsenter", "--target", str(leader), "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            [*inside, *command], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode != 0 and not may_fail:
            journal = "" if command[0] == "journalctl" else self.run("journalctl", "--no-pager", "--lines=40", may_fail=True)
            raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}\n{journal}")
        return done.stdout.strip()

    def install(self, package: Path) -> str:
        """Installs a package file."""
        shutil.copy(package, self.root / "srv" / package.name)
        printed = self.run("dpkg", "--install", f"/srv/{package.name}")
        (self.root / "srv" / package.name).unlink()
        return printed

    def files(self) -> set[str]:
        """Returns all files and folders but those of dpkg, of the journal, and temporary ones."""
        found = set()
        for folder, folders, names in os.walk(self.root):
            inside = "/" + os.path.relpath(folder, self.root).removeprefix(".")
            folders[:] = [name for name in folders if os.path.join(inside, name) not in KEPT]
            found |= {os.path.join(inside, name) for name in [*folders, *names]}
        return found - KEPT

    def stop(self) -> None:
        """Ends the machine."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# What a machine writes by itself, and dpkg's own records.
KEPT = {
    "/dev", "/proc", "/sys", "/run", "/tmp", "/var/tmp", "/root", "/var/log", "/var/lib/dpkg", "/var/lib/systemd", "/var/cache",
    "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock",
}  # fmt: skip
