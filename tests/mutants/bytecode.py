"""A copy of the sources in which mutants are compiled, all at once or one by itself."""

import os
import re
import shutil
import subprocess

from schemata import Weaver, module, switched_on

PROGRAMS = ("licensing", "payments")
ERROR = re.compile(r"^error(?:\[E\d+\])?: .*\n\s+--> ([^:\n]+):(\d+):(\d+)", re.MULTILINE)


class DoesNotCompile(Exception):
    """Compiler errors with the mutants that they concern."""

    def __init__(self, words, mutants):
        super().__init__(words)
        self.mutants = mutants


class Copy:
    """A copy of the programs' sources, with its builds."""

    def __init__(self, root, folder):
        self.root = folder / "source"
        self.target = folder / "target"
        self.bytecode = folder / "bytecode"
        self.bytecode.mkdir(parents=True, exist_ok=True)
        self.woven = {}
        shutil.rmtree(self.root, ignore_errors=True)
        kept = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True)
        for name in filter(None, kept.stdout.decode().split("\0")):
            if (root / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, self.root / name)
        self.originals = {}

    def weave(self, mutants):
        """Inserts all these mutants into the sources."""
        self.restore()
        self.write("programs/licensing/src/mutant.rs", module())
        crate = "programs/licensing/src/lib.rs"
        self.write(crate, (self.root / crate).read_text() + "\n#[doc(hidden)]\npub mod mutant;\n")
        for file in sorted({mutant.file for mutant in mutants}):
            switch = "crate::mutant::is" if file.startswith("programs/licensing/") else "licensing::mutant::is"
            within = [mutant for mutant in mutants if mutant.file == file]
            self.woven[file] = Weaver((self.root / file).read_text(), within, switch)
            self.write(file, self.woven[file].text)

    def apply(self, mutant):
        """Replaces the original by one mutant in the sources."""
        self.restore()
        text = (self.root / mutant.file).read_text()
        self.write(mutant.file, text[: mutant.start] + mutant.replacement + text[mutant.end :])

    def write(self, name, text):
        path = self.root / name
        self.originals.setdefault(name, path.read_text() if path.exists() else None)
        path.write_text(text)

    def restore(self):
        for name, text in self.originals.items():
            if text is None:
                (self.root / name).unlink()
            else:
                (self.root / name).write_text(text)
        self.originals, self.woven = {}, {}

    def compile(self, programs=PROGRAMS):
        """Builds the programs' bytecode from the present sources."""
        for program in programs:
            manifest = self.root / f"programs/{program}/Cargo.toml"
            build = [self.root / "toolchain/bin/cargo-build-sbf", "--locked", "--sbf-out-dir", self.bytecode]
            self.run([*build, "--manifest-path", manifest], {"CARGO_TARGET_DIR": self.target})
        return {program: (self.bytecode / f"{program}.so").read_bytes() for program in programs}

    def compile_unit_tests(self):
        """The executables of the unit tests beside the code, by program."""
        build = ["cargo", "test", "--release", "--locked", "--lib", "--no-run"]
        for program in PROGRAMS:
            build += ["-p", program]
        told = self.run(build, {"CARGO_TARGET_DIR": self.target / "unit"}, cwd=self.root)
        return re.findall(r"Executable unittests .*\((.+)\)", told)

    def run(self, command, environment, cwd=None):
        environment = {**os.environ, **{name: str(value) for name, value in environment.items()}}
        done = subprocess.run(list(map(str, command)), env=environment, cwd=cwd, capture_output=True, text=True)
        if done.returncode != 0:
            raise DoesNotCompile(done.stderr, self.blamed(done.stderr))
        return done.stderr

    def blamed(self, words):
        """The mutants that the compiler's errors point into."""
        found = set()
        for path, line, column in ERROR.findall(words):
            for file, weaver in self.woven.items():
                if file.endswith(path) or path.endswith(file):
                    found |= weaver.at_fault(int(line), int(column))
        return found

    def put(self, bytecode, number):
        """Writes the bytecode for tests, with one active mutant; 0 for none."""
        for program, code in bytecode.items():
            (self.bytecode / f"{program}.so").write_bytes(switched_on(code, number))


def compile_together(copy, mutants, compile_now):
    """Inserts mutants without those that do not compile; returns the rest and the builds."""
    mutants = list(mutants)
    while True:
        copy.weave(mutants)
        try:
            return mutants, compile_now()
        except DoesNotCompile as failed:
            if not failed.mutants:
                raise SystemExit(f"the sources do not compile, and no mutant is to blame:\n{failed}") from failed
            mutants = [mutant for mutant in mutants if mutant not in failed.mutants]
