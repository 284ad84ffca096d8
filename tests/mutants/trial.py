"""Runs tests on a mutant until the first failure."""

import collections
import contextlib
import json
import os
import signal
import subprocess
import threading

FAILED = " ... FAILED"


class Trial:
    """Test modules, with the tests that caught mutants before."""

    def __init__(self, root, tests, left_out):
        self.root = root
        self.executables = test_binaries(root, dict.fromkeys(test.split(" ")[0] for test in tests))
        # Executable and names of the tests of each module, in the order asked for.
        self.modules = [self.listed(*test.split(" "), left_out) for test in tests]
        # How many mutants of a file each test caught.
        self.catchers = collections.defaultdict(collections.Counter)

    def listed(self, executable, module, left_out):
        """The executable and the names of its tests in a module, without those left out."""
        lines = output(self.executables[executable], {}, self.root, "--list", f"{module}::")
        names = [line.removesuffix(": test") for line in lines if line.endswith(": test")]
        # Filters match anywhere in a name.
        names = [name for name in names if name.startswith(f"{module}::") and f"{executable} {name}" not in left_out]
        if not names:
            raise SystemExit(f"no tests in module {module} of {executable}")
        return executable, names

    def likely(self, file, environment):
        """The first that fails, as `executable test`, of the tests that caught another mutant of
        the same file and of those whose names have the file's in them; or `None`."""
        stem = file.rsplit("/", 1)[-1].removesuffix(".rs")
        return self.noted(file, self.best(file, environment) or self.in_turn(environment, stem))

    def all(self, file, environment):
        """The first that fails of all tests, or `None`."""
        return self.noted(file, self.in_turn(environment))

    def noted(self, file, by):
        if by:
            self.catchers[file][by] += 1
        return by

    def best(self, file, environment):
        tried = collections.defaultdict(list)
        for by, _ in self.catchers[file].most_common(24):
            executable, name = by.split(" ", 1)
            tried[executable].append(name)
        for executable, names in tried.items():
            if by := self.failure(executable, names, environment):
                return by
        return None

    def in_turn(self, environment, part=""):
        """The first that fails of the tests with `part` in their names below the module, or `None`."""
        for executable, names in self.modules:
            chosen = [name for name in names if part in name.split("::", 1)[1]]
            if by := self.failure(executable, chosen, environment):
                return by
        return None

    def all_failures(self, environment):
        """Every test that fails, as `executable test`."""
        return [
            f"{executable} {line.split()[1]}"
            for executable, names in self.modules
            for line in output(self.executables[executable], environment, self.root, "--exact", *names)
            if line.startswith("test ") and line.endswith(FAILED)
        ]

    def failure(self, executable, names, environment):
        """The first of these tests that fails, as `executable test`, or `None`."""
        if not names:  # without a name libtest runs all
            return None
        name = first_failure(self.executables[executable], environment, self.root, "--exact", *names)
        return name and f"{executable} {name}"


def test_binaries(root, tests):
    """The tests' executables, built from the sources as they are."""
    command = ["cargo", "test", "--release", "--workspace", "--no-run", "--message-format", "json"]
    for test in tests:
        command += ["--test", test]
    built = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    found = {}
    for line in built.stdout.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable") and artifact["target"]["kind"] == ["test"]:
            found[artifact["target"]["name"]] = artifact["executable"]
    return {test: found[test] for test in tests}


def start(executable, environment, root, *arguments):
    environment = {**os.environ, "CARGO_MANIFEST_DIR": str(root / "tests"), **environment}
    return subprocess.Popen(
        [executable, *arguments], cwd=root / "tests", env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )


def output(executable, environment, root, *arguments):
    with start(executable, environment, root, *arguments) as running:
        return running.stdout.read().splitlines()


def first_failure(executable, environment, root, *arguments, seconds=300):
    """Returns the first failing test, `crash`, `timeout`, or `None`."""
    late = threading.Event()
    with start(executable, environment, root, *arguments) as running:
        def stop():
            late.set()
            kill(running)

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            for line in running.stdout:
                if line.startswith("test ") and line.rstrip().endswith(FAILED):
                    kill(running)
                    return line.split()[1]
        finally:
            timer.cancel()
    if late.is_set():
        return "timeout"
    return "crash" if running.returncode != 0 else None


def kill(running):
    """Ends the started tests and their child processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
