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
    """Test executables, with the tests that caught mutants before."""

    def __init__(self, root, tests, left_out):
        self.root = root
        self.left_out = left_out
        self.executables = test_binaries(root, tests)
        # How many mutants of a file each test caught.
        self.catchers = collections.defaultdict(collections.Counter)

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
            test, name = by.split(" ", 1)
            tried[test].append(name)
        for test, names in tried.items():
            if name := self.failure(self.executables[test], environment, "--exact", *names):
                return f"{test} {name}"
        return None

    def in_turn(self, environment, *names):
        for test, executable in self.executables.items():
            if name := self.failure(executable, environment, *names, *self.skipped(test)):
                return f"{test} {name}"
        return None

    def all_failures(self, environment):
        """Every test that fails, as `executable test`."""
        return [
            f"{test} {line.split()[1]}"
            for test, executable in self.executables.items()
            for line in output(executable, environment, self.root, *self.skipped(test))
            if line.startswith("test ") and line.endswith(FAILED)
        ]

    def failure(self, executable, environment, *arguments):
        return first_failure(executable, environment, self.root, *arguments)

    def skipped(self, test):
        named = [name.split(" ", 1)[1] for name in self.left_out if name.split(" ", 1)[0] == test]
        return [argument for name in named for argument in ("--skip", name)]


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
