#!/usr/bin/env python3
"""Mutation testing of the programs, on bytecode.

cargo-mutants says what could be changed; every change is compiled to bytecode and put before the
tests of the programs, which take their bytecode from where MOTIF_BYTECODE says. A mutant is
caught when it does not compile, or when a test fails. What the tests on bytecode let through is
put before the unit tests beside the code, too.

usage: run.py [--shard K/N] [--work FOLDER] [FILE...]

FILEs are sources below programs/; without any, those that move money. Needs `cargo install
cargo-mutants --locked` and toolchain/install.sh. One line of JSON a mutant on standard output,
the last line the sums; exit code 1 when fewer than 90 % were caught.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOAL = 0.90
# Split, settle, claim and vouchers, and what they are made of.
MONEY = [
    "programs/licensing/src/bps.rs",
    "programs/payments/src/proof.rs",
    "programs/payments/src/statement.rs",
    "programs/payments/src/voucher.rs",
    "programs/payments/src/mountain_range.rs",
    "programs/payments/src/state/channel.rs",
    "programs/payments/src/state/earnings.rs",
    "programs/payments/src/state/licence.rs",
    "programs/payments/src/instructions/apply_split.rs",
    "programs/payments/src/instructions/claim.rs",
    "programs/payments/src/instructions/collect.rs",
    "programs/payments/src/instructions/pull.rs",
    "programs/payments/src/instructions/settle.rs",
    "programs/payments/src/instructions/settle_cosigned.rs",
    "programs/payments/src/instructions/settle_staged.rs",
]
# Quick ones first: most mutants meet their end there.
TESTS = ["payments", "attacks", "licensing", "states", "journeys", "fuzz"]


def mutants(files):
    """What cargo-mutants would change in these files."""
    command = ["cargo", "mutants", "--list", "--json", "--diff"]
    for file in files:
        command += ["--file", file]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(listed.stdout)


def test_binaries():
    """The tests' executables, built from the sources as they are."""
    command = ["cargo", "test", "--release", "--workspace", "--no-run", "--message-format", "json"]
    for test in TESTS:
        command += ["--test", test]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found = {}
    for line in built.stdout.splitlines():
        artifact = json.loads(line)
        if artifact.get("executable") and artifact["target"]["kind"] == ["test"]:
            found[artifact["target"]["name"]] = artifact["executable"]
    return [(test, found[test]) for test in TESTS]


class Copy:
    """A copy of the sources in which one mutant after the other is compiled."""

    def __init__(self, folder):
        self.root = folder / "source"
        kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
        for name in filter(None, kept.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        self.target = folder / "target"
        self.bytecode = folder / "bytecode"
        self.bytecode.mkdir()
        for program in ("licensing", "payments"):
            shutil.copy2(ROOT / f"programs/artifacts/{program}.so", self.bytecode)

    def compiles(self, program):
        build = [
            self.root / "toolchain/bin/cargo-build-sbf", "--locked",
            "--sbf-out-dir", self.bytecode, "--manifest-path", self.root / f"programs/{program}/Cargo.toml",
        ]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.target)}
        return run(build, environment, 600).returncode == 0

    def survives_unit_tests(self, program):
        test = ["cargo", "test", "--quiet", "--lib", "--manifest-path", self.root / f"programs/{program}/Cargo.toml"]
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.target / "unit")}
        return run(test, environment, 900).returncode == 0

    def try_mutant(self, mutant, tests):
        """How a mutant ended, and by what."""
        file = self.root / mutant["file"]
        original = file.read_text()
        diff = mutant["diff"] if mutant["diff"].endswith("\n") else mutant["diff"] + "\n"
        patch = subprocess.run(
            ["patch", "--silent", str(file)], input=diff, text=True, capture_output=True
        )
        if patch.returncode != 0:
            raise SystemExit(f"cannot apply {mutant['name']}: {patch.stdout}{patch.stderr}")
        program = mutant["file"].split("/")[1]
        # What both programs are made of is judged by the one that moves money.
        built = "payments"
        try:
            if not self.compiles(built):
                return "unviable", "compiler"
            environment = {
                **os.environ, "MOTIF_BYTECODE": str(self.bytecode),
                "CARGO_MANIFEST_DIR": str(ROOT / "tests"),
            }
            for name, executable in tests:
                if run([executable, "--quiet"], environment, 300).returncode != 0:
                    return "caught", name
            if not self.survives_unit_tests(program):
                return "caught", "unit tests"
            return "missed", None
        finally:
            file.write_text(original)


def run(command, environment, seconds):
    try:
        return subprocess.run(
            list(map(str, command)), cwd=ROOT / "tests", env=environment, timeout=seconds,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1)  # it never ends: somebody notices


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shard", default="0/1", help="which part of how many")
    parser.add_argument("--work", type=pathlib.Path, help="folder to compile in, kept afterwards")
    parser.add_argument("files", nargs="*", default=MONEY)
    asked = parser.parse_args()
    part, parts = map(int, asked.shard.split("/"))
    everything = mutants(asked.files)
    chosen = everything[part::parts]
    tests = test_binaries()
    folder = asked.work or pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.mkdir(parents=True, exist_ok=True)
    copy = Copy(folder)
    if not copy.compiles("payments"):
        raise SystemExit("the sources themselves do not compile to bytecode")
    counts = {"caught": 0, "missed": 0, "unviable": 0}
    for mutant in chosen:
        began = time.monotonic()
        ended, by = copy.try_mutant(mutant, tests)
        counts[ended] += 1
        line = {"mutant": mutant["name"], "ended": ended, "by": by, "seconds": round(time.monotonic() - began)}
        print(json.dumps(line), flush=True)
    if not asked.work:
        shutil.rmtree(folder)
    viable = counts["caught"] + counts["missed"]
    share = counts["caught"] / viable if viable else 1.0
    print(json.dumps({"listed": len(everything), "tried": len(chosen), **counts, "caught_share": round(share, 4), "goal": GOAL}))
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
